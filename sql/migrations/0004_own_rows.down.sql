-- As in the migration: checking what is there, the owner has to see it.
alter table app.tenants no force row level security;
alter table app.conversations no force row level security;
alter table app.messages no force row level security;
alter table app.generations no force row level security;
alter table app.generation_chunks no force row level security;
alter table app.idempotency_keys no force row level security;
alter table app.tracking_outbox no force row level security;

drop index app.idempotency_keys_old;
drop index app.idempotency_keys_of_message;
drop index app.generations_of_message;
create index generations_of_message on app.generations (tenant_id, message_id);

alter table app.generation_chunks drop column user_id, add foreign key (tenant_id) references app.tenants (id);
alter table app.tracking_outbox add foreign key (tenant_id) references app.tenants (id);
alter table app.idempotency_keys
  drop constraint idempotency_keys_tenant_id_user_id_message_id_fkey,
  add foreign key (tenant_id, message_id) references app.messages (tenant_id, id) on delete cascade,
  add foreign key (tenant_id) references app.tenants (id);
alter table app.generations
  drop constraint generations_tenant_id_user_id_message_id_fkey,
  add foreign key (tenant_id, message_id) references app.messages (tenant_id, id) on delete set null (message_id);
alter table app.messages
  drop constraint messages_tenant_id_user_id_conversation_id_fkey,
  add foreign key (tenant_id, conversation_id) references app.conversations (tenant_id, id) on delete cascade,
  add foreign key (tenant_id) references app.tenants (id);
alter table app.conversations add foreign key (tenant_id) references app.tenants (id);

create index messages_of_user on app.messages (tenant_id, user_id, id desc);
alter table app.messages drop constraint messages_tenant_id_user_id_id_key;
create index conversations_of_user on app.conversations (tenant_id, user_id, id desc);
alter table app.conversations drop constraint conversations_tenant_id_user_id_id_key;
