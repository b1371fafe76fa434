-- Limits, budgets and the ledger: what may be used, what is used now, and what it cost.

-- What may be used. Rows exist only where something is limited.
create table app.limits (
  tenant_id uuid not null references app.tenants (id),
  subject text not null
    check (subject in ('tenant', 'user', 'key') or subject ~ '^(user|key):[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' or subject ~ '^model:.{1,200}$'),
  requests_per_minute integer check (requests_per_minute between 0 and 1000000),
  tokens_per_minute bigint check (tokens_per_minute between 0 and 1000000000000),
  concurrent integer check (concurrent between 0 and 100000),
  budget numeric check (budget >= 0 and budget < 1e12 and scale(budget) <= 18),
  budget_period text check (budget_period in ('day', 'week', 'month', 'total')),
  alert_at integer[] not null default '{50,80,100}' check (cardinality(alert_at) <= 10 and 1 <= all (alert_at) and 1000 >= all (alert_at)),
  by_admin boolean not null default false,
  updated_at timestamptz not null default now(),
  primary key (tenant_id, subject),
  constraint limits_budget_of_period check ((budget is null) = (budget_period is null))
);
comment on table app.limits is 'A limit that is null is not set. Where a user or key has its own and the plan one for each, the lower holds.';
comment on column app.limits.subject is
  'tenant: all of it together; user, key: each user or key by itself, as the plan says; user:<id>, key:<id>: this one; model:<name>: the tenant''s questions to this model.';
comment on column app.limits.budget is 'US dollars in a period: a calendar day, week (from Monday) or month in UTC, or in total.';
comment on column app.limits.by_admin is 'Set by an admin: the user of the key cannot change it.';
comment on column app.limits.alert_at is 'Percent of the budget at which an audit event is written.';

-- When a subject's allowance is whole again: the generic cell rate algorithm, one time for each resource. The row is also the lock under
-- which a subject's admissions follow each other. Unlogged: after a crash of the server everybody has a fresh minute.
create unlogged table app.rates (
  tenant_id uuid not null,
  subject text not null,
  requests_at timestamptz not null default '-infinity',
  tokens_at timestamptz not null default '-infinity',
  primary key (tenant_id, subject)
) with (fillfactor = 50);

create table app.budget_periods (
  tenant_id uuid not null references app.tenants (id),
  subject text not null,
  period text not null check (period in ('day', 'week', 'month', 'total')),
  starts_at timestamptz not null,
  reserved numeric not null default 0,
  spent numeric not null default 0,
  alerted integer not null default 0,
  primary key (tenant_id, subject, period, starts_at)
) with (fillfactor = 50);
comment on table app.budget_periods is 'US dollars of a budget that are spent, or reserved for answers that run. What ended since is in app.counter_changes.';
comment on column app.budget_periods.alerted is 'Highest percentage at which an event was written.';

-- What ended answers change in the two tables above: inserted without a lock when the answer ends, and taken in by the next admission of the
-- same subject. So no end of an answer waits for an admission.
create table app.counter_changes (
  tenant_id uuid not null,
  subject text not null,
  period text not null check (period in ('minute', 'day', 'week', 'month', 'total')),
  generation_id uuid not null,
  starts_at timestamptz,
  released numeric not null default 0,
  spent numeric not null default 0,
  tokens bigint not null default 0,
  at timestamptz not null default now(),
  primary key (tenant_id, subject, period, generation_id)
);
comment on column app.counter_changes.period is 'minute: of tokens a minute; else of the budget of this period, which began at starts_at.';
comment on column app.counter_changes.tokens is 'Tokens used beyond those estimated at admission; negative: fewer.';
-- For those that no admission takes in, across tenants.
create index counter_changes_at on app.counter_changes (at, tenant_id);

-- One row for each ended answer, its id the generation's; and one for each correction. US dollars, to the last digit. Three postings that
-- sum to zero: what the tenant owes, what is owed to the provider (negative), and the margin (negative where there is one).
create table app.ledger (
  tenant_id uuid not null references app.tenants (id),
  id uuid not null,
  kind text not null check (kind in ('usage', 'correction')),
  generation_id uuid,
  user_id uuid,
  key_id uuid,
  provider text not null check (char_length(provider) <= 100),
  model text not null check (char_length(model) <= 200),
  items jsonb not null default '[]' check (jsonb_typeof(items) = 'array' and octet_length(items::text) <= 65536),
  tenant_amount numeric not null,
  provider_amount numeric not null,
  margin_amount numeric not null,
  note text check (char_length(note) <= 1000),
  made_by text check (char_length(made_by) <= 200),
  at timestamptz not null default now(),
  primary key (tenant_id, id),
  constraint ledger_sums_to_zero check (tenant_amount + provider_amount + margin_amount = 0),
  constraint ledger_usage_of_generation check (kind <> 'usage' or generation_id = id)
);
comment on table app.ledger is 'Never updated and never deleted, by any role: a correction is a row of its own.';
comment on column app.ledger.items is
  'What was used: [{"attempt", "unit", "quantity", "price_id", "price"}]; price: US dollars for one unit, a decimal as text; null: not known, or paid by the tenant''s own key. Units are disjoint.';
comment on column app.ledger.generation_id is 'No foreign key: it is written with its end, from its own row, which is never deleted.';
create index ledger_of_time on app.ledger (tenant_id, at);

-- Rows of the ledger that app.usage_days does not have yet.
create table app.usage_queue (
  tenant_id uuid not null,
  ledger_id uuid not null,
  primary key (tenant_id, ledger_id)
);

alter table app.generations
  alter column cost_usd type numeric,
  add column admission jsonb check (jsonb_typeof(admission) = 'object' and octet_length(admission::text) <= 8192),
  add column counted boolean not null default false;
comment on column app.generations.counted is 'Whether a limit of concurrent answers held when it was admitted: it is counted until it ends.';
create index generations_counted on app.generations (tenant_id, lease_until) where status = 'streaming' and counted;
comment on column app.generations.cost_usd is 'What the tenant owes for it, US dollars; null: a price or a count is not known.';
comment on column app.generations.admission is
  'What it took at its admission, and while it runs what it costs if its process is lost: {"taken": [{"subject", "period", "starts_at", "reserved", "tokens"}], "prices": {"input": {"price_id", "price"}, "output"}}.';

alter table app.tenants
  add column markup numeric not null default 1 check (markup >= 0 and markup <= 1000 and scale(markup) <= 6);
comment on column app.tenants.markup is 'What the tenant owes for one dollar of the provider''s price.';
