-- API keys, for customers' programs, and service accounts, which own keys that outlive any person.

-- A service account is a user: rows of every table belong to a user, and enter, wall, limits and accounts of answers hold for it as they
-- are. It has no credentials, so that no password leads to it, and an address in `.invalid` (RFC 2606), to which no mail can go.
alter table app.users
  add column kind text not null default 'person' check (kind in ('person', 'service')),
  add column name text check (char_length(name) <= 200),
  add constraint users_name_of_service check ((kind = 'service') = (name is not null));
comment on column app.users.kind is 'service: a service account. No login, not in the list of users, not counted as an admin who stays.';
comment on column app.users.name is 'Of a service account.';
-- Lists are of one kind.
create index users_of_kind on app.users (tenant_id, kind, id);
drop index app.users_admins;
create index users_admins on app.users (tenant_id)
  where role = 'admin' and status = 'active' and kind = 'person' and deleted_at is null;

create table app.api_keys (
  tenant_id uuid not null,
  id uuid not null,
  user_id uuid not null,
  public_id text not null check (public_id ~ '^[0-9A-Za-z]{16}$'),
  secret_hash bytea not null check (octet_length(secret_hash) = 32),
  previous_hash bytea check (octet_length(previous_hash) = 32),
  previous_until timestamptz,
  name text not null check (char_length(name) <= 200),
  scopes text[] not null check (cardinality(scopes) <= 20),
  models text[] check (cardinality(models) <= 100),
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object' and octet_length(metadata::text) <= 65536),
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  disabled_at timestamptz,
  revoked_at timestamptz,
  rotated_at timestamptz,
  last_used_at timestamptz,
  refused_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references app.users (tenant_id, id) on delete cascade
);
comment on column app.api_keys.user_id is 'Whom the key acts as: a person, or a service account.';
comment on column app.api_keys.public_id is 'The readable part of the key, as it is shown in lists.';
comment on column app.api_keys.secret_hash is 'SHA-256 of the whole key. It has 256 random bits, so a slow hash would protect nothing more.';
comment on column app.api_keys.previous_hash is 'Of the secret before the last rotation, good until previous_until. Written by a trigger.';
comment on column app.api_keys.models is 'Models it may ask; null: all.';
comment on column app.api_keys.revoked_at is 'Deleted. The row is kept for 30 days, so that a use of it is noticed, and is in no list.';
comment on column app.api_keys.last_used_at is 'Written at most once a minute, and some seconds later.';
comment on column app.api_keys.refused_at is 'When a use of it, after it had ended, was last written into the audit log: at most once a minute.';
-- For the list of a user.
create index api_keys_of_user on app.api_keys (tenant_id, user_id, id);
-- For auth.api_key alone, which knows only a hash. Not unique: see the lint unique_without_tenant. The condition is true of every row, and
-- stated by that function only: else a planner that believes the table empty took this index for a key looked up by its id, and read the
-- keys of all tenants.
create index api_keys_secret on app.api_keys (secret_hash, tenant_id) where octet_length(secret_hash) = 32;
create index api_keys_previous on app.api_keys (previous_hash, tenant_id) where previous_hash is not null;
-- For the removal of old ones, across tenants.
create index api_keys_revoked on app.api_keys (revoked_at, tenant_id) where revoked_at is not null;

-- No foreign key: the account of an answer outlives the key.
alter table app.generations add column key_id uuid;
comment on column app.generations.key_id is 'The API key it was asked with; null: a login.';
create index generations_of_key on app.generations (tenant_id, key_id, created_at) where key_id is not null;
