-- What hangs together belongs to one user, not only to one tenant: a message to its user's conversation, a generation and a key to
-- their user's message. The unique keys cost nothing more: they replace the indexes that lists were read by.

alter table app.conversations add unique (tenant_id, user_id, id);
drop index app.conversations_of_user;
alter table app.messages add unique (tenant_id, user_id, id);
drop index app.messages_of_user;

alter table app.messages
  drop constraint messages_tenant_id_conversation_id_fkey,
  add foreign key (tenant_id, user_id, conversation_id) references app.conversations (tenant_id, user_id, id) on delete cascade;
alter table app.generations
  drop constraint generations_tenant_id_message_id_fkey,
  add foreign key (tenant_id, user_id, message_id) references app.messages (tenant_id, user_id, id) on delete set null (message_id);
alter table app.idempotency_keys
  drop constraint idempotency_keys_tenant_id_message_id_fkey,
  add foreign key (tenant_id, user_id, message_id) references app.messages (tenant_id, user_id, id) on delete cascade;

-- For a message that is deleted, and for a key whose question failed.
create index idempotency_keys_of_message on app.idempotency_keys (tenant_id, message_id);
-- For the sweeper, across tenants.
create index idempotency_keys_old on app.idempotency_keys (created_at, tenant_id);
