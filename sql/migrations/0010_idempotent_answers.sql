-- What a request that creates something was answered, under the Idempotency-Key it came with: sent again, it gets this answer and creates
-- nothing. Written in the transaction that creates, so that there is never one without the other. Questions have app.idempotency_keys.
create table app.idempotent_answers (
  tenant_id uuid not null references app.tenants (id),
  owner text not null generated always as (coalesce(user_id::text, 'guest')) stored,
  key text not null check (char_length(key) <= 400),
  user_id uuid,
  body_hash text not null check (char_length(body_hash) <= 100),
  answer jsonb,
  created_at timestamptz not null default now(),
  primary key (tenant_id, owner, key),
  foreign key (tenant_id, user_id) references app.users (tenant_id, id) on delete cascade
);
comment on table app.idempotent_answers is 'Kept for a day.';
comment on column app.idempotent_answers.owner is 'Whose key it is: a user may use one that another user has used.';
comment on column app.idempotent_answers.key is 'The operation and the key; of a guest, a keyed hash of them and of the network the request came from.';
comment on column app.idempotent_answers.user_id is 'Null: a guest, who has no account yet.';
comment on column app.idempotent_answers.body_hash is 'A keyed hash, since a password may be in the body.';
comment on column app.idempotent_answers.answer is 'Null only within the transaction that creates.';
create index idempotent_answers_of_user on app.idempotent_answers (tenant_id, user_id);
-- For the sweeper, across tenants.
create index idempotent_answers_old on app.idempotent_answers (created_at, tenant_id);
