-- What was used, by day: folded from the ledger, and read by GET /usage.

-- Not the prices, which are beside the quantities in `items`: a tenant may read this column. Written by a trigger, from `items`.
alter table app.ledger add column units jsonb not null default '{}' check (jsonb_typeof(units) = 'object');
comment on column app.ledger.units is 'The quantities of items by unit: {"input": 12, "output": 3}.';

-- For the export: in the order of time, of the tenant and of one user. The id, since rows of one transaction have one time.
drop index app.ledger_of_time;
create index ledger_of_time on app.ledger (tenant_id, at, id);
create index ledger_of_user on app.ledger (tenant_id, user_id, at, id);

create table app.usage_days (
  tenant_id uuid not null references app.tenants (id),
  grain text not null check (grain in ('user', 'model', 'both')),
  day date not null,
  user_id uuid not null,
  key_id uuid not null,
  model text not null check (char_length(model) <= 200),
  door text not null check (char_length(door) <= 50),
  requests bigint not null,
  errors bigint not null,
  unpriced bigint not null,
  counts jsonb not null check (jsonb_typeof(counts) = 'object'),
  tenant_amount numeric not null,
  provider_amount numeric not null,
  -- The user first: their own days are one range, and those of the tenant have an index of their own.
  primary key (tenant_id, grain, user_id, day, key_id, model, door)
) with (fillfactor = 70);
comment on table app.usage_days is
  'Sums over app.ledger, but for the rows that app.usage_queue names. Can be built again: npm run ledger:check -- --rebuild.';
comment on column app.usage_days.grain is
  'Each entry is in three sums: by user and key; by model and door; and by both, for reports that need both, which are many times more.';
comment on column app.usage_days.day is 'Of the ledger''s time, in UTC.';
comment on column app.usage_days.user_id is 'All zeros: of no user, or the grain is model. Likewise key_id: a login.';
comment on column app.usage_days.door is 'The source of the generation, or correction. Empty, as the model: the grain is user.';
comment on column app.usage_days.errors is 'Answers that failed or were interrupted.';
comment on column app.usage_days.unpriced is 'Answers of which a price or a count is not known.';
comment on column app.usage_days.counts is
  'Quantities by unit; and latency/N and first_token/N: completed answers whose end or first token came so long after the request, by bucket of app.latency_bucket. One map, since each that is added to takes 20 µs.';
create index usage_days_of_day on app.usage_days (tenant_id, grain, day);
