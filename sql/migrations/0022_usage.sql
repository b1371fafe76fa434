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
  day date not null,
  user_id uuid not null,
  key_id uuid not null,
  model text not null check (char_length(model) <= 200),
  door text not null check (char_length(door) <= 50),
  requests bigint not null,
  errors bigint not null,
  units jsonb not null check (jsonb_typeof(units) = 'object'),
  latency jsonb not null check (jsonb_typeof(latency) = 'object'),
  first_token jsonb not null check (jsonb_typeof(first_token) = 'object'),
  tenant_amount numeric not null,
  provider_amount numeric not null,
  -- The user first: their own days are one range, and those of the tenant have an index of their own.
  primary key (tenant_id, user_id, day, key_id, model, door)
) with (fillfactor = 70);
comment on table app.usage_days is
  'Sums over app.ledger, but for the rows that app.usage_queue names. Can be built again: npm run ledger:check -- --rebuild.';
comment on column app.usage_days.day is 'Of the ledger''s time, in UTC.';
comment on column app.usage_days.user_id is 'All zeros: of no user. Likewise key_id: a login.';
comment on column app.usage_days.door is 'The source of the generation, or correction.';
comment on column app.usage_days.errors is 'Answers that failed or were interrupted.';
comment on column app.usage_days.latency is
  'Of completed answers, from the request to the end: how many in each bucket of app.latency_bucket. Likewise first_token.';
create index usage_days_of_day on app.usage_days (tenant_id, day);
