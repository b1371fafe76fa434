-- Tenants, their users, and what happened. tenant_id leads every key, and nothing is unique across tenants: unique and
-- foreign-key checks look past row-level security, so a global one would answer questions about other tenants.
-- Ids are UUIDv7, made by the program. Row-level security is switched on for every table by policies/10_wall.sql.
-- The checks are no stricter than the program's own (domain/Tenant, domain/User): they are the second line, not a second opinion.

create table app.tenants (
  id uuid primary key,
  name text not null check (char_length(name) <= 200 and name ~ '[^ ]' and name !~ '[\u0001-\u001f\u007f-\u009f]'),
  status text not null default 'active' check (status in ('active', 'suspended')),
  registration text not null default 'open' check (registration in ('open', 'closed')),
  bootstrapped_at timestamptz,
  created_at timestamptz not null default now()
);
comment on column app.tenants.status is 'suspended: nobody of this tenant enters, from the very next request.';
comment on column app.tenants.registration is 'closed: only admins create accounts. The very first user may register all the same.';
comment on column app.tenants.bootstrapped_at is 'When the first user registered and became admin. Set once: it decides who was first.';

create table app.users (
  tenant_id uuid not null references app.tenants (id),
  id uuid not null,
  email text not null check (char_length(email) between 3 and 254 and email ~ '^[^@ ]+@[^@ ]+$' and email !~ '[A-Z]'),
  role text not null check (role in ('admin', 'user')),
  status text not null default 'active' check (status in ('active', 'disabled')),
  tokens_valid_after timestamptz not null default '-infinity',
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, email)
);
comment on column app.users.tokens_valid_after is 'Tokens issued in an earlier second are refused. A password change moves it.';

-- For auth.login_candidates alone, which knows only an address.
create index users_email on app.users (email, tenant_id);

-- Apart from users, so that the right to read a user is never the right to read a hash.
create table app.credentials (
  tenant_id uuid not null,
  user_id uuid not null,
  password_hash text not null check (password_hash like '$argon2id$%'),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, user_id),
  foreign key (tenant_id, user_id) references app.users (tenant_id, id) on delete cascade
);

-- No foreign key to users: what somebody did is still true after they are gone.
create table app.audit_events (
  tenant_id uuid not null references app.tenants (id),
  id uuid not null,
  at timestamptz not null default clock_timestamp(),
  actor_user_id uuid,
  action text not null check (char_length(action) between 1 and 100),
  target_kind text,
  target_id uuid,
  request_id text check (char_length(request_id) <= 200),
  detail jsonb not null default '{}' check (jsonb_typeof(detail) = 'object'),
  primary key (tenant_id, id)
);
comment on table app.audit_events is 'Append only, written in the transaction of the deed.';
comment on column app.audit_events.actor_user_id is 'Who did it; null where nobody had logged in yet.';
