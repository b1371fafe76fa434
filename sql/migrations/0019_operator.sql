-- The operator, who runs the installation: tokens, plans, what was done, and what was erased. None of it is a tenant's content. The schema
-- is made in sql/roles/20_database.sql.

create table operator.tokens (
  id uuid primary key,
  name text not null check (char_length(name) <= 200 and name ~ '[^ ]'),
  hash bytea not null unique check (octet_length(hash) = 32),
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz
);
comment on table operator.tokens is 'Every function of schema operator that a login may call wants one of these.';
comment on column operator.tokens.hash is 'SHA-256 of the whole token. It has 256 random bits, so a slow hash would protect nothing more.';
comment on column operator.tokens.last_used_at is 'Written at most once a minute.';

create table operator.plans (
  id uuid primary key,
  name text not null unique check (char_length(name) <= 100 and name ~ '[^ ]'),
  limits jsonb not null default '{}' check (jsonb_typeof(limits) = 'object' and octet_length(limits::text) <= 65536),
  models text[] check (cardinality(models) <= 1000),
  markup numeric not null default 1 check (markup >= 0 and markup <= 1000 and scale(markup) <= 6),
  content_days_at_most integer check (content_days_at_most between 0 and 36500),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
comment on table operator.plans is 'What tenants may use and what it costs them. Copied to app.limits and app.tenants of the tenants that have it.';
comment on column operator.plans.limits is
  '{"tenant", "user", "key": {"limits", "budget"}, "models": {<name>: {"limits"}}}, as in the API; user and key: each by itself.';
comment on column operator.plans.models is 'Models that may be asked; null: all.';
comment on column operator.plans.content_days_at_most is
  'Questions and answers are kept no longer than that; 0: not at all; null: as long as the tenant''s admins decide.';

create table operator.events (
  id uuid primary key,
  at timestamptz not null default clock_timestamp(),
  token_id uuid references operator.tokens (id),
  action text not null check (char_length(action) between 1 and 100),
  tenant_id uuid,
  target_kind text,
  target_id uuid,
  request_id text check (char_length(request_id) <= 200),
  detail jsonb not null default '{}' check (jsonb_typeof(detail) = 'object')
);
comment on table operator.events is 'What the operator did. Append only, written in the transaction of the deed.';
comment on column operator.events.token_id is 'With which token; null: a command with the administrator''s connection.';
create index events_of_tenant on operator.events (tenant_id, id);

create table operator.erasures (
  tenant_id uuid primary key,
  token_id uuid references operator.tokens (id),
  begun_at timestamptz not null default now(),
  ended_at timestamptz,
  counts jsonb not null default '{}' check (jsonb_typeof(counts) = 'object')
);
comment on table operator.erasures is 'The receipt of each tenant that was erased.';
comment on column operator.erasures.counts is 'How many rows of each table were removed.';
comment on column operator.erasures.ended_at is 'When nothing was left. Null: rows are being removed.';

-- No foreign key: a plan is no tenant's.
alter table app.tenants
  add column plan_id uuid,
  add column models text[] check (cardinality(models) <= 1000),
  add column content_days_at_most integer check (content_days_at_most between 0 and 36500),
  drop constraint tenants_status_check,
  add constraint tenants_status_check check (status in ('active', 'suspended', 'erased'));
comment on column app.tenants.plan_id is 'Of operator.plans; null: none, and nothing is limited by one.';
comment on column app.tenants.models is 'Models that may be asked, of the plan; null: all.';
comment on column app.tenants.content_days_at_most is 'Of the plan: the admins may keep content for a shorter time, and for no longer one.';
comment on column app.tenants.status is
  'suspended: nobody of this tenant enters, from the very next request. erased: likewise, for good; its content, users and keys are removed.';
-- For a plan that changed, and for the operator's list.
create index tenants_of_plan on app.tenants (plan_id, id) where plan_id is not null;
-- For operator.carry_on, across tenants.
create index tenants_not_active on app.tenants (id) where status <> 'active';
