-- Sessions: a login that refresh tokens renew. Access tokens of a session name it, and end with it.

create table app.sessions (
  tenant_id uuid not null,
  id uuid not null,
  user_id uuid not null,
  method text not null check (method ~ '^[a-z_]{1,40}$'),
  token_epoch integer not null,
  secret_hash bytea not null check (octet_length(secret_hash) = 32),
  rotations integer not null default 0,
  rotated_at timestamptz,
  device text check (char_length(device) <= 200),
  address text check (char_length(address) <= 64),
  created_at timestamptz not null default now(),
  last_used_at timestamptz not null default now(),
  idle_until timestamptz not null,
  ends_at timestamptz not null,
  ended_at timestamptz,
  ended_reason text check (ended_reason ~ '^[a-z_]{1,40}$'),
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references app.users (tenant_id, id) on delete cascade,
  constraint sessions_idle_before_end check (idle_until <= ends_at),
  constraint sessions_reason_of_end check ((ended_at is null) = (ended_reason is null))
);
comment on column app.sessions.method is 'How the login was proven: password, sso, passkey …';
comment on column app.sessions.token_epoch is 'Of the user when it began, or when its own user changed the password in it. Of another epoch it renews nothing.';
comment on column app.sessions.secret_hash is 'SHA-256 of the current refresh token. It has 256 random bits, so a slow hash would protect nothing more.';
comment on column app.sessions.rotations is 'How many refresh tokens were replaced.';
comment on column app.sessions.rotated_at is 'When the current refresh token was made; null: with the session.';
comment on column app.sessions.device is 'The User-Agent of the login, cut to 200 characters.';
comment on column app.sessions.address is 'Of the client that logged in or last renewed it: an IPv4 address, or an IPv6 /64.';
comment on column app.sessions.last_used_at is 'When it was last renewed.';
comment on column app.sessions.idle_until is 'It ends then, unless it is renewed before; never later than ends_at.';
-- For the list of a user, and for what ends all of them; the other one for the removal of a user.
create index sessions_open on app.sessions (tenant_id, user_id, id) where ended_at is null;
create index sessions_of_user on app.sessions (tenant_id, user_id, id);
-- For auth.renew_session alone, which knows only a hash: see api_keys_secret.
create index sessions_secret on app.sessions (secret_hash, tenant_id) where octet_length(secret_hash) = 32;
-- For the removal of those that are long over, across tenants.
create index sessions_over on app.sessions (coalesce(ended_at, idle_until), tenant_id);

-- Refresh tokens that were replaced. One that comes again, later than an answer can be lost, is in two hands.
create table app.session_tokens (
  tenant_id uuid not null,
  session_id uuid not null,
  place integer not null,
  hash bytea not null check (octet_length(hash) = 32),
  primary key (tenant_id, session_id, place),
  foreign key (tenant_id, session_id) references app.sessions (tenant_id, id) on delete cascade
);
comment on column app.session_tokens.place is 'Its number in the session: 0 for the first token.';
create index session_tokens_hash on app.session_tokens (hash, tenant_id) where octet_length(hash) = 32;
