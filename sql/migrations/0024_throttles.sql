-- How often an address did something before a tenant was known, for all processes together. No tenant's rows.
create unlogged table meta.throttles (
  key text primary key check (octet_length(key) = 43),
  whole_at timestamptz not null default '-infinity'
) with (fillfactor = 50);
comment on table meta.throttles is 'Unlogged: after a crash of the server everybody has a fresh window.';
comment on column meta.throttles.key is 'Keyed hash of what is counted and of the address: by SECRET_KEY, so that no address can be read from it.';
comment on column meta.throttles.whole_at is 'When the allowance is whole again.';
create index throttles_whole on meta.throttles (whole_at);
