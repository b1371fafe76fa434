-- Failed logins and logins under way, for all processes together. No tenant's rows: what is counted is known before a tenant is. Keys are
-- hashes keyed by SECRET_KEY, so that no address, email or account can be read from them. Unlogged: after a crash of the server every
-- client has a fresh window.
create unlogged table meta.login_counts (
  key text collate "C" primary key check (octet_length(key) = 43),
  level double precision not null default 0 check (level >= 0),
  leak double precision not null check (leak > 0),
  at timestamptz not null default clock_timestamp(),
  empty_at timestamptz not null default clock_timestamp() + interval '5 minutes'
) with (fillfactor = 50);
comment on table meta.login_counts is 'Failures as leaky buckets; the row is the lock of its key too.';
comment on column meta.login_counts.level is 'Failures that had not leaked away at the time `at`.';
comment on column meta.login_counts.leak is 'Failures that leak away in a window.';
comment on column meta.login_counts.empty_at is 'When the row may go, up to five minutes late: so updates seldom touch its index.';
create index login_counts_empty on meta.login_counts (empty_at);

create unlogged table meta.login_attempts (
  key text collate "C" not null check (octet_length(key) = 43),
  id uuid not null,
  expires_at timestamptz not null,
  taken boolean not null default false,
  primary key (key, id)
) with (fillfactor = 90);
comment on table meta.login_attempts is 'Logins under way: one row for each key they count for. They count as failures until they succeed.';
comment on column meta.login_attempts.expires_at is 'When one that was not ended, its process being gone, has failed.';
comment on column meta.login_attempts.taken is 'It is a failure in the level of its key; if it succeeds after all, that is given back.';
create index login_attempts_expired on meta.login_attempts (expires_at);

create unlogged table meta.login_known (
  key text collate "C" primary key check (octet_length(key) = 43),
  until timestamptz not null
);
comment on table meta.login_known is 'Accounts that were created or logged in to from an address, for a day: one key for both.';
create index login_known_until on meta.login_known (until);
