-- Accounts of one person in several tenants: those whose password was given in a session, and which it may lead to without another. Outside of
-- the tenants: a row names two of them, and neither is told of the other.
create table meta.proven_accounts (
  tenant_id uuid not null,
  session_id uuid not null,
  account_tenant uuid not null,
  account_user uuid not null,
  token_epoch integer not null,
  proven_at timestamptz not null default now(),
  primary key (tenant_id, session_id, account_tenant, account_user),
  foreign key (tenant_id, session_id) references app.sessions (tenant_id, id) on delete cascade,
  check (tenant_id <> account_tenant)
);
comment on table meta.proven_accounts is 'Read and written by functions of auth alone. Removed with the session.';
comment on column meta.proven_accounts.token_epoch is 'Of the account when it was proven. A changed password there ends this.';
