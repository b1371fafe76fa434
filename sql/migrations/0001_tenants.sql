-- Tenants, their users, and what was done to them. `tenant_id` leads every key, foreign keys are composite with it, and nothing is
-- unique across tenants: unique and foreign-key checks see through row-level security and would answer questions about strangers.

create table app.tenants (
  id uuid primary key,
  name text not null,
  status text not null default 'active',
  registration text not null default 'open',
  -- Set once, by whoever registers first, who thereby becomes the admin.
  bootstrapped_at timestamptz,
  created_at timestamptz not null default now(),
  constraint tenants_name_is_a_line check (length(name) between 1 and 200 and name !~ '[[:cntrl:]]'),
  constraint tenants_status_is_known check (status in ('active', 'suspended')),
  constraint tenants_registration_is_known check (registration in ('open', 'closed'))
);
comment on table app.tenants is 'Customers of the installation.';

create table app.users (
  tenant_id uuid not null references app.tenants (id),
  id uuid not null,
  email text not null,
  role text not null default 'user',
  status text not null default 'active',
  -- Tokens issued before this moment are refused.
  tokens_valid_after timestamptz not null default '-infinity',
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  constraint users_tenant_id_email_key unique (tenant_id, email),
  constraint users_email_is_normal check (length(email) between 3 and 254 and email = lower(email) and email !~ '[[:cntrl:][:space:]]'),
  constraint users_role_is_known check (role in ('admin', 'user')),
  constraint users_status_is_known check (status in ('active', 'disabled'))
);
comment on table app.users is 'People of a tenant.';
-- For auth.login_candidates, which knows an email and no tenant.
create index users_by_email on app.users (email, tenant_id);
-- For counting a tenant's active admins.
create index users_admins on app.users (tenant_id) where role = 'admin' and status = 'active';

-- Apart from users, so that a role can be given the one without the other: inside a room nobody reads a hash.
create table app.credentials (
  tenant_id uuid not null,
  user_id uuid not null,
  password_hash text not null,
  updated_at timestamptz not null default now(),
  primary key (tenant_id, user_id),
  foreign key (tenant_id, user_id) references app.users (tenant_id, id) on delete cascade,
  constraint credentials_are_argon2id check (password_hash like '$argon2id$%')
);
comment on table app.credentials is 'Password hashes (argon2id).';

-- No foreign key to users: the event of a user's deletion outlives the user.
create table app.audit_events (
  tenant_id uuid not null references app.tenants (id),
  id uuid not null default gen_random_uuid(),
  at timestamptz not null default clock_timestamp(),
  actor_user_id uuid,
  action text not null,
  target_kind text not null,
  target_id uuid,
  request_id text not null,
  detail jsonb not null default '{}',
  primary key (tenant_id, id),
  constraint audit_events_action_is_a_name check (action ~ '^[a-z_]{1,40}[.][a-z_]{1,40}$'),
  constraint audit_events_request_is_short check (length(request_id) <= 200)
);
comment on table app.audit_events is 'Who did what to whom, written in the transaction of the deed. Append only.';
create index audit_events_by_time on app.audit_events (tenant_id, at desc, id desc);
