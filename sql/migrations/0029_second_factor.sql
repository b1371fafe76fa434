-- Second factors: one-time codes (TOTP, RFC 6238), passkeys (WebAuthn) and recovery codes; and what a tenant asks of logins.

alter table app.tenants
  add column second_factor text not null default 'optional' check (second_factor in ('optional', 'admins', 'everybody')),
  add column second_factor_after_sso boolean not null default false,
  add column tenant_switch boolean not null default true;
comment on column app.tenants.second_factor is 'Who must have one: those who have none are led to it by their next login.';
comment on column app.tenants.second_factor_after_sso is 'Whether single sign-on is asked for it too; else the identity provider answers for that.';
comment on column app.tenants.tenant_switch is 'Whether a login elsewhere may be switched to an account here.';

create table app.factors (
  tenant_id uuid not null,
  id uuid not null,
  user_id uuid not null,
  kind text not null check (kind in ('totp', 'passkey')),
  name text not null check (char_length(name) <= 200),
  created_at timestamptz not null default now(),
  confirmed_at timestamptz,
  last_used_at timestamptz,
  credential_id bytea check (octet_length(credential_id) between 1 and 1023),
  public_key bytea check (octet_length(public_key) between 1 and 4096),
  sign_count bigint check (sign_count >= 0),
  transports text[] check (cardinality(transports) <= 10),
  backed_up boolean,
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references app.users (tenant_id, id) on delete cascade,
  constraint factors_passkey check (
    kind <> 'passkey' or num_nulls(credential_id, public_key, sign_count, transports, backed_up, confirmed_at) = 0
  )
);
comment on column app.factors.confirmed_at is 'Null: one-time codes of which none was given yet. They count for nothing.';
comment on column app.factors.sign_count is 'Of a passkey: its counter at the last use; 0 where it keeps none.';
comment on column app.factors.backed_up is 'Whether the passkey is kept at more places than one device.';
create index factors_of_user on app.factors (tenant_id, user_id, id);
create unique index factors_credential on app.factors (tenant_id, user_id, credential_id) where kind = 'passkey';

-- Apart from app.factors, which admins read: nobody but their user reads these, and they are encrypted.
create table app.totp_secrets (
  tenant_id uuid not null,
  factor_id uuid not null,
  user_id uuid not null,
  key_version integer not null,
  sealed bytea not null check (octet_length(sealed) between 29 and 256),
  last_step bigint not null default 0,
  failures integer not null default 0,
  whole_at timestamptz not null default '-infinity',
  primary key (tenant_id, factor_id),
  foreign key (tenant_id, factor_id) references app.factors (tenant_id, id) on delete cascade,
  foreign key (tenant_id, user_id) references app.users (tenant_id, id) on delete cascade,
  foreign key (tenant_id, key_version) references app.tenant_keys (tenant_id, version)
);
comment on column app.totp_secrets.sealed is 'The secret by AES-256-GCM: nonce (12), encrypted secret, tag (16). Associated data: tenant, factor_id, key_version.';
comment on column app.totp_secrets.last_step is 'The time step of the last code that was taken: a code is taken once, and none before it.';
comment on column app.totp_secrets.failures is 'Wrong codes since the last right one.';
comment on column app.totp_secrets.whole_at is 'When the account has all its tries again.';

create table app.recovery_codes (
  tenant_id uuid not null,
  user_id uuid not null,
  code_hash bytea not null check (octet_length(code_hash) = 32),
  created_at timestamptz not null default now(),
  used_at timestamptz,
  primary key (tenant_id, user_id, code_hash),
  foreign key (tenant_id, user_id) references app.users (tenant_id, id) on delete cascade
);
comment on column app.recovery_codes.code_hash is 'SHA-256 of the code, which has 125 random bits.';

create table app.login_challenges (
  tenant_id uuid not null,
  id uuid not null,
  user_id uuid not null,
  ends_at timestamptz not null,
  tries integer not null default 0,
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references app.users (tenant_id, id) on delete cascade
);
comment on table app.login_challenges is 'Logins that wait for a second factor. A row goes with its success: a challenge is answered once.';
create index login_challenges_of_user on app.login_challenges (tenant_id, user_id, ends_at);
