-- breaking
-- Deleting marks, in constant time, and a job removes what is marked. A program from before deletes rows by itself, which the room
-- must not any more, and does not know that a row can be busy.

-- What is deleted and not removed yet. One row hides a user with everything that is theirs, a conversation with its messages, or a
-- message: sql/policies/25_deleted.sql. The row goes when the last of it is removed.
create table app.deletions (
  tenant_id uuid not null references app.tenants (id),
  id uuid not null,
  kind text not null check (kind in ('user', 'conversation', 'message')),
  user_id uuid not null,
  deleted_at timestamptz not null default now(),
  worked_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
comment on table app.deletions is 'What is deleted: hidden from the moment this row is there, removed in batches by work.purge.';
comment on column app.deletions.id is 'Of the user, conversation or message. No foreign key: there is one table for each kind.';
comment on column app.deletions.user_id is 'Whose it is.';
comment on column app.deletions.worked_at is 'When a batch of it was last removed: what waited longest comes next, so that a large one keeps nobody waiting.';
-- No index by worked_at: the table is small, and every row that is read looks its primary key up here; with a second index a planner
-- that believes the table empty may read all of that one instead.

-- A user's row has the mark too: every request reads it, and the address is free again at once.
alter table app.users add column deleted_at timestamptz;
comment on column app.users.deleted_at is 'Set with their row in app.deletions. Their address can be registered again.';
alter table app.users drop constraint users_tenant_id_email_key;
create unique index users_tenant_id_email_key on app.users (tenant_id, email) where deleted_at is null;
-- For the rule that one of them stays.
create index users_admins on app.users (tenant_id) where role = 'admin' and status = 'active' and deleted_at is null;

-- Locks that go with a transaction, one row each. Not advisory locks: whoever knows their keys can hold them, and hashed keys collide.
create table meta.locks (
  name text primary key,
  held boolean not null default true check (held)
);
comment on table meta.locks is 'Held by select … for update. The column is there for the right that takes.';
insert into meta.locks (name) values ('traces');

-- What a chunk belongs to, so that whether it is hidden asks no other table about every chunk.
alter table app.generation_chunks no force row level security;
alter table app.generations no force row level security;
alter table app.generation_chunks add column message_id uuid, add column conversation_id uuid;
update app.generation_chunks c set message_id = g.message_id, conversation_id = g.conversation_id
from app.generations g where g.tenant_id = c.tenant_id and g.id = c.generation_id;
