-- What hangs together belongs to one user, not only to one tenant: a message to its user's conversation, a generation and a key to
-- their user's message. The unique keys cost nothing more: they replace the indexes that lists were read by.

-- Checking what is there already, the owner has to see it. Nobody else can: the policies are away, and the wall comes back with them.
alter table app.conversations no force row level security;
alter table app.messages no force row level security;
alter table app.generations no force row level security;
alter table app.generation_chunks no force row level security;
alter table app.idempotency_keys no force row level security;

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

-- Their other foreign key says already that there is such a tenant. Each of these locked the tenant's row once more for every row.
alter table app.conversations drop constraint conversations_tenant_id_fkey;
alter table app.messages drop constraint messages_tenant_id_fkey;
alter table app.idempotency_keys drop constraint idempotency_keys_tenant_id_fkey;
alter table app.tracking_outbox drop constraint tracking_outbox_tenant_id_fkey;

-- Whose a chunk is, so that reading an answer as it comes asks no other table about every chunk: 200 of them were 1,000 pages a poll.
alter table app.generation_chunks drop constraint generation_chunks_tenant_id_fkey, add column user_id uuid;
update app.generation_chunks c set user_id = g.user_id from app.generations g where g.tenant_id = c.tenant_id and g.id = c.generation_id;
alter table app.generation_chunks alter column user_id set not null;

-- Without the accounts of messages that are gone: newest first, they would all come before the first that is there.
drop index app.generations_of_message;
create index generations_of_message on app.generations (tenant_id, message_id) where message_id is not null;

-- For a message that is deleted, and for a key whose question failed.
create index idempotency_keys_of_message on app.idempotency_keys (tenant_id, message_id);
-- For the sweeper, across tenants.
create index idempotency_keys_old on app.idempotency_keys (created_at, tenant_id);
