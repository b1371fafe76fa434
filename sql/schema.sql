-- The schema that sql/ makes, read back from PostgreSQL's catalogue. Written by `npm run db:schema`, compared by a test.

-- Roles

create role llm_api login noinherit connection limit 100;
  grant llm_tenant to llm_api;
  alter role llm_api set enable_bitmapscan=off;
  alter role llm_api set enable_seqscan=off;
  alter role llm_api set enable_sort=off;
  alter role llm_api set idle_in_transaction_session_timeout=10s;
  alter role llm_api set lock_timeout=3s;
  alter role llm_api set row_security=on;
  alter role llm_api set search_path=app, pg_temp;
  alter role llm_api set statement_timeout=15s;
create role llm_auditor nologin noinherit connection limit -1;
create role llm_auth nologin noinherit connection limit -1;
create role llm_backup nologin noinherit connection limit -1;
create role llm_jobs login noinherit connection limit 10;
  alter role llm_jobs set enable_bitmapscan=off;
  alter role llm_jobs set enable_hashjoin=off;
  alter role llm_jobs set enable_mergejoin=off;
  alter role llm_jobs set enable_seqscan=off;
  alter role llm_jobs set idle_in_transaction_session_timeout=30s;
  alter role llm_jobs set lock_timeout=3s;
  alter role llm_jobs set row_security=on;
  alter role llm_jobs set search_path=app, pg_temp;
  alter role llm_jobs set statement_timeout=60s;
create role llm_operator nologin noinherit connection limit -1;
create role llm_owner nologin noinherit connection limit -1;
create role llm_reader nologin noinherit connection limit -1;
create role llm_reader_content nologin noinherit connection limit -1;
create role llm_sessions nologin inherit connection limit -1;
create role llm_tenant nologin noinherit connection limit -1;
create role llm_tracking nologin noinherit connection limit -1;
create role llm_work nologin noinherit connection limit -1;

-- Schemas

create schema app authorization llm_owner;
  grant usage to llm_api;
  grant usage to llm_auditor;
  grant usage to llm_auth;
  grant usage to llm_backup;
  grant usage to llm_operator;
  grant usage to llm_reader;
  grant usage to llm_reader_content;
  grant usage to llm_tenant;
  grant usage to llm_tracking;
  grant usage to llm_work;
create schema audit authorization llm_owner;
  grant usage to llm_api;
  grant usage to llm_auditor;
  grant usage to llm_reader;
  grant usage to llm_sessions;
  grant usage to llm_tenant;
create schema auth authorization llm_owner;
  grant usage to llm_api;
  grant usage to llm_auth;
  grant usage to llm_tenant;
create schema lint authorization llm_owner;
  grant usage to llm_api;
  grant usage to llm_auditor;
  grant usage to llm_reader;
create schema meta authorization llm_owner;
  grant usage to llm_api;
  grant usage to llm_auditor;
  grant usage to llm_auth;
  grant usage to llm_backup;
  grant usage to llm_reader;
  grant usage to llm_sessions;
  grant usage to llm_tracking;
create schema operator authorization llm_owner;
  grant usage to llm_api;
  grant usage to llm_auditor;
  grant usage to llm_backup;
  grant usage to llm_operator;
  grant usage to llm_work;
create schema tracking authorization llm_owner;
  grant usage to llm_jobs;
  grant usage to llm_tracking;
create schema work authorization llm_owner;
  grant usage to llm_api;
  grant usage to llm_jobs;
  grant usage to llm_tenant;
  grant usage to llm_work;

-- Tables

create table app.api_keys (
  tenant_id uuid not null,
  id uuid not null,
  user_id uuid not null,
  public_id text not null,
  secret_hash bytea not null,
  previous_hash bytea,
  previous_until timestamp with time zone,
  name text not null,
  scopes text[] not null,
  models text[],
  metadata jsonb not null default '{}'::jsonb,
  created_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone,
  disabled_at timestamp with time zone,
  revoked_at timestamp with time zone,
  rotated_at timestamp with time zone,
  last_used_at timestamp with time zone,
  refused_at timestamp with time zone,
  constraint api_keys_pkey PRIMARY KEY (tenant_id, id),
  constraint api_keys_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES app.users(tenant_id, id) ON DELETE CASCADE,
  constraint api_keys_metadata_check CHECK (((jsonb_typeof(metadata) = 'object'::text) AND (octet_length((metadata)::text) <= 65536))),
  constraint api_keys_models_check CHECK ((cardinality(models) <= 100)),
  constraint api_keys_name_check CHECK ((char_length(name) <= 200)),
  constraint api_keys_previous_hash_check CHECK ((octet_length(previous_hash) = 32)),
  constraint api_keys_public_id_check CHECK ((public_id ~ '^[0-9A-Za-z]{16}$'::text)),
  constraint api_keys_scopes_check CHECK ((cardinality(scopes) <= 20)),
  constraint api_keys_secret_hash_check CHECK ((octet_length(secret_hash) = 32))
);
alter table app.api_keys owner to llm_owner, enable row level security, force row level security;
CREATE INDEX api_keys_of_user ON app.api_keys USING btree (tenant_id, user_id, id);
CREATE INDEX api_keys_previous ON app.api_keys USING btree (previous_hash, tenant_id) WHERE (previous_hash IS NOT NULL);
CREATE INDEX api_keys_revoked ON app.api_keys USING btree (revoked_at, tenant_id) WHERE (revoked_at IS NOT NULL);
CREATE INDEX api_keys_secret ON app.api_keys USING btree (secret_hash, tenant_id) WHERE (octet_length(secret_hash) = 32);
create policy not_deleted on app.api_keys as restrictive for select to llm_auditor, llm_reader, llm_tenant, llm_tracking
  using (( SELECT (NOT (EXISTS ( SELECT
           FROM app.deletions)))) OR (NOT (EXISTS ( SELECT
   FROM app.deletions d
  WHERE ((d.tenant_id = api_keys.tenant_id) AND (d.id = api_keys.user_id))))));
create policy own_or_admin on app.api_keys as restrictive for select to llm_tenant
  using ((user_id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text));
create policy own_or_admin_change on app.api_keys as restrictive for update to llm_tenant
  using ((revoked_at IS NULL) AND ((user_id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text)))
  with check ((user_id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text));
create policy own_or_service_add on app.api_keys as restrictive for insert to llm_tenant
  with check ((user_id = ( SELECT app.user_id() AS user_id)) OR ((( SELECT app.role() AS role) = 'admin'::text) AND (EXISTS ( SELECT
   FROM app.users u
  WHERE ((u.tenant_id = api_keys.tenant_id) AND (u.id = api_keys.user_id) AND (u.kind = 'service'::text))))));
create policy reader_wall on app.api_keys as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.api_keys as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.api_keys as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy auth_read on app.api_keys as permissive for select to llm_auth
  using true;
create policy auth_use on app.api_keys as permissive for update to llm_auth
  using true
  with check true;
create policy backup_rows on app.api_keys as permissive for select to llm_backup
  using true;
create policy operator_read on app.api_keys as permissive for select to llm_operator
  using true;
create policy reader_read on app.api_keys as permissive for select to llm_reader
  using true;
create policy tenant_rows on app.api_keys as permissive for all to llm_tenant
  using true
  with check true;
create policy work_change on app.api_keys as permissive for update to llm_work
  using true
  with check false;
create policy work_deleted on app.api_keys as permissive for delete to llm_work
  using ((revoked_at < (now() - '30 days'::interval)) OR (EXISTS ( SELECT
   FROM app.deletions d
  WHERE ((d.tenant_id = api_keys.tenant_id) AND (d.id = api_keys.user_id)))));
create policy work_rows on app.api_keys as permissive for select to llm_work
  using true;
CREATE TRIGGER new_secret BEFORE UPDATE OF secret_hash ON app.api_keys FOR EACH ROW WHEN ((new.secret_hash IS DISTINCT FROM old.secret_hash)) EXECUTE FUNCTION app.new_secret();
grant select (tenant_id, id, user_id, public_id, previous_until, name, scopes, models, created_at, expires_at, disabled_at, revoked_at, rotated_at, last_used_at, refused_at) on app.api_keys to llm_auditor;
grant select (tenant_id, id, user_id, secret_hash, previous_hash, previous_until, scopes, models, expires_at, disabled_at, revoked_at, last_used_at, refused_at), update (metadata, revoked_at, last_used_at, refused_at) on app.api_keys to llm_auth;
grant select on app.api_keys to llm_backup;
grant select (tenant_id) on app.api_keys to llm_operator;
grant select (tenant_id, id, user_id, public_id, previous_until, name, scopes, models, created_at, expires_at, disabled_at, revoked_at, rotated_at, last_used_at, refused_at) on app.api_keys to llm_reader;
grant select (metadata) on app.api_keys to llm_reader_content;
grant insert (tenant_id, id, user_id, public_id, secret_hash, name, scopes, models, metadata, expires_at), select (tenant_id, id, user_id, public_id, previous_until, name, scopes, models, metadata, created_at, expires_at, disabled_at, revoked_at, rotated_at, last_used_at), update (secret_hash, previous_until, name, scopes, models, metadata, expires_at, disabled_at, revoked_at, rotated_at) on app.api_keys to llm_tenant;
grant delete, select (tenant_id, id, user_id, revoked_at), update (refused_at) on app.api_keys to llm_work;

create table app.attempts (
  tenant_id uuid not null,
  generation_id uuid not null,
  number smallint not null,
  user_id uuid not null,
  provider text not null,
  model text not null,
  key_source text not null,
  response_model text,
  upstream_id text,
  http_status smallint,
  failure text,
  tokens_in integer,
  tokens_out integer,
  usage jsonb,
  started_at timestamp with time zone not null,
  first_token_at timestamp with time zone,
  ended_at timestamp with time zone,
  constraint attempts_pkey PRIMARY KEY (tenant_id, generation_id, number),
  constraint attempts_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id),
  constraint attempts_failure_check CHECK ((char_length(failure) <= 50)),
  constraint attempts_key_source_check CHECK ((key_source = ANY (ARRAY['installation'::text, 'tenant'::text]))),
  constraint attempts_model_check CHECK ((char_length(model) <= 200)),
  constraint attempts_number_check CHECK ((number > 0)),
  constraint attempts_provider_check CHECK ((char_length(provider) <= 100)),
  constraint attempts_response_model_check CHECK ((char_length(response_model) <= 200)),
  constraint attempts_upstream_id_check CHECK ((char_length(upstream_id) <= 200)),
  constraint attempts_usage_check CHECK (((jsonb_typeof(usage) = 'object'::text) AND (octet_length((usage)::text) <= 4096)))
);
alter table app.attempts owner to llm_owner, enable row level security, force row level security;
create policy own_or_admin on app.attempts as restrictive for select to llm_tenant
  using ((user_id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text));
create policy reader_wall on app.attempts as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.attempts as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.attempts as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy backup_rows on app.attempts as permissive for select to llm_backup
  using true;
create policy reader_read on app.attempts as permissive for select to llm_reader
  using true;
create policy tenant_rows on app.attempts as permissive for select to llm_tenant
  using true;
create policy tracking_rows on app.attempts as permissive for select to llm_tracking
  using true;
create policy work_rows on app.attempts as permissive for insert to llm_work
  with check true;
grant select on app.attempts to llm_auditor;
grant select on app.attempts to llm_backup;
grant select on app.attempts to llm_reader;
grant select on app.attempts to llm_tenant;
grant select on app.attempts to llm_tracking;
grant insert on app.attempts to llm_work;

create table app.audit_events (
  tenant_id uuid not null,
  id uuid not null,
  at timestamp with time zone not null default clock_timestamp(),
  actor_user_id uuid,
  action text not null,
  target_kind text,
  target_id uuid,
  request_id text,
  detail jsonb not null default '{}'::jsonb,
  constraint audit_events_pkey PRIMARY KEY (tenant_id, id),
  constraint audit_events_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id),
  constraint audit_events_action_check CHECK (((char_length(action) >= 1) AND (char_length(action) <= 100))),
  constraint audit_events_detail_check CHECK ((jsonb_typeof(detail) = 'object'::text)),
  constraint audit_events_request_id_check CHECK ((char_length(request_id) <= 200))
);
alter table app.audit_events owner to llm_owner, enable row level security, force row level security;
create policy admins_read on app.audit_events as restrictive for select to llm_tenant
  using (( SELECT app.role() AS role) = 'admin'::text);
create policy own_name on app.audit_events as restrictive for insert to llm_tenant
  with check (actor_user_id = ( SELECT app.user_id() AS user_id));
create policy reader_wall on app.audit_events as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.audit_events as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.audit_events as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy auth_add on app.audit_events as permissive for insert to llm_auth
  with check true;
create policy backup_rows on app.audit_events as permissive for select to llm_backup
  using true;
create policy operator_add on app.audit_events as permissive for insert to llm_operator
  with check true;
create policy reader_read on app.audit_events as permissive for select to llm_reader
  using true;
create policy tenant_add on app.audit_events as permissive for insert to llm_tenant
  with check true;
create policy tenant_rows on app.audit_events as permissive for select to llm_tenant
  using true;
create policy work_add on app.audit_events as permissive for insert to llm_work
  with check (action = 'budget.alert'::text);
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON app.audit_events FOR EACH ROW EXECUTE FUNCTION app.append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON app.audit_events FOR EACH STATEMENT EXECUTE FUNCTION app.append_only();
grant select on app.audit_events to llm_auditor;
grant insert (tenant_id, id, actor_user_id, action, target_kind, target_id, request_id, detail) on app.audit_events to llm_auth;
grant select on app.audit_events to llm_backup;
grant insert (tenant_id, id, action, target_kind, target_id, request_id, detail) on app.audit_events to llm_operator;
grant select on app.audit_events to llm_reader;
grant insert (tenant_id, id, actor_user_id, action, target_kind, target_id, request_id, detail), select on app.audit_events to llm_tenant;
grant insert (tenant_id, id, action, target_kind, target_id, detail) on app.audit_events to llm_work;

create table app.budget_periods (
  tenant_id uuid not null,
  subject text not null,
  period text not null,
  starts_at timestamp with time zone not null,
  reserved numeric not null default 0,
  spent numeric not null default 0,
  alerted integer not null default 0,
  constraint budget_periods_pkey PRIMARY KEY (tenant_id, subject, period, starts_at),
  constraint budget_periods_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id),
  constraint budget_periods_period_check CHECK ((period = ANY (ARRAY['day'::text, 'week'::text, 'month'::text, 'total'::text])))
);
alter table app.budget_periods owner to llm_owner, enable row level security, force row level security;
create policy own_or_admin on app.budget_periods as restrictive for select to llm_tenant
  using (app.holds_for_me(subject) OR (( SELECT app.role() AS role) = 'admin'::text));
create policy reader_wall on app.budget_periods as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.budget_periods as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.budget_periods as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy backup_rows on app.budget_periods as permissive for select to llm_backup
  using true;
create policy operator_read on app.budget_periods as permissive for select to llm_operator
  using true;
create policy operator_remove on app.budget_periods as permissive for delete to llm_operator
  using (EXISTS ( SELECT
   FROM app.tenants t
  WHERE ((t.id = budget_periods.tenant_id) AND (t.status = 'erased'::text))));
create policy reader_read on app.budget_periods as permissive for select to llm_reader
  using true;
create policy tenant_rows on app.budget_periods as permissive for select to llm_tenant
  using true;
create policy work_rows on app.budget_periods as permissive for all to llm_work
  using true
  with check true;
grant select on app.budget_periods to llm_auditor;
grant select on app.budget_periods to llm_backup;
grant delete, select (tenant_id) on app.budget_periods to llm_operator;
grant select on app.budget_periods to llm_reader;
grant select on app.budget_periods to llm_tenant;
grant delete, insert, select, update on app.budget_periods to llm_work;

create table app.conversations (
  tenant_id uuid not null,
  id uuid not null,
  user_id uuid not null,
  title text,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  model text,
  system text,
  constraint conversations_pkey PRIMARY KEY (tenant_id, id),
  constraint conversations_tenant_id_user_id_id_key UNIQUE (tenant_id, user_id, id),
  constraint conversations_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES app.users(tenant_id, id) ON DELETE CASCADE,
  constraint conversations_model_check CHECK (((char_length(model) >= 1) AND (char_length(model) <= 200))),
  constraint conversations_system_check CHECK (((char_length(system) >= 1) AND (char_length(system) <= 100000))),
  constraint conversations_title_check CHECK (((char_length(title) >= 1) AND (char_length(title) <= 200)))
);
alter table app.conversations owner to llm_owner, enable row level security, force row level security;
create policy not_deleted on app.conversations as restrictive for select to llm_auditor, llm_reader, llm_tenant, llm_tracking
  using (( SELECT (NOT (EXISTS ( SELECT
           FROM app.deletions)))) OR (NOT (EXISTS ( SELECT
   FROM app.deletions d
  WHERE ((d.tenant_id = conversations.tenant_id) AND (d.id = ANY (ARRAY[conversations.id, conversations.user_id])))))));
create policy own_add on app.conversations as restrictive for insert to llm_tenant
  with check (user_id = ( SELECT app.user_id() AS user_id));
create policy own_change on app.conversations as restrictive for update to llm_tenant
  using (user_id = ( SELECT app.user_id() AS user_id))
  with check (user_id = ( SELECT app.user_id() AS user_id));
create policy own_or_admin on app.conversations as restrictive for select to llm_tenant
  using ((user_id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text));
create policy reader_wall on app.conversations as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.conversations as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.conversations as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy backup_rows on app.conversations as permissive for select to llm_backup
  using true;
create policy operator_read on app.conversations as permissive for select to llm_operator
  using true;
create policy reader_read on app.conversations as permissive for select to llm_reader
  using true;
create policy tenant_rows on app.conversations as permissive for all to llm_tenant
  using true
  with check true;
create policy work_change on app.conversations as permissive for update to llm_work
  using true
  with check false;
create policy work_deleted on app.conversations as permissive for delete to llm_work
  using (EXISTS ( SELECT
   FROM app.deletions d
  WHERE ((d.tenant_id = conversations.tenant_id) AND (d.id = ANY (ARRAY[conversations.id, conversations.user_id])))));
create policy work_rows on app.conversations as permissive for select to llm_work
  using true;
grant select (tenant_id, id, user_id, created_at, updated_at, model) on app.conversations to llm_auditor;
grant select on app.conversations to llm_backup;
grant select (tenant_id) on app.conversations to llm_operator;
grant select (tenant_id, id, user_id, created_at, updated_at, model) on app.conversations to llm_reader;
grant select (title, system) on app.conversations to llm_reader_content;
grant insert (tenant_id, id, user_id, title, model, system), select, update (title, updated_at, model, system) on app.conversations to llm_tenant;
grant delete, select (tenant_id, id, user_id), update (updated_at) on app.conversations to llm_work;

create table app.counter_changes (
  tenant_id uuid not null,
  subject text not null,
  period text not null,
  generation_id uuid not null,
  starts_at timestamp with time zone,
  released numeric not null default 0,
  spent numeric not null default 0,
  tokens bigint not null default 0,
  at timestamp with time zone not null default now(),
  constraint counter_changes_pkey PRIMARY KEY (tenant_id, subject, period, generation_id),
  constraint counter_changes_period_check CHECK ((period = ANY (ARRAY['minute'::text, 'day'::text, 'week'::text, 'month'::text, 'total'::text])))
);
alter table app.counter_changes owner to llm_owner, enable row level security, force row level security;
CREATE INDEX counter_changes_at ON app.counter_changes USING btree (at, tenant_id);
create policy own_or_admin on app.counter_changes as restrictive for select to llm_tenant
  using (app.holds_for_me(subject) OR (( SELECT app.role() AS role) = 'admin'::text));
create policy reader_wall on app.counter_changes as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.counter_changes as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.counter_changes as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy backup_rows on app.counter_changes as permissive for select to llm_backup
  using true;
create policy operator_read on app.counter_changes as permissive for select to llm_operator
  using true;
create policy operator_remove on app.counter_changes as permissive for delete to llm_operator
  using (EXISTS ( SELECT
   FROM app.tenants t
  WHERE ((t.id = counter_changes.tenant_id) AND (t.status = 'erased'::text))));
create policy reader_read on app.counter_changes as permissive for select to llm_reader
  using true;
create policy tenant_rows on app.counter_changes as permissive for select to llm_tenant
  using true;
create policy work_rows on app.counter_changes as permissive for all to llm_work
  using true
  with check true;
grant select on app.counter_changes to llm_auditor;
grant select on app.counter_changes to llm_backup;
grant delete, select (tenant_id) on app.counter_changes to llm_operator;
grant select on app.counter_changes to llm_reader;
grant select on app.counter_changes to llm_tenant;
grant delete, insert, select, update on app.counter_changes to llm_work;

create table app.credentials (
  tenant_id uuid not null,
  user_id uuid not null,
  password_hash text not null,
  updated_at timestamp with time zone not null default now(),
  constraint credentials_pkey PRIMARY KEY (tenant_id, user_id),
  constraint credentials_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES app.users(tenant_id, id) ON DELETE CASCADE,
  constraint credentials_password_hash_check CHECK ((password_hash ~~ '$argon2id$%'::text))
);
alter table app.credentials owner to llm_owner, enable row level security, force row level security;
create policy not_deleted on app.credentials as restrictive for select to llm_auditor, llm_reader, llm_tenant, llm_tracking
  using (( SELECT (NOT (EXISTS ( SELECT
           FROM app.deletions)))) OR (NOT (EXISTS ( SELECT
   FROM app.deletions d
  WHERE ((d.tenant_id = credentials.tenant_id) AND (d.id = credentials.user_id))))));
create policy own_change on app.credentials as restrictive for update to llm_tenant
  using (user_id = ( SELECT app.user_id() AS user_id))
  with check (user_id = ( SELECT app.user_id() AS user_id));
create policy own_or_admin on app.credentials as restrictive for select to llm_tenant
  using ((user_id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text));
create policy own_or_admin_add on app.credentials as restrictive for insert to llm_tenant
  with check ((user_id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text));
create policy reader_wall on app.credentials as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.credentials as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auth_add on app.credentials as permissive for insert to llm_auth
  with check true;
create policy auth_end on app.credentials as permissive for delete to llm_auth
  using (EXISTS ( SELECT
   FROM app.users u
  WHERE ((u.tenant_id = credentials.tenant_id) AND (u.id = credentials.user_id) AND (u.email_verified_at IS NULL) AND (u.role = 'user'::text))));
create policy auth_read on app.credentials as permissive for select to llm_auth
  using true;
create policy auth_rehash on app.credentials as permissive for update to llm_auth
  using true
  with check true;
create policy backup_rows on app.credentials as permissive for select to llm_backup
  using true;
create policy operator_read on app.credentials as permissive for select to llm_operator
  using true;
create policy tenant_rows on app.credentials as permissive for all to llm_tenant
  using true
  with check true;
create policy work_deleted on app.credentials as permissive for delete to llm_work
  using (EXISTS ( SELECT
   FROM app.deletions d
  WHERE ((d.tenant_id = credentials.tenant_id) AND (d.id = credentials.user_id))));
create policy work_rows on app.credentials as permissive for select to llm_work
  using true;
grant delete, insert (tenant_id, user_id, password_hash), select (tenant_id, user_id, password_hash), update (password_hash, updated_at) on app.credentials to llm_auth;
grant select on app.credentials to llm_backup;
grant select (tenant_id) on app.credentials to llm_operator;
grant insert (tenant_id, user_id, password_hash), select (tenant_id, user_id, updated_at), update (password_hash, updated_at) on app.credentials to llm_tenant;
grant delete, select (tenant_id, user_id) on app.credentials to llm_work;

create table app.deletions (
  tenant_id uuid not null,
  id uuid not null,
  kind text not null,
  user_id uuid not null,
  deleted_at timestamp with time zone not null default now(),
  worked_at timestamp with time zone not null default now(),
  constraint deletions_pkey PRIMARY KEY (tenant_id, id),
  constraint deletions_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id),
  constraint deletions_kind_check CHECK ((kind = ANY (ARRAY['user'::text, 'conversation'::text, 'message'::text])))
);
alter table app.deletions owner to llm_owner, enable row level security, force row level security;
create policy own_or_admin on app.deletions as restrictive for select to llm_tenant
  using ((user_id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text));
create policy reader_wall on app.deletions as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy seen_add on app.deletions as restrictive for insert to llm_tenant
  with check app.may_delete(tenant_id, id, kind, user_id);
create policy tenant_wall on app.deletions as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.deletions as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy backup_rows on app.deletions as permissive for select to llm_backup
  using true;
create policy operator_add on app.deletions as permissive for insert to llm_operator
  with check ((kind = 'user'::text) AND (EXISTS ( SELECT
   FROM app.tenants t
  WHERE ((t.id = deletions.tenant_id) AND (t.status = 'erased'::text)))));
create policy operator_read on app.deletions as permissive for select to llm_operator
  using true;
create policy reader_read on app.deletions as permissive for select to llm_reader
  using true;
create policy tenant_add on app.deletions as permissive for insert to llm_tenant
  with check true;
create policy tenant_rows on app.deletions as permissive for select to llm_tenant
  using true;
create policy tracking_rows on app.deletions as permissive for select to llm_tracking
  using true;
create policy work_rows on app.deletions as permissive for all to llm_work
  using true
  with check true;
CREATE TRIGGER deleted_user AFTER INSERT ON app.deletions FOR EACH ROW WHEN ((new.kind = 'user'::text)) EXECUTE FUNCTION work.deleted_user();
CREATE TRIGGER keep_an_admin_insert AFTER INSERT ON app.deletions FOR EACH ROW WHEN ((new.kind = 'user'::text)) EXECUTE FUNCTION app.keep_an_admin();
grant select on app.deletions to llm_auditor;
grant select on app.deletions to llm_backup;
grant insert (tenant_id, id, kind, user_id), select (tenant_id, id) on app.deletions to llm_operator;
grant select on app.deletions to llm_reader;
grant insert (tenant_id, id, kind, user_id), select on app.deletions to llm_tenant;
grant select (tenant_id, id) on app.deletions to llm_tracking;
grant delete, select, update (worked_at) on app.deletions to llm_work;

create table app.factors (
  tenant_id uuid not null,
  id uuid not null,
  user_id uuid not null,
  kind text not null,
  name text not null,
  created_at timestamp with time zone not null default now(),
  confirmed_at timestamp with time zone,
  last_used_at timestamp with time zone,
  credential_id bytea,
  public_key bytea,
  sign_count bigint,
  transports text[],
  backed_up boolean,
  constraint factors_pkey PRIMARY KEY (tenant_id, id),
  constraint factors_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES app.users(tenant_id, id) ON DELETE CASCADE,
  constraint factors_credential_id_check CHECK (((octet_length(credential_id) >= 1) AND (octet_length(credential_id) <= 1023))),
  constraint factors_kind_check CHECK ((kind = ANY (ARRAY['totp'::text, 'passkey'::text]))),
  constraint factors_name_check CHECK ((char_length(name) <= 200)),
  constraint factors_passkey CHECK (((kind <> 'passkey'::text) OR (num_nulls(credential_id, public_key, sign_count, transports, backed_up, confirmed_at) = 0))),
  constraint factors_public_key_check CHECK (((octet_length(public_key) >= 1) AND (octet_length(public_key) <= 4096))),
  constraint factors_sign_count_check CHECK ((sign_count >= 0)),
  constraint factors_transports_check CHECK ((cardinality(transports) <= 10))
);
alter table app.factors owner to llm_owner, enable row level security, force row level security;
CREATE UNIQUE INDEX factors_credential ON app.factors USING btree (tenant_id, user_id, credential_id) WHERE (kind = 'passkey'::text);
CREATE INDEX factors_of_user ON app.factors USING btree (tenant_id, user_id, id);
create policy not_deleted on app.factors as restrictive for select to llm_auditor, llm_reader, llm_tenant, llm_tracking
  using (( SELECT (NOT (EXISTS ( SELECT
           FROM app.deletions)))) OR (NOT (EXISTS ( SELECT
   FROM app.deletions d
  WHERE ((d.tenant_id = factors.tenant_id) AND (d.id = factors.user_id))))));
create policy own_add on app.factors as restrictive for insert to llm_tenant
  with check (user_id = ( SELECT app.user_id() AS user_id));
create policy own_change on app.factors as restrictive for update to llm_tenant
  using (user_id = ( SELECT app.user_id() AS user_id))
  with check (user_id = ( SELECT app.user_id() AS user_id));
create policy own_or_admin on app.factors as restrictive for select to llm_tenant
  using ((user_id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text));
create policy own_or_admin_remove on app.factors as restrictive for delete to llm_tenant
  using ((user_id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text));
create policy reader_wall on app.factors as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.factors as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.factors as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy auth_read on app.factors as permissive for select to llm_auth
  using true;
create policy backup_rows on app.factors as permissive for select to llm_backup
  using true;
create policy operator_read on app.factors as permissive for select to llm_operator
  using true;
create policy reader_read on app.factors as permissive for select to llm_reader
  using true;
create policy tenant_rows on app.factors as permissive for all to llm_tenant
  using true
  with check true;
grant select (tenant_id, id, user_id, kind, name, created_at, confirmed_at, last_used_at, backed_up) on app.factors to llm_auditor;
grant select (tenant_id, user_id, confirmed_at) on app.factors to llm_auth;
grant select on app.factors to llm_backup;
grant select (tenant_id) on app.factors to llm_operator;
grant select (tenant_id, id, user_id, kind, name, created_at, confirmed_at, last_used_at, backed_up) on app.factors to llm_reader;
grant delete, insert (tenant_id, id, user_id, kind, name, confirmed_at, credential_id, public_key, sign_count, transports, backed_up), select, update (name, confirmed_at, last_used_at, sign_count, backed_up) on app.factors to llm_tenant;

create table app.feedback (
  tenant_id uuid not null,
  message_id uuid not null,
  user_id uuid not null,
  rating double precision not null,
  comment text,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  revision integer not null default 1,
  sent_revision integer not null default 0,
  constraint feedback_pkey PRIMARY KEY (tenant_id, message_id, user_id),
  constraint feedback_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id),
  constraint feedback_tenant_id_message_id_fkey FOREIGN KEY (tenant_id, message_id) REFERENCES app.messages(tenant_id, id) ON DELETE CASCADE,
  constraint feedback_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES app.users(tenant_id, id) ON DELETE CASCADE,
  constraint feedback_comment_check CHECK ((char_length(comment) <= 4000)),
  constraint feedback_rating_check CHECK (((rating >= ('-1000000'::integer)::double precision) AND (rating <= (1000000)::double precision)))
);
alter table app.feedback owner to llm_owner, enable row level security, force row level security;
CREATE INDEX feedback_of_user ON app.feedback USING btree (tenant_id, user_id);
create policy not_deleted on app.feedback as restrictive for select to llm_auditor, llm_reader, llm_tenant, llm_tracking
  using (( SELECT (NOT (EXISTS ( SELECT
           FROM app.deletions)))) OR (NOT (EXISTS ( SELECT
   FROM app.deletions d
  WHERE ((d.tenant_id = feedback.tenant_id) AND (d.id = ANY (ARRAY[feedback.message_id, feedback.user_id])))))));
create policy of_message on app.feedback as restrictive for select to llm_auditor, llm_reader, llm_tenant, llm_tracking
  using (EXISTS ( SELECT
   FROM app.messages m
  WHERE ((m.tenant_id = feedback.tenant_id) AND (m.id = feedback.message_id))));
create policy own_add on app.feedback as restrictive for insert to llm_tenant
  with check ((user_id = ( SELECT app.user_id() AS user_id)) AND (EXISTS ( SELECT
   FROM app.messages m
  WHERE ((m.tenant_id = feedback.tenant_id) AND (m.id = feedback.message_id)))));
create policy own_change on app.feedback as restrictive for update to llm_tenant
  using (user_id = ( SELECT app.user_id() AS user_id))
  with check (user_id = ( SELECT app.user_id() AS user_id));
create policy own_or_admin on app.feedback as restrictive for select to llm_tenant
  using ((user_id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text));
create policy reader_wall on app.feedback as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.feedback as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.feedback as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy backup_rows on app.feedback as permissive for select to llm_backup
  using true;
create policy operator_read on app.feedback as permissive for select to llm_operator
  using true;
create policy reader_read on app.feedback as permissive for select to llm_reader
  using true;
create policy tenant_rows on app.feedback as permissive for all to llm_tenant
  using true
  with check true;
create policy tracking_rows on app.feedback as permissive for all to llm_tracking
  using true
  with check true;
create policy work_rows on app.feedback as permissive for all to llm_work
  using true
  with check true;
CREATE TRIGGER feedback_given BEFORE INSERT OR UPDATE OF rating, comment ON app.feedback FOR EACH ROW EXECUTE FUNCTION tracking.feedback_given();
grant select (tenant_id, message_id, user_id, rating, created_at, updated_at) on app.feedback to llm_auditor;
grant select on app.feedback to llm_backup;
grant select (tenant_id) on app.feedback to llm_operator;
grant select (tenant_id, message_id, user_id, rating, created_at, updated_at) on app.feedback to llm_reader;
grant select (comment) on app.feedback to llm_reader_content;
grant insert (tenant_id, message_id, user_id, rating, comment), select, update (rating, comment) on app.feedback to llm_tenant;
grant select (tenant_id, message_id, user_id, rating, comment, updated_at, revision, sent_revision), update (sent_revision) on app.feedback to llm_tracking;
grant delete, select (tenant_id, message_id, user_id) on app.feedback to llm_work;

create table app.generation_chunks (
  tenant_id uuid not null,
  generation_id uuid not null,
  seq integer not null,
  tokens text[] not null,
  user_id uuid not null,
  message_id uuid,
  conversation_id uuid,
  constraint generation_chunks_pkey PRIMARY KEY (tenant_id, generation_id, seq),
  constraint generation_chunks_tenant_id_generation_id_fkey FOREIGN KEY (tenant_id, generation_id) REFERENCES app.generations(tenant_id, id) ON DELETE CASCADE,
  constraint generation_chunks_seq_check CHECK ((seq > 0)),
  constraint generation_chunks_tokens_check CHECK ((cardinality(tokens) > 0))
);
alter table app.generation_chunks owner to llm_owner, enable row level security, force row level security;
create policy not_deleted on app.generation_chunks as restrictive for select to llm_auditor, llm_reader, llm_tenant, llm_tracking
  using (( SELECT (NOT (EXISTS ( SELECT
           FROM app.deletions)))) OR (NOT (EXISTS ( SELECT
   FROM app.deletions d
  WHERE ((d.tenant_id = generation_chunks.tenant_id) AND (d.id = ANY (ARRAY[generation_chunks.message_id, generation_chunks.conversation_id, generation_chunks.user_id])))))));
create policy own_or_admin on app.generation_chunks as restrictive for select to llm_tenant
  using ((user_id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text));
create policy reader_wall on app.generation_chunks as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.generation_chunks as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy backup_rows on app.generation_chunks as permissive for select to llm_backup
  using true;
create policy operator_read on app.generation_chunks as permissive for select to llm_operator
  using true;
create policy tenant_rows on app.generation_chunks as permissive for select to llm_tenant
  using true;
create policy work_rows on app.generation_chunks as permissive for all to llm_work
  using true
  with check true;
grant select on app.generation_chunks to llm_backup;
grant select (tenant_id) on app.generation_chunks to llm_operator;
grant select on app.generation_chunks to llm_tenant;
grant delete, insert, select, update (tokens) on app.generation_chunks to llm_work;

create table app.generations (
  tenant_id uuid not null,
  id uuid not null,
  message_id uuid,
  user_id uuid not null,
  conversation_id uuid,
  source text not null,
  provider text not null,
  model text not null,
  response_model text,
  status text not null default 'streaming'::text,
  finish_reason text,
  failure text,
  lease_owner uuid not null,
  lease_until timestamp with time zone not null default (now() + '00:00:30'::interval),
  cancel_requested_at timestamp with time zone,
  followed_until timestamp with time zone,
  tokens_in integer,
  tokens_out integer,
  approx_tokens_in integer not null,
  approx_tokens_out integer,
  cost_usd numeric,
  prompt_length integer not null,
  response_length integer,
  request_id text,
  trace_id text not null,
  parent_span_id text,
  created_at timestamp with time zone not null,
  admitted_at timestamp with time zone not null,
  started_at timestamp with time zone,
  first_token_at timestamp with time zone,
  model_ended_at timestamp with time zone,
  ended_at timestamp with time zone,
  tracked_as text,
  key_id uuid,
  usage jsonb,
  content text not null default 'kept'::text,
  admission jsonb,
  counted boolean not null default false,
  constraint generations_pkey PRIMARY KEY (tenant_id, id),
  constraint generations_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id),
  constraint generations_tenant_id_user_id_message_id_fkey FOREIGN KEY (tenant_id, user_id, message_id) REFERENCES app.messages(tenant_id, user_id, id) ON DELETE SET NULL (message_id),
  constraint generations_admission_check CHECK (((jsonb_typeof(admission) = 'object'::text) AND (octet_length((admission)::text) <= 8192))),
  constraint generations_check CHECK (((ended_at IS NULL) = (status = 'streaming'::text))),
  constraint generations_content_check CHECK ((content = ANY (ARRAY['kept'::text, 'leaving'::text, 'removed'::text]))),
  constraint generations_failure_check CHECK ((char_length(failure) <= 50)),
  constraint generations_finish_reason_check CHECK ((finish_reason = ANY (ARRAY['stop'::text, 'length'::text, 'content_filter'::text, 'tool_calls'::text, 'other'::text]))),
  constraint generations_model_check CHECK ((char_length(model) <= 200)),
  constraint generations_parent_span_id_check CHECK ((parent_span_id ~ '^[0-9a-f]{16}$'::text)),
  constraint generations_provider_check CHECK ((char_length(provider) <= 100)),
  constraint generations_request_id_check CHECK ((char_length(request_id) <= 200)),
  constraint generations_response_model_check CHECK ((char_length(response_model) <= 200)),
  constraint generations_source_check CHECK ((source = ANY (ARRAY['messages'::text, 'messages.stream'::text, 'rpc'::text, 'chat.completions'::text, 'responses'::text, 'anthropic.messages'::text, 'embeddings'::text]))),
  constraint generations_status_check CHECK ((status = ANY (ARRAY['streaming'::text, 'completed'::text, 'failed'::text, 'cancelled'::text, 'interrupted'::text]))),
  constraint generations_trace_id_check CHECK ((trace_id ~ '^[0-9a-f]{32}$'::text)),
  constraint generations_tracked_as_check CHECK ((tracked_as ~ '^[0-9a-f]{32}$'::text)),
  constraint generations_usage_check CHECK (((jsonb_typeof(usage) = 'object'::text) AND (octet_length((usage)::text) <= 4096)))
);
alter table app.generations owner to llm_owner, enable row level security, force row level security;
CREATE INDEX generations_counted ON app.generations USING btree (tenant_id, lease_until) WHERE ((status = 'streaming'::text) AND counted);
CREATE INDEX generations_leaving ON app.generations USING btree (lease_until, tenant_id) WHERE (content = 'leaving'::text);
CREATE INDEX generations_of_key ON app.generations USING btree (tenant_id, key_id, created_at) WHERE (key_id IS NOT NULL);
CREATE INDEX generations_of_message ON app.generations USING btree (tenant_id, message_id) WHERE (message_id IS NOT NULL);
CREATE INDEX generations_of_trace ON app.generations USING btree (trace_id, tenant_id);
CREATE INDEX generations_running ON app.generations USING btree (lease_until, tenant_id) WHERE (status = 'streaming'::text);
create policy own_add on app.generations as restrictive for insert to llm_tenant
  with check (user_id = ( SELECT app.user_id() AS user_id));
create policy own_or_admin on app.generations as restrictive for select to llm_tenant
  using ((user_id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text));
create policy own_or_admin_change on app.generations as restrictive for update to llm_tenant
  using ((user_id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text))
  with check ((user_id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text));
create policy reader_wall on app.generations as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.generations as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.generations as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy backup_rows on app.generations as permissive for select to llm_backup
  using true;
create policy operator_rows on app.generations as permissive for select to llm_operator
  using true;
create policy operator_stop on app.generations as permissive for update to llm_operator
  using true
  with check (cancel_requested_at IS NOT NULL);
create policy reader_read on app.generations as permissive for select to llm_reader
  using true;
create policy tenant_rows on app.generations as permissive for all to llm_tenant
  using true
  with check true;
create policy tracking_rows on app.generations as permissive for all to llm_tracking
  using true
  with check true;
create policy work_rows on app.generations as permissive for all to llm_work
  using true
  with check true;
grant select (tenant_id, id, message_id, user_id, conversation_id, source, provider, model, response_model, status, finish_reason, failure, cancel_requested_at, tokens_in, tokens_out, approx_tokens_in, approx_tokens_out, cost_usd, prompt_length, response_length, request_id, trace_id, parent_span_id, created_at, admitted_at, started_at, first_token_at, model_ended_at, ended_at, key_id, usage, content) on app.generations to llm_auditor;
grant select on app.generations to llm_backup;
grant select (tenant_id, id, source, status, cancel_requested_at, cost_usd, created_at, first_token_at, ended_at), update (cancel_requested_at) on app.generations to llm_operator;
grant select (tenant_id, id, message_id, user_id, conversation_id, source, provider, model, response_model, status, finish_reason, failure, cancel_requested_at, tokens_in, tokens_out, approx_tokens_in, approx_tokens_out, cost_usd, prompt_length, response_length, request_id, trace_id, parent_span_id, created_at, admitted_at, started_at, first_token_at, model_ended_at, ended_at, key_id, usage, content) on app.generations to llm_reader;
grant insert (tenant_id, id, message_id, user_id, conversation_id, source, provider, model, lease_owner, approx_tokens_in, prompt_length, request_id, trace_id, parent_span_id, created_at, admitted_at, key_id, content, admission, counted), select (tenant_id, id, message_id, user_id, conversation_id, source, provider, model, response_model, status, finish_reason, failure, lease_until, cancel_requested_at, followed_until, tokens_in, tokens_out, approx_tokens_in, approx_tokens_out, cost_usd, prompt_length, response_length, request_id, trace_id, parent_span_id, created_at, admitted_at, started_at, first_token_at, model_ended_at, ended_at, key_id, usage, content), update (cancel_requested_at, followed_until) on app.generations to llm_tenant;
grant select (tenant_id, id, message_id, user_id, conversation_id, source, provider, model, response_model, status, finish_reason, failure, tokens_in, tokens_out, approx_tokens_in, approx_tokens_out, cost_usd, prompt_length, response_length, request_id, trace_id, parent_span_id, created_at, admitted_at, started_at, first_token_at, model_ended_at, ended_at, tracked_as, content), update (tracked_as) on app.generations to llm_tracking;
grant select (tenant_id, id, message_id, user_id, conversation_id, source, provider, model, status, lease_owner, lease_until, cancel_requested_at, followed_until, approx_tokens_in, cost_usd, created_at, admitted_at, first_token_at, ended_at, key_id, content, admission, counted), update (message_id, response_model, status, finish_reason, failure, lease_until, tokens_in, tokens_out, approx_tokens_out, cost_usd, response_length, started_at, first_token_at, model_ended_at, ended_at, usage, content, admission) on app.generations to llm_work;

create table app.idempotency_keys (
  tenant_id uuid not null,
  user_id uuid not null,
  key text not null,
  body_hash text not null,
  message_id uuid not null,
  generation_id uuid not null,
  created_at timestamp with time zone not null default now(),
  constraint idempotency_keys_pkey PRIMARY KEY (tenant_id, user_id, key),
  constraint idempotency_keys_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES app.users(tenant_id, id) ON DELETE CASCADE,
  constraint idempotency_keys_tenant_id_user_id_message_id_fkey FOREIGN KEY (tenant_id, user_id, message_id) REFERENCES app.messages(tenant_id, user_id, id) ON DELETE CASCADE,
  constraint idempotency_keys_body_hash_check CHECK ((char_length(body_hash) <= 100)),
  constraint idempotency_keys_key_check CHECK ((char_length(key) <= 255))
);
alter table app.idempotency_keys owner to llm_owner, enable row level security, force row level security;
CREATE INDEX idempotency_keys_of_message ON app.idempotency_keys USING btree (tenant_id, message_id);
CREATE INDEX idempotency_keys_old ON app.idempotency_keys USING btree (created_at, tenant_id);
create policy own on app.idempotency_keys as restrictive for all to llm_tenant
  using (user_id = ( SELECT app.user_id() AS user_id))
  with check (user_id = ( SELECT app.user_id() AS user_id));
create policy reader_wall on app.idempotency_keys as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.idempotency_keys as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy backup_rows on app.idempotency_keys as permissive for select to llm_backup
  using true;
create policy operator_read on app.idempotency_keys as permissive for select to llm_operator
  using true;
create policy tenant_rows on app.idempotency_keys as permissive for all to llm_tenant
  using true
  with check true;
create policy work_rows on app.idempotency_keys as permissive for all to llm_work
  using true
  with check true;
grant select on app.idempotency_keys to llm_backup;
grant select (tenant_id) on app.idempotency_keys to llm_operator;
grant insert (tenant_id, user_id, key, body_hash, message_id, generation_id), select, update (body_hash, message_id, generation_id, created_at) on app.idempotency_keys to llm_tenant;
grant delete, select (tenant_id, user_id, key, message_id, created_at), update (created_at) on app.idempotency_keys to llm_work;

create table app.idempotent_answers (
  tenant_id uuid not null,
  owner text not null default COALESCE((user_id)::text, 'guest'::text),
  key text not null,
  user_id uuid,
  body_hash text not null,
  answer jsonb,
  created_at timestamp with time zone not null default now(),
  constraint idempotent_answers_pkey PRIMARY KEY (tenant_id, owner, key),
  constraint idempotent_answers_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id),
  constraint idempotent_answers_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES app.users(tenant_id, id) ON DELETE CASCADE,
  constraint idempotent_answers_body_hash_check CHECK ((char_length(body_hash) <= 100)),
  constraint idempotent_answers_key_check CHECK ((char_length(key) <= 400))
);
alter table app.idempotent_answers owner to llm_owner, enable row level security, force row level security;
CREATE INDEX idempotent_answers_of_user ON app.idempotent_answers USING btree (tenant_id, user_id);
CREATE INDEX idempotent_answers_old ON app.idempotent_answers USING btree (created_at, tenant_id);
create policy own on app.idempotent_answers as restrictive for all to llm_tenant
  using (user_id = ( SELECT app.user_id() AS user_id))
  with check (user_id = ( SELECT app.user_id() AS user_id));
create policy reader_wall on app.idempotent_answers as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.idempotent_answers as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auth_rows on app.idempotent_answers as permissive for all to llm_auth
  using (user_id IS NULL)
  with check (user_id IS NULL);
create policy backup_rows on app.idempotent_answers as permissive for select to llm_backup
  using true;
create policy operator_read on app.idempotent_answers as permissive for select to llm_operator
  using true;
create policy operator_remove on app.idempotent_answers as permissive for delete to llm_operator
  using (EXISTS ( SELECT
   FROM app.tenants t
  WHERE ((t.id = idempotent_answers.tenant_id) AND (t.status = 'erased'::text))));
create policy tenant_rows on app.idempotent_answers as permissive for all to llm_tenant
  using true
  with check true;
create policy work_rows on app.idempotent_answers as permissive for all to llm_work
  using true
  with check true;
grant delete, insert (tenant_id, key, body_hash), select (tenant_id, owner, key, user_id, body_hash, answer), update (answer) on app.idempotent_answers to llm_auth;
grant select on app.idempotent_answers to llm_backup;
grant delete, select (tenant_id) on app.idempotent_answers to llm_operator;
grant insert (tenant_id, key, user_id, body_hash), select, update (answer) on app.idempotent_answers to llm_tenant;
grant delete, select (tenant_id, owner, key, created_at) on app.idempotent_answers to llm_work;

create table app.invitations (
  tenant_id uuid not null,
  id uuid not null,
  email text not null,
  role text not null,
  invited_by uuid not null,
  created_at timestamp with time zone not null default now(),
  sent_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone not null,
  accepted_at timestamp with time zone,
  user_id uuid,
  revoked_at timestamp with time zone,
  constraint invitations_pkey PRIMARY KEY (tenant_id, id),
  constraint invitations_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id),
  constraint invitations_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES app.users(tenant_id, id) ON DELETE CASCADE,
  constraint invitations_email_check CHECK (((char_length(email) >= 3) AND (char_length(email) <= 254) AND (email ~ '^[^@ ]+@[^@ ]+$'::text) AND (email !~ '[A-Z]'::text))),
  constraint invitations_one_end CHECK (((accepted_at IS NULL) OR (revoked_at IS NULL))),
  constraint invitations_role_check CHECK ((role = ANY (ARRAY['admin'::text, 'user'::text])))
);
alter table app.invitations owner to llm_owner, enable row level security, force row level security;
CREATE INDEX invitations_expired ON app.invitations USING btree (expires_at, tenant_id);
CREATE INDEX invitations_of_user ON app.invitations USING btree (tenant_id, user_id) WHERE (user_id IS NOT NULL);
CREATE UNIQUE INDEX invitations_open ON app.invitations USING btree (tenant_id, email) WHERE ((accepted_at IS NULL) AND (revoked_at IS NULL));
create policy admins on app.invitations as restrictive for all to llm_tenant
  using (( SELECT app.role() AS role) = 'admin'::text)
  with check (( SELECT app.role() AS role) = 'admin'::text);
create policy not_deleted on app.invitations as restrictive for select to llm_auditor, llm_reader, llm_tenant, llm_tracking
  using (( SELECT (NOT (EXISTS ( SELECT
           FROM app.deletions)))) OR (NOT (EXISTS ( SELECT
   FROM app.deletions d
  WHERE ((d.tenant_id = invitations.tenant_id) AND (d.id = invitations.user_id))))));
create policy reader_wall on app.invitations as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.invitations as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.invitations as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy auth_accept on app.invitations as permissive for update to llm_auth
  using true
  with check (revoked_at IS NULL);
create policy auth_read on app.invitations as permissive for select to llm_auth
  using true;
create policy backup_rows on app.invitations as permissive for select to llm_backup
  using true;
create policy operator_read on app.invitations as permissive for select to llm_operator
  using true;
create policy operator_remove on app.invitations as permissive for delete to llm_operator
  using (EXISTS ( SELECT
   FROM app.tenants t
  WHERE ((t.id = invitations.tenant_id) AND (t.status = 'erased'::text))));
create policy reader_read on app.invitations as permissive for select to llm_reader
  using true;
create policy tenant_add on app.invitations as permissive for insert to llm_tenant
  with check (invited_by = ( SELECT app.user_id() AS user_id));
create policy tenant_change on app.invitations as permissive for update to llm_tenant
  using ((accepted_at IS NULL) AND (revoked_at IS NULL))
  with check (accepted_at IS NULL);
create policy tenant_rows on app.invitations as permissive for select to llm_tenant
  using true;
create policy work_lock on app.invitations as permissive for update to llm_work
  using true
  with check false;
create policy work_remove on app.invitations as permissive for delete to llm_work
  using true;
create policy work_rows on app.invitations as permissive for select to llm_work
  using true;
grant select on app.invitations to llm_auditor;
grant select (tenant_id, id, email, role, invited_by, expires_at, accepted_at, revoked_at), update (accepted_at, user_id) on app.invitations to llm_auth;
grant select on app.invitations to llm_backup;
grant delete, select (tenant_id) on app.invitations to llm_operator;
grant select on app.invitations to llm_reader;
grant insert (tenant_id, id, email, role, invited_by, expires_at), select, update (role, invited_by, sent_at, expires_at, revoked_at) on app.invitations to llm_tenant;
grant delete, select (tenant_id, id, expires_at, user_id), update (sent_at) on app.invitations to llm_work;

create table app.ledger (
  tenant_id uuid not null,
  id uuid not null,
  kind text not null,
  generation_id uuid,
  user_id uuid,
  key_id uuid,
  provider text not null,
  model text not null,
  items jsonb not null default '[]'::jsonb,
  tenant_amount numeric not null,
  provider_amount numeric not null,
  margin_amount numeric not null,
  note text,
  made_by text,
  at timestamp with time zone not null default now(),
  units jsonb not null default '{}'::jsonb,
  constraint ledger_pkey PRIMARY KEY (tenant_id, id),
  constraint ledger_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id),
  constraint ledger_items_check CHECK (((jsonb_typeof(items) = 'array'::text) AND (octet_length((items)::text) <= 65536))),
  constraint ledger_kind_check CHECK ((kind = ANY (ARRAY['usage'::text, 'correction'::text]))),
  constraint ledger_made_by_check CHECK ((char_length(made_by) <= 200)),
  constraint ledger_model_check CHECK ((char_length(model) <= 200)),
  constraint ledger_note_check CHECK ((char_length(note) <= 1000)),
  constraint ledger_provider_check CHECK ((char_length(provider) <= 100)),
  constraint ledger_sums_to_zero CHECK ((((tenant_amount + provider_amount) + margin_amount) = (0)::numeric)),
  constraint ledger_units_check CHECK ((jsonb_typeof(units) = 'object'::text)),
  constraint ledger_usage_of_generation CHECK (((kind <> 'usage'::text) OR (generation_id = id)))
);
alter table app.ledger owner to llm_owner, enable row level security, force row level security;
CREATE INDEX ledger_of_time ON app.ledger USING btree (tenant_id, at, id);
CREATE INDEX ledger_of_user ON app.ledger USING btree (tenant_id, user_id, at, id);
create policy own_or_admin on app.ledger as restrictive for select to llm_tenant
  using ((user_id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text));
create policy reader_wall on app.ledger as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.ledger as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.ledger as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy backup_rows on app.ledger as permissive for select to llm_backup
  using true;
create policy operator_add on app.ledger as permissive for insert to llm_operator
  with check (kind = 'correction'::text);
create policy operator_read on app.ledger as permissive for select to llm_operator
  using true;
create policy reader_read on app.ledger as permissive for select to llm_reader
  using true;
create policy tenant_rows on app.ledger as permissive for select to llm_tenant
  using true;
create policy work_add on app.ledger as permissive for insert to llm_work
  with check true;
create policy work_rows on app.ledger as permissive for select to llm_work
  using true;
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON app.ledger FOR EACH ROW EXECUTE FUNCTION app.append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON app.ledger FOR EACH STATEMENT EXECUTE FUNCTION app.append_only();
CREATE TRIGGER units_of_items BEFORE INSERT ON app.ledger FOR EACH ROW EXECUTE FUNCTION app.units_of_items();
grant select on app.ledger to llm_auditor;
grant select on app.ledger to llm_backup;
grant insert (tenant_id, id, kind, generation_id, user_id, key_id, provider, model, tenant_amount, provider_amount, margin_amount, note, made_by), select (tenant_id, id, kind, generation_id, user_id, key_id, provider, model, tenant_amount, provider_amount, at, units) on app.ledger to llm_operator;
grant select (tenant_id, id, kind, generation_id, user_id, key_id, provider, model, tenant_amount, note, at, units) on app.ledger to llm_reader;
grant select (tenant_id, id, kind, generation_id, user_id, key_id, provider, model, tenant_amount, note, at, units) on app.ledger to llm_tenant;
grant insert, select on app.ledger to llm_work;

create table app.limits (
  tenant_id uuid not null,
  subject text not null,
  requests_per_minute integer,
  tokens_per_minute bigint,
  concurrent integer,
  budget numeric,
  budget_period text,
  alert_at integer[] not null default '{50,80,100}'::integer[],
  by_admin boolean not null default false,
  updated_at timestamp with time zone not null default now(),
  constraint limits_pkey PRIMARY KEY (tenant_id, subject),
  constraint limits_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id),
  constraint limits_alert_at_check CHECK (((cardinality(alert_at) <= 10) AND (1 <= ALL (alert_at)) AND (1000 >= ALL (alert_at)))),
  constraint limits_budget_check CHECK (((budget >= (0)::numeric) AND (budget < '1000000000000'::numeric) AND (scale(budget) <= 18))),
  constraint limits_budget_of_period CHECK (((budget IS NULL) = (budget_period IS NULL))),
  constraint limits_budget_period_check CHECK ((budget_period = ANY (ARRAY['day'::text, 'week'::text, 'month'::text, 'total'::text]))),
  constraint limits_concurrent_check CHECK (((concurrent >= 0) AND (concurrent <= 100000))),
  constraint limits_requests_per_minute_check CHECK (((requests_per_minute >= 0) AND (requests_per_minute <= 1000000))),
  constraint limits_subject_check CHECK (((subject = ANY (ARRAY['tenant'::text, 'user'::text, 'key'::text])) OR (subject ~ '^(user|key):[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$'::text) OR (subject ~ '^model:.{1,200}$'::text))),
  constraint limits_tokens_per_minute_check CHECK (((tokens_per_minute >= 0) AND (tokens_per_minute <= '1000000000000'::bigint)))
);
alter table app.limits owner to llm_owner, enable row level security, force row level security;
create policy own_key_or_admin_add on app.limits as restrictive for insert to llm_tenant
  with check ((subject ~ '^(user|key):'::text) AND ((( SELECT app.role() AS role) = 'admin'::text) OR ((NOT by_admin) AND (subject ~~ 'key:%'::text) AND app.holds_for_me(subject))));
create policy own_key_or_admin_change on app.limits as restrictive for update to llm_tenant
  using ((subject ~ '^(user|key):'::text) AND ((( SELECT app.role() AS role) = 'admin'::text) OR ((NOT by_admin) AND (subject ~~ 'key:%'::text) AND app.holds_for_me(subject))))
  with check ((subject ~ '^(user|key):'::text) AND ((( SELECT app.role() AS role) = 'admin'::text) OR ((NOT by_admin) AND (subject ~~ 'key:%'::text) AND app.holds_for_me(subject))));
create policy own_key_or_admin_remove on app.limits as restrictive for delete to llm_tenant
  using ((subject ~ '^(user|key):'::text) AND ((( SELECT app.role() AS role) = 'admin'::text) OR ((NOT by_admin) AND (subject ~~ 'key:%'::text) AND app.holds_for_me(subject))));
create policy own_or_admin on app.limits as restrictive for select to llm_tenant
  using (app.holds_for_me(subject) OR (( SELECT app.role() AS role) = 'admin'::text));
create policy reader_wall on app.limits as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.limits as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.limits as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy backup_rows on app.limits as permissive for select to llm_backup
  using true;
create policy operator_rows on app.limits as permissive for all to llm_operator
  using true
  with check true;
create policy reader_read on app.limits as permissive for select to llm_reader
  using true;
create policy tenant_rows on app.limits as permissive for all to llm_tenant
  using true
  with check true;
create policy work_remove on app.limits as permissive for delete to llm_work
  using true;
create policy work_rows on app.limits as permissive for select to llm_work
  using true;
CREATE TRIGGER first_limit AFTER INSERT ON app.limits FOR EACH ROW EXECUTE FUNCTION work.first_limit();
grant select on app.limits to llm_auditor;
grant select on app.limits to llm_backup;
grant delete, insert (tenant_id, subject, requests_per_minute, tokens_per_minute, concurrent, budget, budget_period, alert_at), select on app.limits to llm_operator;
grant select on app.limits to llm_reader;
grant delete, insert (tenant_id, subject, requests_per_minute, tokens_per_minute, concurrent, budget, budget_period, alert_at, by_admin), select, update (requests_per_minute, tokens_per_minute, concurrent, budget, budget_period, alert_at, by_admin, updated_at) on app.limits to llm_tenant;
grant delete, select on app.limits to llm_work;

create table app.login_challenges (
  tenant_id uuid not null,
  id uuid not null,
  user_id uuid not null,
  ends_at timestamp with time zone not null,
  tries integer not null default 0,
  constraint login_challenges_pkey PRIMARY KEY (tenant_id, id),
  constraint login_challenges_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES app.users(tenant_id, id) ON DELETE CASCADE
);
alter table app.login_challenges owner to llm_owner, enable row level security, force row level security;
CREATE INDEX login_challenges_of_user ON app.login_challenges USING btree (tenant_id, user_id, ends_at);
create policy not_deleted on app.login_challenges as restrictive for select to llm_auditor, llm_reader, llm_tenant, llm_tracking
  using (( SELECT (NOT (EXISTS ( SELECT
           FROM app.deletions)))) OR (NOT (EXISTS ( SELECT
   FROM app.deletions d
  WHERE ((d.tenant_id = login_challenges.tenant_id) AND (d.id = login_challenges.user_id))))));
create policy own on app.login_challenges as restrictive for all to llm_tenant
  using (user_id = ( SELECT app.user_id() AS user_id))
  with check (user_id = ( SELECT app.user_id() AS user_id));
create policy reader_wall on app.login_challenges as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.login_challenges as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy backup_rows on app.login_challenges as permissive for select to llm_backup
  using true;
create policy operator_read on app.login_challenges as permissive for select to llm_operator
  using true;
create policy tenant_rows on app.login_challenges as permissive for all to llm_tenant
  using true
  with check true;
grant select on app.login_challenges to llm_backup;
grant select (tenant_id) on app.login_challenges to llm_operator;
grant delete, insert (tenant_id, id, user_id, ends_at), select, update (tries) on app.login_challenges to llm_tenant;

create table app.mails (
  tenant_id uuid not null,
  id uuid not null,
  subject_id uuid,
  address text not null,
  template text not null,
  data jsonb not null default '{}'::jsonb,
  token_id uuid,
  created_at timestamp with time zone not null default now(),
  attempts integer not null default 0,
  next_at timestamp with time zone not null default now(),
  worker uuid,
  ended_at timestamp with time zone,
  failure text,
  constraint mails_pkey PRIMARY KEY (tenant_id, id),
  constraint mails_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id),
  constraint mails_tenant_id_token_id_fkey FOREIGN KEY (tenant_id, token_id) REFERENCES app.one_time_tokens(tenant_id, id) ON DELETE CASCADE,
  constraint mails_address_check CHECK (((char_length(address) >= 3) AND (char_length(address) <= 254))),
  constraint mails_data_check CHECK (((jsonb_typeof(data) = 'object'::text) AND (octet_length((data)::text) <= 4096))),
  constraint mails_failure_check CHECK ((char_length(failure) <= 200)),
  constraint mails_template_check CHECK ((template ~ '^[a-z_]{1,50}$'::text))
);
alter table app.mails owner to llm_owner, enable row level security, force row level security;
CREATE INDEX mails_ended ON app.mails USING btree (ended_at, tenant_id) WHERE (ended_at IS NOT NULL);
CREATE INDEX mails_of_token ON app.mails USING btree (tenant_id, token_id) WHERE (token_id IS NOT NULL);
CREATE INDEX mails_open ON app.mails USING btree (tenant_id, next_at, id) WHERE (ended_at IS NULL);
CREATE INDEX mails_subject ON app.mails USING btree (tenant_id, subject_id, id) WHERE (subject_id IS NOT NULL);
create policy own_or_admin on app.mails as restrictive for select to llm_tenant
  using ((subject_id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text));
create policy reader_wall on app.mails as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.mails as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.mails as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy auth_add on app.mails as permissive for insert to llm_auth
  with check true;
create policy backup_rows on app.mails as permissive for select to llm_backup
  using true;
create policy operator_read on app.mails as permissive for select to llm_operator
  using true;
create policy operator_remove on app.mails as permissive for delete to llm_operator
  using (EXISTS ( SELECT
   FROM app.tenants t
  WHERE ((t.id = mails.tenant_id) AND (t.status = 'erased'::text))));
create policy reader_read on app.mails as permissive for select to llm_reader
  using true;
create policy tenant_add on app.mails as permissive for insert to llm_tenant
  with check true;
create policy tenant_rows on app.mails as permissive for select to llm_tenant
  using true;
create policy work_rows on app.mails as permissive for all to llm_work
  using true
  with check true;
grant select (tenant_id, id, subject_id, address, template, created_at, attempts, next_at, ended_at, failure) on app.mails to llm_auditor;
grant insert (tenant_id, id, subject_id, address, template, data, token_id) on app.mails to llm_auth;
grant select on app.mails to llm_backup;
grant delete, select (tenant_id, created_at, ended_at) on app.mails to llm_operator;
grant select (tenant_id, id, subject_id, address, template, created_at, attempts, next_at, ended_at, failure) on app.mails to llm_reader;
grant insert (tenant_id, id, subject_id, address, template, data, token_id), select (tenant_id, id, subject_id, template, token_id, created_at, attempts, next_at, ended_at, failure) on app.mails to llm_tenant;
grant delete, select, update (attempts, next_at, worker, ended_at, failure) on app.mails to llm_work;

create table app.messages (
  tenant_id uuid not null,
  id uuid not null,
  user_id uuid not null,
  conversation_id uuid,
  content text not null,
  response text,
  token_lengths integer[],
  created_at timestamp with time zone not null default now(),
  account text,
  request text,
  log text,
  tool_calls text,
  constraint messages_pkey PRIMARY KEY (tenant_id, id),
  constraint messages_tenant_id_user_id_id_key UNIQUE (tenant_id, user_id, id),
  constraint messages_tenant_id_user_id_conversation_id_fkey FOREIGN KEY (tenant_id, user_id, conversation_id) REFERENCES app.conversations(tenant_id, user_id, id) ON DELETE CASCADE,
  constraint messages_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES app.users(tenant_id, id) ON DELETE CASCADE,
  constraint messages_check CHECK (((response IS NULL) = (token_lengths IS NULL)))
);
alter table app.messages owner to llm_owner, enable row level security, force row level security;
CREATE INDEX messages_of_conversation ON app.messages USING btree (tenant_id, conversation_id, id) WHERE (conversation_id IS NOT NULL);
create policy not_deleted on app.messages as restrictive for select to llm_auditor, llm_reader, llm_tenant, llm_tracking
  using (( SELECT (NOT (EXISTS ( SELECT
           FROM app.deletions)))) OR (NOT (EXISTS ( SELECT
   FROM app.deletions d
  WHERE ((d.tenant_id = messages.tenant_id) AND (d.id = ANY (ARRAY[messages.id, messages.conversation_id, messages.user_id])))))));
create policy own_add on app.messages as restrictive for insert to llm_tenant
  with check (user_id = ( SELECT app.user_id() AS user_id));
create policy own_or_admin on app.messages as restrictive for select to llm_tenant
  using ((user_id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text));
create policy reader_wall on app.messages as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.messages as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.messages as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy backup_rows on app.messages as permissive for select to llm_backup
  using true;
create policy operator_read on app.messages as permissive for select to llm_operator
  using true;
create policy reader_read on app.messages as permissive for select to llm_reader
  using true;
create policy tenant_rows on app.messages as permissive for all to llm_tenant
  using true
  with check true;
create policy tracking_rows on app.messages as permissive for select to llm_tracking
  using true;
create policy work_change on app.messages as permissive for update to llm_work
  using true
  with check true;
create policy work_deleted on app.messages as permissive for delete to llm_work
  using (EXISTS ( SELECT
   FROM app.deletions d
  WHERE ((d.tenant_id = messages.tenant_id) AND (d.id = ANY (ARRAY[messages.id, messages.conversation_id, messages.user_id])))));
create policy work_rows on app.messages as permissive for select to llm_work
  using true;
grant select (tenant_id, id, user_id, conversation_id, created_at) on app.messages to llm_auditor;
grant select on app.messages to llm_backup;
grant select (tenant_id) on app.messages to llm_operator;
grant select (tenant_id, id, user_id, conversation_id, created_at) on app.messages to llm_reader;
grant select (content, response, request, log, tool_calls) on app.messages to llm_reader_content;
grant insert (tenant_id, id, user_id, conversation_id, content, request), select on app.messages to llm_tenant;
grant select (tenant_id, id, user_id, conversation_id, content, response, token_lengths, request, log) on app.messages to llm_tracking;
grant delete, select (tenant_id, id, user_id, conversation_id), update (content, response, token_lengths, account, request, log, tool_calls) on app.messages to llm_work;

create table app.one_time_tokens (
  tenant_id uuid not null,
  id uuid not null,
  purpose text not null,
  subject_id uuid not null,
  address text not null,
  hash bytea not null,
  created_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone not null,
  used_at timestamp with time zone,
  voided_at timestamp with time zone,
  constraint one_time_tokens_pkey PRIMARY KEY (tenant_id, id),
  constraint one_time_tokens_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id),
  constraint one_time_tokens_address_check CHECK (((char_length(address) >= 3) AND (char_length(address) <= 254))),
  constraint one_time_tokens_hash_check CHECK ((octet_length(hash) = 32)),
  constraint one_time_tokens_purpose_check CHECK ((purpose ~ '^[a-z_]{1,50}$'::text))
);
alter table app.one_time_tokens owner to llm_owner, enable row level security, force row level security;
CREATE INDEX one_time_tokens_expired ON app.one_time_tokens USING btree (expires_at, tenant_id);
CREATE INDEX one_time_tokens_hash ON app.one_time_tokens USING btree (hash, tenant_id) WHERE (octet_length(hash) = 32);
CREATE INDEX one_time_tokens_open ON app.one_time_tokens USING btree (tenant_id, subject_id, purpose) WHERE ((used_at IS NULL) AND (voided_at IS NULL));
CREATE INDEX one_time_tokens_subject ON app.one_time_tokens USING btree (tenant_id, subject_id, id);
create policy own_or_admin on app.one_time_tokens as restrictive for all to llm_tenant
  using ((subject_id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text))
  with check ((subject_id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text));
create policy own_or_invitation_add on app.one_time_tokens as restrictive for insert to llm_tenant
  with check (((subject_id = ( SELECT app.user_id() AS user_id)) AND (purpose = ANY (ARRAY['email_verify'::text, 'email_change'::text]))) OR ((( SELECT app.role() AS role) = 'admin'::text) AND (purpose = 'invitation'::text)));
create policy reader_wall on app.one_time_tokens as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.one_time_tokens as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.one_time_tokens as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy auth_rows on app.one_time_tokens as permissive for all to llm_auth
  using true
  with check true;
create policy backup_rows on app.one_time_tokens as permissive for select to llm_backup
  using true;
create policy operator_read on app.one_time_tokens as permissive for select to llm_operator
  using true;
create policy operator_remove on app.one_time_tokens as permissive for delete to llm_operator
  using (EXISTS ( SELECT
   FROM app.tenants t
  WHERE ((t.id = one_time_tokens.tenant_id) AND (t.status = 'erased'::text))));
create policy reader_read on app.one_time_tokens as permissive for select to llm_reader
  using true;
create policy tenant_add on app.one_time_tokens as permissive for insert to llm_tenant
  with check true;
create policy tenant_rows on app.one_time_tokens as permissive for select to llm_tenant
  using true;
create policy tenant_void on app.one_time_tokens as permissive for update to llm_tenant
  using (used_at IS NULL)
  with check (voided_at IS NOT NULL);
create policy work_lock on app.one_time_tokens as permissive for update to llm_work
  using true
  with check false;
create policy work_remove on app.one_time_tokens as permissive for delete to llm_work
  using true;
create policy work_rows on app.one_time_tokens as permissive for select to llm_work
  using true;
grant select (tenant_id, id, purpose, subject_id, address, created_at, expires_at, used_at, voided_at) on app.one_time_tokens to llm_auditor;
grant insert (tenant_id, id, purpose, subject_id, address, hash, expires_at), select, update (used_at, voided_at) on app.one_time_tokens to llm_auth;
grant select on app.one_time_tokens to llm_backup;
grant delete, select (tenant_id) on app.one_time_tokens to llm_operator;
grant select (tenant_id, id, purpose, subject_id, address, created_at, expires_at, used_at, voided_at) on app.one_time_tokens to llm_reader;
grant insert (tenant_id, id, purpose, subject_id, address, hash, expires_at), select (tenant_id, id, purpose, subject_id, created_at, expires_at, used_at, voided_at), update (voided_at) on app.one_time_tokens to llm_tenant;
grant delete, select (tenant_id, id, subject_id, address, hash, created_at, expires_at, used_at, voided_at), update (voided_at) on app.one_time_tokens to llm_work;

create table app.provider_keys (
  tenant_id uuid not null,
  id uuid not null,
  provider text not null,
  name text not null,
  models text[],
  key_version integer not null,
  sealed bytea not null,
  created_at timestamp with time zone not null default now(),
  disabled_at timestamp with time zone,
  constraint provider_keys_pkey PRIMARY KEY (tenant_id, id),
  constraint provider_keys_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id),
  constraint provider_keys_tenant_id_key_version_fkey FOREIGN KEY (tenant_id, key_version) REFERENCES app.tenant_keys(tenant_id, version),
  constraint provider_keys_models_check CHECK ((cardinality(models) <= 100)),
  constraint provider_keys_name_check CHECK ((char_length(name) <= 200)),
  constraint provider_keys_provider_check CHECK (((char_length(provider) >= 1) AND (char_length(provider) <= 100))),
  constraint provider_keys_sealed_check CHECK (((octet_length(sealed) >= 29) AND (octet_length(sealed) <= 4096)))
);
alter table app.provider_keys owner to llm_owner, enable row level security, force row level security;
CREATE INDEX provider_keys_of_provider ON app.provider_keys USING btree (tenant_id, provider, id);
create policy admins_add on app.provider_keys as restrictive for insert to llm_tenant
  with check (( SELECT app.role() AS role) = 'admin'::text);
create policy admins_change on app.provider_keys as restrictive for update to llm_tenant
  using (( SELECT app.role() AS role) = 'admin'::text)
  with check (( SELECT app.role() AS role) = 'admin'::text);
create policy admins_remove on app.provider_keys as restrictive for delete to llm_tenant
  using (( SELECT app.role() AS role) = 'admin'::text);
create policy reader_wall on app.provider_keys as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.provider_keys as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.provider_keys as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy backup_rows on app.provider_keys as permissive for select to llm_backup
  using true;
create policy operator_read on app.provider_keys as permissive for select to llm_operator
  using true;
create policy operator_remove on app.provider_keys as permissive for delete to llm_operator
  using (EXISTS ( SELECT
   FROM app.tenants t
  WHERE ((t.id = provider_keys.tenant_id) AND (t.status = 'erased'::text))));
create policy reader_read on app.provider_keys as permissive for select to llm_reader
  using true;
create policy tenant_rows on app.provider_keys as permissive for all to llm_tenant
  using true
  with check true;
grant select (tenant_id, id, provider, name, models, key_version, created_at, disabled_at) on app.provider_keys to llm_auditor;
grant select on app.provider_keys to llm_backup;
grant delete, select (tenant_id) on app.provider_keys to llm_operator;
grant select (tenant_id, id, provider, name, models, key_version, created_at, disabled_at) on app.provider_keys to llm_reader;
grant delete, insert (tenant_id, id, provider, name, models, key_version, sealed), select, update (name, models, disabled_at) on app.provider_keys to llm_tenant;

create table app.rates (
  tenant_id uuid not null,
  subject text not null,
  requests_at timestamp with time zone not null default '-infinity'::timestamp with time zone,
  tokens_at timestamp with time zone not null default '-infinity'::timestamp with time zone,
  constraint rates_pkey PRIMARY KEY (tenant_id, subject)
);
alter table app.rates owner to llm_owner, enable row level security, force row level security;
create policy own_or_admin on app.rates as restrictive for select to llm_tenant
  using (app.holds_for_me(subject) OR (( SELECT app.role() AS role) = 'admin'::text));
create policy reader_wall on app.rates as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.rates as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy backup_rows on app.rates as permissive for select to llm_backup
  using true;
create policy operator_read on app.rates as permissive for select to llm_operator
  using true;
create policy operator_remove on app.rates as permissive for delete to llm_operator
  using (EXISTS ( SELECT
   FROM app.tenants t
  WHERE ((t.id = rates.tenant_id) AND (t.status = 'erased'::text))));
create policy tenant_rows on app.rates as permissive for select to llm_tenant
  using true;
create policy work_rows on app.rates as permissive for all to llm_work
  using true
  with check true;
grant select on app.rates to llm_backup;
grant delete, select (tenant_id) on app.rates to llm_operator;
grant select on app.rates to llm_tenant;
grant delete, insert, select, update on app.rates to llm_work;

create table app.recovery_codes (
  tenant_id uuid not null,
  user_id uuid not null,
  code_hash bytea not null,
  created_at timestamp with time zone not null default now(),
  used_at timestamp with time zone,
  constraint recovery_codes_pkey PRIMARY KEY (tenant_id, user_id, code_hash),
  constraint recovery_codes_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES app.users(tenant_id, id) ON DELETE CASCADE,
  constraint recovery_codes_code_hash_check CHECK ((octet_length(code_hash) = 32))
);
alter table app.recovery_codes owner to llm_owner, enable row level security, force row level security;
create policy not_deleted on app.recovery_codes as restrictive for select to llm_auditor, llm_reader, llm_tenant, llm_tracking
  using (( SELECT (NOT (EXISTS ( SELECT
           FROM app.deletions)))) OR (NOT (EXISTS ( SELECT
   FROM app.deletions d
  WHERE ((d.tenant_id = recovery_codes.tenant_id) AND (d.id = recovery_codes.user_id))))));
create policy own on app.recovery_codes as restrictive for all to llm_tenant
  using (user_id = ( SELECT app.user_id() AS user_id))
  with check (user_id = ( SELECT app.user_id() AS user_id));
create policy reader_wall on app.recovery_codes as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.recovery_codes as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy backup_rows on app.recovery_codes as permissive for select to llm_backup
  using true;
create policy operator_read on app.recovery_codes as permissive for select to llm_operator
  using true;
create policy tenant_rows on app.recovery_codes as permissive for all to llm_tenant
  using true
  with check true;
grant select on app.recovery_codes to llm_backup;
grant select (tenant_id) on app.recovery_codes to llm_operator;
grant delete, insert (tenant_id, user_id, code_hash), select, update (used_at) on app.recovery_codes to llm_tenant;

create table app.session_tokens (
  tenant_id uuid not null,
  session_id uuid not null,
  place integer not null,
  hash bytea not null,
  constraint session_tokens_pkey PRIMARY KEY (tenant_id, session_id, place),
  constraint session_tokens_tenant_id_session_id_fkey FOREIGN KEY (tenant_id, session_id) REFERENCES app.sessions(tenant_id, id) ON DELETE CASCADE,
  constraint session_tokens_hash_check CHECK ((octet_length(hash) = 32))
);
alter table app.session_tokens owner to llm_owner, enable row level security, force row level security;
CREATE INDEX session_tokens_hash ON app.session_tokens USING btree (hash, tenant_id) WHERE (octet_length(hash) = 32);
create policy of_session on app.session_tokens as restrictive for select to llm_tenant
  using (EXISTS ( SELECT
   FROM app.sessions s
  WHERE ((s.tenant_id = session_tokens.tenant_id) AND (s.id = session_tokens.session_id))));
create policy reader_wall on app.session_tokens as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.session_tokens as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auth_rows on app.session_tokens as permissive for all to llm_auth
  using true
  with check true;
create policy backup_rows on app.session_tokens as permissive for select to llm_backup
  using true;
create policy operator_read on app.session_tokens as permissive for select to llm_operator
  using true;
create policy tenant_rows on app.session_tokens as permissive for select to llm_tenant
  using true;
create policy work_rows on app.session_tokens as permissive for all to llm_work
  using true
  with check false;
grant delete, insert, select on app.session_tokens to llm_auth;
grant select on app.session_tokens to llm_backup;
grant select (tenant_id) on app.session_tokens to llm_operator;
grant select (tenant_id, session_id, place) on app.session_tokens to llm_tenant;
grant delete, select (tenant_id, session_id, place) on app.session_tokens to llm_work;

create table app.sessions (
  tenant_id uuid not null,
  id uuid not null,
  user_id uuid not null,
  method text not null,
  token_epoch integer not null,
  secret_hash bytea not null,
  rotations integer not null default 0,
  rotated_at timestamp with time zone,
  device text,
  address text,
  created_at timestamp with time zone not null default now(),
  last_used_at timestamp with time zone not null default now(),
  idle_until timestamp with time zone not null,
  ends_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  ended_reason text,
  constraint sessions_pkey PRIMARY KEY (tenant_id, id),
  constraint sessions_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES app.users(tenant_id, id) ON DELETE CASCADE,
  constraint sessions_address_check CHECK ((char_length(address) <= 64)),
  constraint sessions_device_check CHECK ((char_length(device) <= 200)),
  constraint sessions_ended_reason_check CHECK ((ended_reason ~ '^[a-z_]{1,40}$'::text)),
  constraint sessions_idle_before_end CHECK ((idle_until <= ends_at)),
  constraint sessions_method_check CHECK ((method ~ '^[a-z_]{1,40}$'::text)),
  constraint sessions_reason_of_end CHECK (((ended_at IS NULL) = (ended_reason IS NULL))),
  constraint sessions_secret_hash_check CHECK ((octet_length(secret_hash) = 32))
);
alter table app.sessions owner to llm_owner, enable row level security, force row level security;
CREATE INDEX sessions_of_user ON app.sessions USING btree (tenant_id, user_id, id);
CREATE INDEX sessions_open ON app.sessions USING btree (tenant_id, user_id, id) WHERE (ended_at IS NULL);
CREATE INDEX sessions_over ON app.sessions USING btree (COALESCE(ended_at, idle_until), tenant_id);
CREATE INDEX sessions_secret ON app.sessions USING btree (secret_hash, tenant_id) WHERE (octet_length(secret_hash) = 32);
create policy not_deleted on app.sessions as restrictive for select to llm_auditor, llm_reader, llm_tenant, llm_tracking
  using (( SELECT (NOT (EXISTS ( SELECT
           FROM app.deletions)))) OR (NOT (EXISTS ( SELECT
   FROM app.deletions d
  WHERE ((d.tenant_id = sessions.tenant_id) AND (d.id = sessions.user_id))))));
create policy own_add on app.sessions as restrictive for insert to llm_tenant
  with check (user_id = ( SELECT app.user_id() AS user_id));
create policy own_or_admin on app.sessions as restrictive for select to llm_tenant
  using ((user_id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text));
create policy own_or_admin_change on app.sessions as restrictive for update to llm_tenant
  using ((ended_at IS NULL) AND ((user_id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text)))
  with check ((user_id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text));
create policy reader_wall on app.sessions as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.sessions as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.sessions as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy auth_read on app.sessions as permissive for select to llm_auth
  using true;
create policy auth_use on app.sessions as permissive for update to llm_auth
  using true
  with check true;
create policy backup_rows on app.sessions as permissive for select to llm_backup
  using true;
create policy operator_read on app.sessions as permissive for select to llm_operator
  using true;
create policy reader_read on app.sessions as permissive for select to llm_reader
  using true;
create policy tenant_rows on app.sessions as permissive for all to llm_tenant
  using true
  with check true;
create policy work_change on app.sessions as permissive for update to llm_work
  using true
  with check false;
create policy work_deleted on app.sessions as permissive for delete to llm_work
  using ((COALESCE(ended_at, idle_until) < (now() - '30 days'::interval)) OR (EXISTS ( SELECT
   FROM app.deletions d
  WHERE ((d.tenant_id = sessions.tenant_id) AND (d.id = sessions.user_id)))));
create policy work_rows on app.sessions as permissive for select to llm_work
  using true;
grant select (tenant_id, id, user_id, method, rotations, rotated_at, device, address, created_at, last_used_at, idle_until, ends_at, ended_at, ended_reason) on app.sessions to llm_auditor;
grant select (tenant_id, id, user_id, token_epoch, secret_hash, rotations, rotated_at, idle_until, ends_at, ended_at), update (secret_hash, rotations, rotated_at, address, last_used_at, idle_until, ended_at, ended_reason) on app.sessions to llm_auth;
grant select on app.sessions to llm_backup;
grant select (tenant_id) on app.sessions to llm_operator;
grant select (tenant_id, id, user_id, method, rotations, rotated_at, device, address, created_at, last_used_at, idle_until, ends_at, ended_at, ended_reason) on app.sessions to llm_reader;
grant insert (tenant_id, id, user_id, method, token_epoch, secret_hash, device, address, idle_until, ends_at), select (tenant_id, id, user_id, method, token_epoch, rotations, rotated_at, device, address, created_at, last_used_at, idle_until, ends_at, ended_at, ended_reason), update (token_epoch, ended_at, ended_reason) on app.sessions to llm_tenant;
grant delete, select (tenant_id, id, user_id, idle_until, ended_at), update (last_used_at) on app.sessions to llm_work;

create table app.sso_connections (
  tenant_id uuid not null,
  id uuid not null,
  slug text not null,
  issuer text not null,
  client_id text not null,
  key_version integer,
  sealed bytea,
  domains text[] not null default '{}'::text[],
  trust_email boolean not null default false,
  jit boolean not null default false,
  role_claim text,
  admin_values text[] not null default '{}'::text[],
  required boolean not null default false,
  enabled boolean not null default true,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint sso_connections_pkey PRIMARY KEY (tenant_id, id),
  constraint sso_connections_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id),
  constraint sso_connections_tenant_id_key_version_fkey FOREIGN KEY (tenant_id, key_version) REFERENCES app.tenant_keys(tenant_id, version),
  constraint sso_connections_admin_values_check CHECK ((cardinality(admin_values) <= 100)),
  constraint sso_connections_client_id_check CHECK (((char_length(client_id) <= 300) AND (client_id ~ '^[!-~]+$'::text))),
  constraint sso_connections_domains_check CHECK ((cardinality(domains) <= 100)),
  constraint sso_connections_issuer_check CHECK (((char_length(issuer) <= 500) AND (issuer ~ '^https?://[!-~]+$'::text))),
  constraint sso_connections_role CHECK (((role_claim IS NOT NULL) OR (admin_values = '{}'::text[]))),
  constraint sso_connections_role_claim_check CHECK (((char_length(role_claim) >= 1) AND (char_length(role_claim) <= 200))),
  constraint sso_connections_sealed CHECK (((sealed IS NULL) OR (key_version IS NOT NULL))),
  constraint sso_connections_sealed_check CHECK (((octet_length(sealed) >= 29) AND (octet_length(sealed) <= 4096))),
  constraint sso_connections_slug_check CHECK ((slug ~ '^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$'::text))
);
alter table app.sso_connections owner to llm_owner, enable row level security, force row level security;
create policy admins_only on app.sso_connections as restrictive for all to llm_tenant
  using (( SELECT app.role() AS role) = 'admin'::text)
  with check (( SELECT app.role() AS role) = 'admin'::text);
create policy reader_wall on app.sso_connections as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.sso_connections as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.sso_connections as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy auth_lock on app.sso_connections as permissive for update to llm_auth
  using true
  with check false;
create policy auth_read on app.sso_connections as permissive for select to llm_auth
  using true;
create policy backup_rows on app.sso_connections as permissive for select to llm_backup
  using true;
create policy operator_rows on app.sso_connections as permissive for all to llm_operator
  using true
  with check (NOT required);
create policy reader_read on app.sso_connections as permissive for select to llm_reader
  using true;
create policy tenant_rows on app.sso_connections as permissive for all to llm_tenant
  using true
  with check true;
grant select (tenant_id, id, slug, issuer, client_id, key_version, domains, trust_email, jit, role_claim, admin_values, required, enabled, created_at, updated_at) on app.sso_connections to llm_auditor;
grant select, update (updated_at) on app.sso_connections to llm_auth;
grant select on app.sso_connections to llm_backup;
grant delete, select (tenant_id, required, enabled), update (required, updated_at) on app.sso_connections to llm_operator;
grant select (tenant_id, id, slug, issuer, client_id, key_version, domains, trust_email, jit, role_claim, admin_values, required, enabled, created_at, updated_at) on app.sso_connections to llm_reader;
grant delete, insert (tenant_id, id, slug, issuer, client_id, key_version, sealed, domains, trust_email, jit, role_claim, admin_values, required, enabled), select, update (id, slug, issuer, client_id, key_version, sealed, domains, trust_email, jit, role_claim, admin_values, required, enabled, updated_at) on app.sso_connections to llm_tenant;

create table app.sso_identities (
  tenant_id uuid not null,
  issuer text not null,
  subject text not null,
  user_id uuid not null,
  created_at timestamp with time zone not null default now(),
  last_login_at timestamp with time zone,
  id uuid not null default gen_random_uuid(),
  origin text not null default 'tenant'::text,
  constraint sso_identities_pkey PRIMARY KEY (tenant_id, origin, issuer, subject),
  constraint sso_identities_id UNIQUE (tenant_id, id),
  constraint sso_identities_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES app.users(tenant_id, id) ON DELETE CASCADE,
  constraint sso_identities_issuer_check CHECK ((char_length(issuer) <= 500)),
  constraint sso_identities_origin_check CHECK ((origin = ANY (ARRAY['tenant'::text, 'installation'::text]))),
  constraint sso_identities_subject_check CHECK (((char_length(subject) >= 1) AND (char_length(subject) <= 255)))
);
alter table app.sso_identities owner to llm_owner, enable row level security, force row level security;
CREATE INDEX sso_identities_of_user ON app.sso_identities USING btree (tenant_id, user_id);
CREATE INDEX sso_identities_person ON app.sso_identities USING btree (issuer, subject, tenant_id) WHERE (origin = 'installation'::text);
create policy not_deleted on app.sso_identities as restrictive for select to llm_auditor, llm_reader, llm_tenant, llm_tracking
  using (( SELECT (NOT (EXISTS ( SELECT
           FROM app.deletions)))) OR (NOT (EXISTS ( SELECT
   FROM app.deletions d
  WHERE ((d.tenant_id = sso_identities.tenant_id) AND (d.id = sso_identities.user_id))))));
create policy own_or_admin on app.sso_identities as restrictive for all to llm_tenant
  using ((user_id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text))
  with check false;
create policy reader_wall on app.sso_identities as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.sso_identities as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.sso_identities as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy auth_rows on app.sso_identities as permissive for all to llm_auth
  using true
  with check true;
create policy backup_rows on app.sso_identities as permissive for select to llm_backup
  using true;
create policy operator_read on app.sso_identities as permissive for select to llm_operator
  using true;
create policy reader_read on app.sso_identities as permissive for select to llm_reader
  using true;
create policy tenant_rows on app.sso_identities as permissive for all to llm_tenant
  using true
  with check true;
create policy work_deleted on app.sso_identities as permissive for delete to llm_work
  using (EXISTS ( SELECT
   FROM app.deletions d
  WHERE ((d.tenant_id = sso_identities.tenant_id) AND (d.id = sso_identities.user_id))));
create policy work_rows on app.sso_identities as permissive for select to llm_work
  using true;
grant select on app.sso_identities to llm_auditor;
grant insert (tenant_id, issuer, subject, user_id, last_login_at, id, origin), select, update (user_id, last_login_at) on app.sso_identities to llm_auth;
grant select on app.sso_identities to llm_backup;
grant select (tenant_id) on app.sso_identities to llm_operator;
grant select on app.sso_identities to llm_reader;
grant delete, select on app.sso_identities to llm_tenant;
grant delete, select (tenant_id, user_id) on app.sso_identities to llm_work;

create table app.tenant_keys (
  tenant_id uuid not null,
  version integer not null,
  wrapped bytea not null,
  wrapped_by text not null,
  created_at timestamp with time zone not null default now(),
  wrapped_at timestamp with time zone not null default now(),
  constraint tenant_keys_pkey PRIMARY KEY (tenant_id, version),
  constraint tenant_keys_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id),
  constraint tenant_keys_version_check CHECK ((version > 0)),
  constraint tenant_keys_wrapped_by_check CHECK ((wrapped_by ~ '^[0-9a-f]{16}$'::text)),
  constraint tenant_keys_wrapped_check CHECK ((octet_length(wrapped) = 60))
);
alter table app.tenant_keys owner to llm_owner, enable row level security, force row level security;
create policy reader_wall on app.tenant_keys as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.tenant_keys as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.tenant_keys as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy auth_read on app.tenant_keys as permissive for select to llm_auth
  using true;
create policy backup_rows on app.tenant_keys as permissive for select to llm_backup
  using true;
create policy operator_read on app.tenant_keys as permissive for select to llm_operator
  using true;
create policy operator_remove on app.tenant_keys as permissive for delete to llm_operator
  using (EXISTS ( SELECT
   FROM app.tenants t
  WHERE ((t.id = tenant_keys.tenant_id) AND (t.status = 'erased'::text))));
create policy reader_read on app.tenant_keys as permissive for select to llm_reader
  using true;
create policy tenant_add on app.tenant_keys as permissive for insert to llm_tenant
  with check true;
create policy tenant_rows on app.tenant_keys as permissive for select to llm_tenant
  using true;
create policy work_change on app.tenant_keys as permissive for update to llm_work
  using true
  with check true;
create policy work_rows on app.tenant_keys as permissive for select to llm_work
  using true;
grant select (tenant_id, version, wrapped_by, created_at, wrapped_at) on app.tenant_keys to llm_auditor;
grant select (tenant_id, version, wrapped, wrapped_by) on app.tenant_keys to llm_auth;
grant select on app.tenant_keys to llm_backup;
grant delete, select (tenant_id) on app.tenant_keys to llm_operator;
grant select (tenant_id, version, wrapped_by, created_at, wrapped_at) on app.tenant_keys to llm_reader;
grant insert (tenant_id, version, wrapped, wrapped_by), select (tenant_id, version, wrapped, wrapped_by) on app.tenant_keys to llm_tenant;
grant select (tenant_id, version, wrapped, wrapped_by), update (wrapped, wrapped_by, wrapped_at) on app.tenant_keys to llm_work;

create table app.tenants (
  id uuid not null,
  name text not null,
  status text not null default 'active'::text,
  registration text not null default 'open'::text,
  bootstrapped_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  content_retention text not null default 'full'::text,
  content_days integer,
  content_removed_until uuid,
  markup numeric not null default 1,
  plan_id uuid,
  models text[],
  content_days_at_most integer,
  limited boolean not null default false,
  second_factor text not null default 'optional'::text,
  second_factor_after_sso boolean not null default false,
  tenant_switch boolean not null default true,
  link_by_email boolean not null default false,
  constraint tenants_pkey PRIMARY KEY (id),
  constraint tenants_content_days_at_most_check CHECK (((content_days_at_most >= 0) AND (content_days_at_most <= 36500))),
  constraint tenants_content_days_check CHECK (((content_days >= 1) AND (content_days <= 36500))),
  constraint tenants_content_retention_check CHECK ((content_retention = ANY (ARRAY['full'::text, 'none'::text, 'days'::text]))),
  constraint tenants_days_of_retention CHECK (((content_retention = 'days'::text) = (content_days IS NOT NULL))),
  constraint tenants_markup_check CHECK (((markup >= (0)::numeric) AND (markup <= (1000)::numeric) AND (scale(markup) <= 6))),
  constraint tenants_models_check CHECK ((cardinality(models) <= 1000)),
  constraint tenants_name_check CHECK (((char_length(name) <= 200) AND (name ~ '[^ ]'::text) AND (name !~ '[\u0001-\u001f\u007f-\u009f]'::text))),
  constraint tenants_registration_check CHECK ((registration = ANY (ARRAY['open'::text, 'closed'::text]))),
  constraint tenants_second_factor_check CHECK ((second_factor = ANY (ARRAY['optional'::text, 'admins'::text, 'everybody'::text]))),
  constraint tenants_status_check CHECK ((status = ANY (ARRAY['active'::text, 'suspended'::text, 'erased'::text])))
);
alter table app.tenants owner to llm_owner, enable row level security, force row level security;
CREATE INDEX tenants_not_active ON app.tenants USING btree (id) WHERE (status <> 'active'::text);
CREATE INDEX tenants_of_days ON app.tenants USING btree (id) WHERE (content_retention = 'days'::text);
CREATE INDEX tenants_of_plan ON app.tenants USING btree (plan_id, id) WHERE (plan_id IS NOT NULL);
create policy admins_change on app.tenants as restrictive for update to llm_tenant
  using (( SELECT app.role() AS role) = 'admin'::text)
  with check (( SELECT app.role() AS role) = 'admin'::text);
create policy reader_wall on app.tenants as restrictive for all to llm_reader
  using (id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.tenants as restrictive for all to llm_tenant
  using (id = ( SELECT app.tenant_id() AS tenant_id))
  with check (id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.tenants as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy auth_add on app.tenants as permissive for insert to llm_auth
  with check true;
create policy auth_bootstrap on app.tenants as permissive for update to llm_auth
  using (bootstrapped_at IS NULL)
  with check (bootstrapped_at IS NOT NULL);
create policy auth_lock on app.tenants as permissive for update to llm_auth
  using true
  with check false;
create policy auth_read on app.tenants as permissive for select to llm_auth
  using true;
create policy backup_rows on app.tenants as permissive for select to llm_backup
  using true;
create policy operator_rows on app.tenants as permissive for all to llm_operator
  using true
  with check true;
create policy reader_read on app.tenants as permissive for select to llm_reader
  using true;
create policy tenant_change on app.tenants as permissive for update to llm_tenant
  using true
  with check true;
create policy tenant_rows on app.tenants as permissive for select to llm_tenant
  using true;
create policy work_change on app.tenants as permissive for update to llm_work
  using true
  with check true;
create policy work_rows on app.tenants as permissive for select to llm_work
  using true;
CREATE TRIGGER within_plan BEFORE UPDATE OF content_retention, content_days ON app.tenants FOR EACH ROW WHEN (((new.content_days_at_most IS NOT NULL) AND ((new.content_retention = 'full'::text) OR ((new.content_retention = 'days'::text) AND (new.content_days > new.content_days_at_most))))) EXECUTE FUNCTION app.within_plan();
grant select on app.tenants to llm_auditor;
grant insert (id, name, registration), select, select (second_factor, second_factor_after_sso, tenant_switch, link_by_email), update (bootstrapped_at) on app.tenants to llm_auth;
grant select on app.tenants to llm_backup;
grant insert (id, name, registration), select, update (name, status, registration, content_retention, content_days, markup, plan_id, models, content_days_at_most) on app.tenants to llm_operator;
grant select (id, name, status, registration, bootstrapped_at, created_at, content_retention, content_days, content_removed_until, plan_id, models, content_days_at_most, limited, second_factor, second_factor_after_sso, tenant_switch, link_by_email) on app.tenants to llm_reader;
grant select (id, name, status, registration, bootstrapped_at, created_at, content_retention, content_days, content_removed_until, plan_id, models, content_days_at_most, limited, second_factor, second_factor_after_sso, tenant_switch, link_by_email), update (name, registration, content_retention, content_days, second_factor, second_factor_after_sso, tenant_switch, link_by_email) on app.tenants to llm_tenant;
grant select (id, name, status, content_retention, content_days, content_removed_until, markup, limited), update (content_removed_until, limited) on app.tenants to llm_work;

create table app.totp_secrets (
  tenant_id uuid not null,
  factor_id uuid not null,
  user_id uuid not null,
  key_version integer not null,
  sealed bytea not null,
  last_step bigint not null default 0,
  failures integer not null default 0,
  whole_at timestamp with time zone not null default '-infinity'::timestamp with time zone,
  constraint totp_secrets_pkey PRIMARY KEY (tenant_id, factor_id),
  constraint totp_secrets_tenant_id_factor_id_fkey FOREIGN KEY (tenant_id, factor_id) REFERENCES app.factors(tenant_id, id) ON DELETE CASCADE,
  constraint totp_secrets_tenant_id_key_version_fkey FOREIGN KEY (tenant_id, key_version) REFERENCES app.tenant_keys(tenant_id, version),
  constraint totp_secrets_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES app.users(tenant_id, id) ON DELETE CASCADE,
  constraint totp_secrets_sealed_check CHECK (((octet_length(sealed) >= 29) AND (octet_length(sealed) <= 256)))
);
alter table app.totp_secrets owner to llm_owner, enable row level security, force row level security;
create policy not_deleted on app.totp_secrets as restrictive for select to llm_auditor, llm_reader, llm_tenant, llm_tracking
  using (( SELECT (NOT (EXISTS ( SELECT
           FROM app.deletions)))) OR (NOT (EXISTS ( SELECT
   FROM app.deletions d
  WHERE ((d.tenant_id = totp_secrets.tenant_id) AND (d.id = totp_secrets.user_id))))));
create policy own on app.totp_secrets as restrictive for all to llm_tenant
  using (user_id = ( SELECT app.user_id() AS user_id))
  with check (user_id = ( SELECT app.user_id() AS user_id));
create policy reader_wall on app.totp_secrets as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.totp_secrets as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy backup_rows on app.totp_secrets as permissive for select to llm_backup
  using true;
create policy operator_read on app.totp_secrets as permissive for select to llm_operator
  using true;
create policy operator_remove on app.totp_secrets as permissive for delete to llm_operator
  using (EXISTS ( SELECT
   FROM app.tenants t
  WHERE ((t.id = totp_secrets.tenant_id) AND (t.status = 'erased'::text))));
create policy tenant_rows on app.totp_secrets as permissive for all to llm_tenant
  using true
  with check true;
grant select on app.totp_secrets to llm_backup;
grant delete, select (tenant_id) on app.totp_secrets to llm_operator;
grant insert (tenant_id, factor_id, user_id, key_version, sealed), select, update (last_step, failures, whole_at) on app.totp_secrets to llm_tenant;

create table app.tracking_outbox (
  tenant_id uuid not null,
  generation_id uuid not null,
  created_at timestamp with time zone not null default now(),
  claimed_by uuid,
  claimed_until timestamp with time zone,
  attempts integer not null default 0,
  next_attempt_at timestamp with time zone not null default now(),
  run_id text,
  trace_sent boolean not null default false,
  parked_reason text,
  run_done boolean not null default false,
  unsure boolean not null default false,
  revision integer not null default 1,
  constraint tracking_outbox_pkey PRIMARY KEY (tenant_id, generation_id),
  constraint tracking_outbox_tenant_id_generation_id_fkey FOREIGN KEY (tenant_id, generation_id) REFERENCES app.generations(tenant_id, id) ON DELETE CASCADE,
  constraint tracking_outbox_parked_reason_check CHECK ((char_length(parked_reason) <= 1000)),
  constraint tracking_outbox_run_id_check CHECK ((char_length(run_id) <= 100))
);
alter table app.tracking_outbox owner to llm_owner, enable row level security, force row level security;
CREATE INDEX tracking_outbox_due ON app.tracking_outbox USING btree (next_attempt_at, tenant_id) WHERE (parked_reason IS NULL);
create policy admins_read on app.tracking_outbox as restrictive for select to llm_tenant
  using (( SELECT app.role() AS role) = 'admin'::text);
create policy reader_wall on app.tracking_outbox as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.tracking_outbox as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.tracking_outbox as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy backup_rows on app.tracking_outbox as permissive for select to llm_backup
  using true;
create policy operator_lock on app.tracking_outbox as permissive for update to llm_operator
  using true
  with check false;
create policy operator_read on app.tracking_outbox as permissive for select to llm_operator
  using true;
create policy operator_remove on app.tracking_outbox as permissive for delete to llm_operator
  using (EXISTS ( SELECT
   FROM app.tenants t
  WHERE ((t.id = tracking_outbox.tenant_id) AND (t.status = 'erased'::text))));
create policy reader_read on app.tracking_outbox as permissive for select to llm_reader
  using true;
create policy tenant_rows on app.tracking_outbox as permissive for select to llm_tenant
  using true;
create policy tracking_rows on app.tracking_outbox as permissive for all to llm_tracking
  using true
  with check true;
create policy work_rows on app.tracking_outbox as permissive for all to llm_work
  using true
  with check true;
grant select (tenant_id, generation_id, created_at, claimed_until, attempts, next_attempt_at, parked_reason) on app.tracking_outbox to llm_auditor;
grant select on app.tracking_outbox to llm_backup;
grant delete, select (tenant_id, generation_id, created_at, parked_reason), update (claimed_until) on app.tracking_outbox to llm_operator;
grant select (tenant_id, generation_id, created_at, claimed_until, attempts, next_attempt_at, parked_reason) on app.tracking_outbox to llm_reader;
grant select on app.tracking_outbox to llm_tenant;
grant delete, insert, select, update on app.tracking_outbox to llm_tracking;
grant insert (tenant_id, generation_id) on app.tracking_outbox to llm_work;

create table app.usage_days (
  tenant_id uuid not null,
  grain text not null,
  day date not null,
  user_id uuid not null,
  key_id uuid not null,
  model text not null,
  door text not null,
  requests bigint not null,
  errors bigint not null,
  unpriced bigint not null,
  counts jsonb not null,
  tenant_amount numeric not null,
  provider_amount numeric not null,
  constraint usage_days_pkey PRIMARY KEY (tenant_id, grain, user_id, day, key_id, model, door),
  constraint usage_days_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id),
  constraint usage_days_counts_check CHECK ((jsonb_typeof(counts) = 'object'::text)),
  constraint usage_days_door_check CHECK ((char_length(door) <= 50)),
  constraint usage_days_grain_check CHECK ((grain = ANY (ARRAY['user'::text, 'model'::text, 'both'::text]))),
  constraint usage_days_model_check CHECK ((char_length(model) <= 200))
);
alter table app.usage_days owner to llm_owner, enable row level security, force row level security;
CREATE INDEX usage_days_of_day ON app.usage_days USING btree (tenant_id, grain, day);
create policy own_or_admin on app.usage_days as restrictive for select to llm_tenant
  using ((user_id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text));
create policy reader_wall on app.usage_days as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.usage_days as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.usage_days as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy backup_rows on app.usage_days as permissive for select to llm_backup
  using true;
create policy operator_read on app.usage_days as permissive for select to llm_operator
  using true;
create policy reader_read on app.usage_days as permissive for select to llm_reader
  using true;
create policy tenant_rows on app.usage_days as permissive for select to llm_tenant
  using true;
create policy work_rows on app.usage_days as permissive for all to llm_work
  using true
  with check true;
grant select on app.usage_days to llm_auditor;
grant select on app.usage_days to llm_backup;
grant select (tenant_id, grain, day, model, requests, errors, counts, tenant_amount, provider_amount) on app.usage_days to llm_operator;
grant select (tenant_id, grain, day, user_id, key_id, model, door, requests, errors, unpriced, counts, tenant_amount) on app.usage_days to llm_reader;
grant select (tenant_id, grain, day, user_id, key_id, model, door, requests, errors, unpriced, counts, tenant_amount) on app.usage_days to llm_tenant;
grant delete, insert, select, update on app.usage_days to llm_work;

create table app.usage_queue (
  tenant_id uuid not null,
  ledger_id uuid not null,
  constraint usage_queue_pkey PRIMARY KEY (tenant_id, ledger_id)
);
alter table app.usage_queue owner to llm_owner, enable row level security, force row level security;
create policy reader_wall on app.usage_queue as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.usage_queue as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.usage_queue as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy backup_rows on app.usage_queue as permissive for select to llm_backup
  using true;
create policy operator_add on app.usage_queue as permissive for insert to llm_operator
  with check true;
create policy operator_read on app.usage_queue as permissive for select to llm_operator
  using true;
create policy reader_read on app.usage_queue as permissive for select to llm_reader
  using true;
create policy tenant_rows on app.usage_queue as permissive for select to llm_tenant
  using true;
create policy work_rows on app.usage_queue as permissive for all to llm_work
  using true
  with check true;
grant select on app.usage_queue to llm_auditor;
grant select on app.usage_queue to llm_backup;
grant insert (tenant_id, ledger_id), select on app.usage_queue to llm_operator;
grant select on app.usage_queue to llm_reader;
grant select on app.usage_queue to llm_tenant;
grant delete, insert, select, update on app.usage_queue to llm_work;

create table app.users (
  tenant_id uuid not null,
  id uuid not null,
  email text not null,
  role text not null,
  status text not null default 'active'::text,
  created_at timestamp with time zone not null default now(),
  token_epoch integer not null default 0,
  deleted_at timestamp with time zone,
  kind text not null default 'person'::text,
  name text,
  email_verified_at timestamp with time zone,
  constraint users_pkey PRIMARY KEY (tenant_id, id),
  constraint users_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id),
  constraint users_email_check CHECK (((char_length(email) >= 3) AND (char_length(email) <= 254) AND (email ~ '^[^@ ]+@[^@ ]+$'::text) AND (email !~ '[A-Z]'::text))),
  constraint users_kind_check CHECK ((kind = ANY (ARRAY['person'::text, 'service'::text]))),
  constraint users_name_check CHECK ((char_length(name) <= 200)),
  constraint users_name_of_service CHECK (((kind = 'service'::text) = (name IS NOT NULL))),
  constraint users_role_check CHECK ((role = ANY (ARRAY['admin'::text, 'user'::text]))),
  constraint users_status_check CHECK ((status = ANY (ARRAY['active'::text, 'disabled'::text])))
);
alter table app.users owner to llm_owner, enable row level security, force row level security;
CREATE INDEX users_admins ON app.users USING btree (tenant_id) WHERE ((role = 'admin'::text) AND (status = 'active'::text) AND (kind = 'person'::text) AND (deleted_at IS NULL));
CREATE INDEX users_email ON app.users USING btree (email, tenant_id);
CREATE INDEX users_of_kind ON app.users USING btree (tenant_id, kind, id);
CREATE UNIQUE INDEX users_tenant_id_email_key ON app.users USING btree (tenant_id, email) WHERE (deleted_at IS NULL);
create policy admins_add on app.users as restrictive for insert to llm_tenant
  with check (( SELECT app.role() AS role) = 'admin'::text);
create policy not_deleted on app.users as restrictive for select to llm_auditor, llm_auth, llm_reader, llm_tenant
  using (deleted_at IS NULL);
create policy own_or_admin on app.users as restrictive for select to llm_tenant
  using ((id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text));
create policy own_or_admin_change on app.users as restrictive for update to llm_tenant
  using ((id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text))
  with check ((( SELECT app.role() AS role) = 'admin'::text) OR ((id = ( SELECT app.user_id() AS user_id)) AND (role = ( SELECT app.role() AS role)) AND (status = 'active'::text)));
create policy reader_wall on app.users as restrictive for all to llm_reader
  using (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant))
  with check (tenant_id = ( SELECT app.reader_tenant() AS reader_tenant));
create policy tenant_wall on app.users as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.users as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy auth_add on app.users as permissive for insert to llm_auth
  with check true;
create policy auth_change on app.users as permissive for update to llm_auth
  using true
  with check true;
create policy auth_read on app.users as permissive for select to llm_auth
  using true;
create policy auth_role on app.users as permissive for update to llm_auth
  using (kind = 'person'::text)
  with check (kind = 'person'::text);
create policy backup_rows on app.users as permissive for select to llm_backup
  using true;
create policy operator_lock on app.users as permissive for update to llm_operator
  using true
  with check false;
create policy operator_read on app.users as permissive for select to llm_operator
  using true;
create policy reader_read on app.users as permissive for select to llm_reader
  using true;
create policy tenant_rows on app.users as permissive for all to llm_tenant
  using true
  with check true;
create policy work_change on app.users as permissive for update to llm_work
  using true
  with check (deleted_at IS NOT NULL);
create policy work_deleted on app.users as permissive for delete to llm_work
  using (deleted_at IS NOT NULL);
create policy work_rows on app.users as permissive for select to llm_work
  using true;
CREATE TRIGGER end_sessions AFTER UPDATE OF status, token_epoch ON app.users FOR EACH ROW WHEN (((new.status <> 'active'::text) OR (old.token_epoch <> new.token_epoch))) EXECUTE FUNCTION app.end_sessions();
CREATE TRIGGER keep_an_admin_delete AFTER DELETE ON app.users FOR EACH ROW WHEN (((old.role = 'admin'::text) AND (old.status = 'active'::text) AND (old.deleted_at IS NULL))) EXECUTE FUNCTION app.keep_an_admin();
CREATE TRIGGER keep_an_admin_update AFTER UPDATE ON app.users FOR EACH ROW WHEN (((old.role = 'admin'::text) AND (old.status = 'active'::text) AND ((new.role <> 'admin'::text) OR (new.status <> 'active'::text)))) EXECUTE FUNCTION app.keep_an_admin();
CREATE TRIGGER void_links AFTER UPDATE OF status, token_epoch ON app.users FOR EACH ROW WHEN (((new.status <> old.status) OR (new.token_epoch <> old.token_epoch))) EXECUTE FUNCTION app.void_links();
grant select (tenant_id, id, email, role, status, created_at, deleted_at, kind, name, email_verified_at) on app.users to llm_auditor;
grant insert (tenant_id, id, email, role, email_verified_at), select (tenant_id, id, email, role, status, created_at, token_epoch, deleted_at, kind, email_verified_at), update (email, role, token_epoch, email_verified_at) on app.users to llm_auth;
grant select on app.users to llm_backup;
grant select (tenant_id, id, role, status, deleted_at, kind), update (deleted_at) on app.users to llm_operator;
grant select (tenant_id, id, email, role, status, created_at, deleted_at, kind, name, email_verified_at) on app.users to llm_reader;
grant insert (tenant_id, id, email, role, kind, name), select, update (role, status, token_epoch) on app.users to llm_tenant;
grant delete, select (tenant_id, id, deleted_at), update (deleted_at) on app.users to llm_work;

create table meta.accepted (
  kind text not null,
  object text not null,
  aspect text not null,
  fact text not null,
  accepted_at timestamp with time zone not null default now(),
  constraint accepted_pkey PRIMARY KEY (kind, object, aspect)
);
alter table meta.accepted owner to llm_owner;
grant select on meta.accepted to llm_api;
grant select on meta.accepted to llm_backup;

create table meta.locks (
  name text not null,
  held boolean not null default true,
  constraint locks_pkey PRIMARY KEY (name),
  constraint locks_held_check CHECK (held)
);
alter table meta.locks owner to llm_owner;
grant select on meta.locks to llm_backup;
grant select, update (held) on meta.locks to llm_tracking;

create table meta.login_attempts (
  key text not null,
  id uuid not null,
  expires_at timestamp with time zone not null,
  taken boolean not null default false,
  constraint login_attempts_pkey PRIMARY KEY (key, id),
  constraint login_attempts_key_check CHECK ((octet_length(key) = 43))
);
alter table meta.login_attempts owner to llm_owner;
CREATE INDEX login_attempts_expired ON meta.login_attempts USING btree (expires_at);
grant delete, insert, select, update on meta.login_attempts to llm_auth;
grant select on meta.login_attempts to llm_backup;

create table meta.login_counts (
  key text not null,
  level double precision not null default 0,
  leak double precision not null,
  at timestamp with time zone not null default clock_timestamp(),
  empty_at timestamp with time zone not null default (clock_timestamp() + '00:05:00'::interval),
  constraint login_counts_pkey PRIMARY KEY (key),
  constraint login_counts_key_check CHECK ((octet_length(key) = 43)),
  constraint login_counts_leak_check CHECK ((leak > (0)::double precision)),
  constraint login_counts_level_check CHECK ((level >= (0)::double precision))
);
alter table meta.login_counts owner to llm_owner;
CREATE INDEX login_counts_empty ON meta.login_counts USING btree (empty_at);
grant delete, insert, select, update on meta.login_counts to llm_auth;
grant select on meta.login_counts to llm_backup;

create table meta.login_known (
  key text not null,
  until timestamp with time zone not null,
  constraint login_known_pkey PRIMARY KEY (key),
  constraint login_known_key_check CHECK ((octet_length(key) = 43))
);
alter table meta.login_known owner to llm_owner;
CREATE INDEX login_known_until ON meta.login_known USING btree (until);
grant delete, insert, select, update on meta.login_known to llm_auth;
grant select on meta.login_known to llm_backup;

create table meta.migrations (
  version integer not null,
  name text not null,
  checksum text not null,
  breaking boolean not null,
  applied_at timestamp with time zone not null default now(),
  constraint migrations_pkey PRIMARY KEY (version)
);
alter table meta.migrations owner to llm_owner;
grant select on meta.migrations to llm_api;
grant select on meta.migrations to llm_auditor;
grant select on meta.migrations to llm_backup;
grant select on meta.migrations to llm_reader;

create table meta.proven_accounts (
  tenant_id uuid not null,
  session_id uuid not null,
  account_tenant uuid not null,
  account_user uuid not null,
  token_epoch integer not null,
  proven_at timestamp with time zone not null default now(),
  constraint proven_accounts_pkey PRIMARY KEY (tenant_id, session_id, account_tenant, account_user),
  constraint proven_accounts_tenant_id_session_id_fkey FOREIGN KEY (tenant_id, session_id) REFERENCES app.sessions(tenant_id, id) ON DELETE CASCADE,
  constraint proven_accounts_check CHECK ((tenant_id <> account_tenant))
);
alter table meta.proven_accounts owner to llm_owner;
grant insert, select, update (token_epoch, proven_at) on meta.proven_accounts to llm_auth;
grant select on meta.proven_accounts to llm_backup;

create table meta.readers (
  role name not null,
  tenant_id uuid,
  content boolean not null,
  note text,
  granted_at timestamp with time zone not null default now(),
  revoked_at timestamp with time zone,
  constraint readers_pkey PRIMARY KEY (role),
  constraint readers_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id),
  constraint readers_check CHECK (((tenant_id IS NOT NULL) OR (NOT content))),
  constraint readers_note_check CHECK ((char_length(note) <= 200))
);
alter table meta.readers owner to llm_owner, enable row level security;
create policy auditor_read on meta.readers as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy backup_rows on meta.readers as permissive for select to llm_backup
  using true;
create policy names on meta.readers as permissive for select to llm_api, llm_sessions
  using true;
create policy own_login on meta.readers as permissive for select to llm_reader
  using ((role = SESSION_USER) AND ( SELECT app.login_valid() AS login_valid));
grant select (role, revoked_at) on meta.readers to llm_api;
grant select on meta.readers to llm_auditor;
grant select on meta.readers to llm_backup;
grant select on meta.readers to llm_reader;
grant select (role, revoked_at) on meta.readers to llm_sessions;

create table meta.repeatables (
  hash text not null,
  applied_at timestamp with time zone not null default now(),
  constraint repeatables_pkey PRIMARY KEY (hash)
);
alter table meta.repeatables owner to llm_owner;
grant select on meta.repeatables to llm_api;
grant select on meta.repeatables to llm_auditor;
grant select on meta.repeatables to llm_backup;
grant select on meta.repeatables to llm_reader;

create table meta.spent (
  hash bytea not null,
  until timestamp with time zone not null,
  constraint spent_pkey PRIMARY KEY (hash),
  constraint spent_hash_check CHECK ((octet_length(hash) = 32))
);
alter table meta.spent owner to llm_owner;
CREATE INDEX spent_until ON meta.spent USING btree (until);
grant delete, insert, select, update on meta.spent to llm_auth;
grant select on meta.spent to llm_backup;

create table meta.sso_domains (
  domain text not null,
  tenant_id uuid not null,
  connection_id uuid not null,
  proven_at timestamp with time zone not null default now(),
  constraint sso_domains_pkey PRIMARY KEY (domain),
  constraint sso_domains_tenant_id_connection_id_fkey FOREIGN KEY (tenant_id, connection_id) REFERENCES app.sso_connections(tenant_id, id) ON DELETE CASCADE,
  constraint sso_domains_domain_check CHECK ((char_length(domain) <= 253))
);
alter table meta.sso_domains owner to llm_owner;
CREATE INDEX sso_domains_of_connection ON meta.sso_domains USING btree (tenant_id, connection_id);
grant delete, insert, select, update on meta.sso_domains to llm_auth;
grant select on meta.sso_domains to llm_backup;

create table meta.sso_slugs (
  slug text not null,
  tenant_id uuid not null,
  connection_id uuid not null,
  constraint sso_slugs_pkey PRIMARY KEY (slug),
  constraint sso_slugs_tenant_id_connection_id_key UNIQUE (tenant_id, connection_id),
  constraint sso_slugs_tenant_id_connection_id_fkey FOREIGN KEY (tenant_id, connection_id) REFERENCES app.sso_connections(tenant_id, id) ON DELETE CASCADE
);
alter table meta.sso_slugs owner to llm_owner;
grant delete, insert, select, update on meta.sso_slugs to llm_auth;
grant select on meta.sso_slugs to llm_backup;

create table meta.throttles (
  key text not null,
  whole_at timestamp with time zone not null default '-infinity'::timestamp with time zone,
  constraint throttles_pkey PRIMARY KEY (key),
  constraint throttles_key_check CHECK ((octet_length(key) = 43))
);
alter table meta.throttles owner to llm_owner;
CREATE INDEX throttles_whole ON meta.throttles USING btree (whole_at);
grant delete, insert, select, update on meta.throttles to llm_auth;
grant select on meta.throttles to llm_backup;

create table operator.erasures (
  tenant_id uuid not null,
  token_id uuid,
  begun_at timestamp with time zone not null default now(),
  ended_at timestamp with time zone,
  counts jsonb not null default '{}'::jsonb,
  constraint erasures_pkey PRIMARY KEY (tenant_id),
  constraint erasures_token_id_fkey FOREIGN KEY (token_id) REFERENCES operator.tokens(id),
  constraint erasures_counts_check CHECK ((jsonb_typeof(counts) = 'object'::text))
);
alter table operator.erasures owner to llm_owner, enable row level security;
create policy auditor_read on operator.erasures as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy backup_rows on operator.erasures as permissive for select to llm_backup
  using true;
create policy operator_rows on operator.erasures as permissive for all to llm_operator
  using true
  with check true;
grant select on operator.erasures to llm_auditor;
grant select on operator.erasures to llm_backup;
grant insert (tenant_id, token_id, counts), select, update (ended_at) on operator.erasures to llm_operator;

create table operator.events (
  id uuid not null,
  at timestamp with time zone not null default clock_timestamp(),
  token_id uuid,
  action text not null,
  tenant_id uuid,
  target_kind text,
  target_id uuid,
  request_id text,
  detail jsonb not null default '{}'::jsonb,
  constraint events_pkey PRIMARY KEY (id),
  constraint events_token_id_fkey FOREIGN KEY (token_id) REFERENCES operator.tokens(id),
  constraint events_action_check CHECK (((char_length(action) >= 1) AND (char_length(action) <= 100))),
  constraint events_detail_check CHECK ((jsonb_typeof(detail) = 'object'::text)),
  constraint events_request_id_check CHECK ((char_length(request_id) <= 200))
);
alter table operator.events owner to llm_owner, enable row level security;
CREATE INDEX events_of_tenant ON operator.events USING btree (tenant_id, id);
create policy auditor_read on operator.events as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy backup_rows on operator.events as permissive for select to llm_backup
  using true;
create policy operator_rows on operator.events as permissive for all to llm_operator
  using true
  with check true;
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON operator.events FOR EACH ROW EXECUTE FUNCTION app.append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON operator.events FOR EACH STATEMENT EXECUTE FUNCTION app.append_only();
grant select on operator.events to llm_auditor;
grant select on operator.events to llm_backup;
grant insert, select on operator.events to llm_operator;

create table operator.plans (
  id uuid not null,
  name text not null,
  limits jsonb not null default '{}'::jsonb,
  models text[],
  markup numeric not null default 1,
  content_days_at_most integer,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint plans_pkey PRIMARY KEY (id),
  constraint plans_name_key UNIQUE (name),
  constraint plans_content_days_at_most_check CHECK (((content_days_at_most >= 0) AND (content_days_at_most <= 36500))),
  constraint plans_limits_check CHECK (((jsonb_typeof(limits) = 'object'::text) AND (octet_length((limits)::text) <= 65536))),
  constraint plans_markup_check CHECK (((markup >= (0)::numeric) AND (markup <= (1000)::numeric) AND (scale(markup) <= 6))),
  constraint plans_models_check CHECK ((cardinality(models) <= 1000)),
  constraint plans_name_check CHECK (((char_length(name) <= 100) AND (name ~ '[^ ]'::text)))
);
alter table operator.plans owner to llm_owner, enable row level security;
create policy auditor_read on operator.plans as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy backup_rows on operator.plans as permissive for select to llm_backup
  using true;
create policy operator_rows on operator.plans as permissive for all to llm_operator
  using true
  with check true;
grant select on operator.plans to llm_auditor;
grant select on operator.plans to llm_backup;
grant delete, insert, select, update on operator.plans to llm_operator;

create table operator.price_names (
  provider text not null,
  model text not null,
  position integer not null,
  match jsonb not null,
  constraint price_names_pkey PRIMARY KEY (provider, model),
  constraint price_names_match_check CHECK ((jsonb_typeof(match) = 'object'::text))
);
alter table operator.price_names owner to llm_owner, enable row level security;
create policy auditor_read on operator.price_names as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy backup_rows on operator.price_names as permissive for select to llm_backup
  using true;
create policy operator_rows on operator.price_names as permissive for all to llm_operator
  using true
  with check true;
create policy price_rows on operator.price_names as permissive for select to llm_work
  using true;
CREATE TRIGGER changed AFTER INSERT OR DELETE OR UPDATE ON operator.price_names FOR EACH STATEMENT EXECUTE FUNCTION work.price_changed();
grant select on operator.price_names to llm_auditor;
grant select on operator.price_names to llm_backup;
grant select on operator.price_names to llm_operator;
grant select on operator.price_names to llm_work;

create table operator.price_providers (
  provider text not null,
  url text not null,
  others text[] not null default '{}'::text[],
  constraint price_providers_pkey PRIMARY KEY (provider),
  constraint price_providers_provider_check CHECK (((char_length(provider) >= 1) AND (char_length(provider) <= 100))),
  constraint price_providers_url_check CHECK ((char_length(url) <= 500))
);
alter table operator.price_providers owner to llm_owner, enable row level security;
create policy auditor_read on operator.price_providers as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy backup_rows on operator.price_providers as permissive for select to llm_backup
  using true;
create policy operator_rows on operator.price_providers as permissive for all to llm_operator
  using true
  with check true;
create policy price_rows on operator.price_providers as permissive for select to llm_work
  using true;
CREATE TRIGGER changed AFTER INSERT OR DELETE OR UPDATE ON operator.price_providers FOR EACH STATEMENT EXECUTE FUNCTION work.price_changed();
grant select on operator.price_providers to llm_auditor;
grant select on operator.price_providers to llm_backup;
grant select on operator.price_providers to llm_operator;
grant select on operator.price_providers to llm_work;

create table operator.price_revision (
  revision bigint not null,
  seed_hash text,
  one boolean not null default true,
  constraint price_revision_pkey PRIMARY KEY (one),
  constraint price_revision_one_check CHECK (one)
);
alter table operator.price_revision owner to llm_owner, enable row level security;
create policy auditor_read on operator.price_revision as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy backup_rows on operator.price_revision as permissive for select to llm_backup
  using true;
create policy operator_rows on operator.price_revision as permissive for all to llm_operator
  using true
  with check true;
create policy price_rows on operator.price_revision as permissive for all to llm_work
  using true
  with check true;
grant select on operator.price_revision to llm_backup;
grant select, update (revision) on operator.price_revision to llm_work;

create table operator.prices (
  id uuid not null default gen_random_uuid(),
  provider text not null,
  model text not null,
  unit text not null,
  service_tier text not null default 'standard'::text,
  tier_start integer not null default 0,
  per integer not null default 1000000,
  amount numeric not null,
  minutes int4range not null default '[0,1440)'::int4range,
  valid tstzrange not null,
  source text not null,
  seeded boolean not null default false,
  added_at timestamp with time zone not null default now(),
  key bigint not null default hashtextextended(((((((((quote_literal(provider) || quote_literal(model)) || unit) || ' '::text) || service_tier) || ' '::text) || (tier_start)::text) || ' '::text) || (seeded)::text), (0)::bigint),
  constraint prices_pkey PRIMARY KEY (id),
  constraint prices_amount_check CHECK (((amount >= (0)::numeric) AND (amount < '1000000000'::numeric) AND (scale(amount) <= 18))),
  constraint prices_minutes_check CHECK (((minutes <@ int4range(0, 1440)) AND (NOT isempty(minutes)))),
  constraint prices_model_check CHECK (((char_length(model) >= 1) AND (char_length(model) <= 200))),
  constraint prices_one_at_a_time EXCLUDE USING gist (int8range(key, key, '[]'::text) WITH =, minutes WITH &&, valid WITH &&),
  constraint prices_per_check CHECK ((per = ANY (ARRAY[1, 1000, 1000000]))),
  constraint prices_provider_check CHECK (((char_length(provider) >= 1) AND (char_length(provider) <= 100))),
  constraint prices_service_tier_check CHECK ((service_tier ~ '^[a-z0-9_-]{1,40}$'::text)),
  constraint prices_source_check CHECK (((char_length(source) >= 1) AND (char_length(source) <= 100))),
  constraint prices_tier_start_check CHECK ((tier_start >= 0)),
  constraint prices_unit_check CHECK ((unit = ANY (ARRAY['input'::text, 'cache_read'::text, 'cache_write'::text, 'cache_write_1h'::text, 'input_audio'::text, 'input_image'::text, 'output'::text, 'reasoning'::text, 'output_audio'::text, 'searches'::text, 'requests'::text])))
);
alter table operator.prices owner to llm_owner, enable row level security;
CREATE INDEX prices_of_model ON operator.prices USING btree (provider, model);
create policy auditor_read on operator.prices as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy backup_rows on operator.prices as permissive for select to llm_backup
  using true;
create policy operator_rows on operator.prices as permissive for all to llm_operator
  using true
  with check true;
create policy price_rows on operator.prices as permissive for select to llm_work
  using true;
CREATE TRIGGER changed AFTER INSERT OR UPDATE ON operator.prices FOR EACH STATEMENT EXECUTE FUNCTION work.price_changed();
CREATE TRIGGER ends_only BEFORE DELETE OR UPDATE ON operator.prices FOR EACH ROW EXECUTE FUNCTION app.price_ends_only();
CREATE TRIGGER ends_only_truncate BEFORE TRUNCATE ON operator.prices FOR EACH STATEMENT EXECUTE FUNCTION app.price_ends_only();
grant select on operator.prices to llm_auditor;
grant select on operator.prices to llm_backup;
grant insert (provider, model, unit, service_tier, tier_start, per, amount, minutes, valid, source), select, update (valid) on operator.prices to llm_operator;
grant select on operator.prices to llm_work;

create table operator.tokens (
  id uuid not null,
  name text not null,
  hash bytea not null,
  created_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  last_used_at timestamp with time zone,
  constraint tokens_pkey PRIMARY KEY (id),
  constraint tokens_hash_key UNIQUE (hash),
  constraint tokens_hash_check CHECK ((octet_length(hash) = 32)),
  constraint tokens_name_check CHECK (((char_length(name) <= 200) AND (name ~ '[^ ]'::text)))
);
alter table operator.tokens owner to llm_owner, enable row level security;
create policy auditor_read on operator.tokens as permissive for select to llm_auditor
  using ( SELECT app.login_valid() AS login_valid);
create policy backup_rows on operator.tokens as permissive for select to llm_backup
  using true;
create policy operator_rows on operator.tokens as permissive for all to llm_operator
  using true
  with check true;
grant select (id, name, created_at, expires_at, revoked_at, last_used_at) on operator.tokens to llm_auditor;
grant select on operator.tokens to llm_backup;
grant insert (id, name, hash, expires_at), select, update (revoked_at, last_used_at) on operator.tokens to llm_operator;


-- Functions

create function app.account_members(uuid,text,text,text,text,integer,integer,integer,integer,timestamp with time zone,timestamp with time zone,timestamp with time zone) returns text language sql stable;
  alter function app.account_members(uuid,text,text,text,text,integer,integer,integer,integer,timestamp with time zone,timestamp with time zone,timestamp with time zone) owner to llm_owner;
  grant execute to llm_tenant;
  grant execute to llm_work;
create function app.account_of(uuid,uuid) returns text language sql stable;
  alter function app.account_of(uuid,uuid) owner to llm_owner;
  grant execute to llm_tenant;
create function app.append_only() returns trigger language plpgsql set search_path=pg_catalog, pg_temp;
  alter function app.append_only() owner to llm_owner;
create function app.ask(uuid,uuid,integer,text,jsonb,text,text,uuid) returns TABLE(outcome text, message_id uuid, generation_id uuid, status text, history jsonb, model text, system text, refusal jsonb, standing jsonb, unflushed boolean) language plpgsql;
  alter function app.ask(uuid,uuid,integer,text,jsonb,text,text,uuid) owner to llm_owner;
  grant execute to llm_api;
  grant execute to llm_tenant;
create function app.ask_many(uuid,uuid,integer,text,uuid,text,boolean,jsonb,text[],text[],uuid) returns TABLE(outcome text, message_id uuid, generation_id uuid, refusal jsonb, standing jsonb, unflushed boolean) language plpgsql;
  alter function app.ask_many(uuid,uuid,integer,text,uuid,text,boolean,jsonb,text[],text[],uuid) owner to llm_owner;
  grant execute to llm_api;
  grant execute to llm_tenant;
create function app.calls_of(uuid,uuid) returns text[] language sql stable;
  alter function app.calls_of(uuid,uuid) owner to llm_owner;
  grant execute to llm_tenant;
create function app.contract_time(timestamp with time zone) returns text language sql stable;
  alter function app.contract_time(timestamp with time zone) owner to llm_owner;
  grant execute to llm_tenant;
  grant execute to llm_work;
create function app.end_sessions() returns trigger language plpgsql set search_path=pg_catalog, pg_temp;
  alter function app.end_sessions() owner to llm_owner;
create function app.enter(uuid,uuid,integer,text,uuid) returns text language plpgsql;
  alter function app.enter(uuid,uuid,integer,text,uuid) owner to llm_owner;
  grant execute to llm_api;
  grant execute to llm_tenant;
create function app.holds_for_me(text) returns boolean language sql stable;
  alter function app.holds_for_me(text) owner to llm_owner;
  grant execute to llm_tenant;
create function app.keep_an_admin() returns trigger language plpgsql set search_path=pg_catalog, pg_temp;
  alter function app.keep_an_admin() owner to llm_owner;
create function app.key_used(uuid,uuid,text,text,boolean) returns TABLE(outcome text, message_id uuid, generation_id uuid, status text) language sql stable;
  alter function app.key_used(uuid,uuid,text,text,boolean) owner to llm_owner;
  grant execute to llm_tenant;
create function app.latency_bucket(interval) returns integer language sql immutable;
  alter function app.latency_bucket(interval) owner to llm_owner;
  grant execute to llm_auditor;
  grant execute to llm_operator;
  grant execute to llm_reader;
  grant execute to llm_tenant;
  grant execute to llm_work;
create function app.login_valid() returns boolean language sql stable;
  alter function app.login_valid() owner to llm_owner;
  grant execute to llm_auditor;
  grant execute to llm_reader;
create function app.may_delete(uuid,uuid,text,uuid) returns boolean language plpgsql stable;
  alter function app.may_delete(uuid,uuid,text,uuid) owner to llm_owner;
  grant execute to llm_tenant;
create function app.message_json(uuid,uuid,uuid,text,text,text,text) returns text language sql stable;
  alter function app.message_json(uuid,uuid,uuid,text,text,text,text) owner to llm_owner;
  grant execute to llm_tenant;
create function app.message_page(uuid,uuid,integer,text,text,uuid,uuid,integer,uuid) returns text language plpgsql;
  alter function app.message_page(uuid,uuid,integer,text,text,uuid,uuid,integer,uuid) owner to llm_owner;
  grant execute to llm_api;
  grant execute to llm_tenant;
create function app.milliseconds_to(timestamp with time zone,timestamp with time zone) returns double precision language sql stable;
  alter function app.milliseconds_to(timestamp with time zone,timestamp with time zone) owner to llm_owner;
  grant execute to llm_tenant;
  grant execute to llm_work;
create function app.new_secret() returns trigger language plpgsql set search_path=pg_catalog, pg_temp;
  alter function app.new_secret() owner to llm_owner;
create function app.own_profile(uuid,uuid,integer,text,uuid) returns json language plpgsql;
  alter function app.own_profile(uuid,uuid,integer,text,uuid) owner to llm_owner;
  grant execute to llm_api;
  grant execute to llm_tenant;
create function app.price_ends_only() returns trigger language plpgsql set search_path=pg_catalog, pg_temp;
  alter function app.price_ends_only() owner to llm_owner;
create function app.reader_tenant() returns uuid language sql stable;
  alter function app.reader_tenant() owner to llm_owner;
  grant execute to llm_reader;
create function app.role() returns text language sql stable;
  alter function app.role() owner to llm_owner;
  grant execute to llm_api;
  grant execute to llm_auditor;
  grant execute to llm_auth;
  grant execute to llm_tenant;
  grant execute to llm_work;
create function app.sum_counts(jsonb[]) returns jsonb language sql immutable;
  alter function app.sum_counts(jsonb[]) owner to llm_owner;
  grant execute to llm_auditor;
  grant execute to llm_operator;
  grant execute to llm_reader;
  grant execute to llm_tenant;
  grant execute to llm_work;
create function app.tenant_id() returns uuid language sql stable;
  alter function app.tenant_id() owner to llm_owner;
  grant execute to llm_api;
  grant execute to llm_auditor;
  grant execute to llm_auth;
  grant execute to llm_tenant;
  grant execute to llm_work;
create function app.units_of_items() returns trigger language plpgsql set search_path=pg_catalog, pg_temp;
  alter function app.units_of_items() owner to llm_owner;
create function app.usage_grains(uuid,uuid,text,text) returns TABLE(grain text, user_id uuid, key_id uuid, model text, door text) language sql immutable;
  alter function app.usage_grains(uuid,uuid,text,text) owner to llm_owner;
  grant execute to llm_operator;
  grant execute to llm_tenant;
  grant execute to llm_work;
create function app.usage_of(uuid,uuid) returns TABLE(grain text, day date, user_id uuid, key_id uuid, model text, door text, requests bigint, errors bigint, unpriced bigint, counts jsonb, tenant_amount numeric) language sql stable;
  alter function app.usage_of(uuid,uuid) owner to llm_owner;
  grant execute to llm_operator;
  grant execute to llm_tenant;
  grant execute to llm_work;
create function app.usage_of_entry(uuid,uuid) returns TABLE(day date, user_id uuid, key_id uuid, model text, door text, requests bigint, errors bigint, unpriced bigint, counts jsonb, tenant_amount numeric) language sql stable;
  alter function app.usage_of_entry(uuid,uuid) owner to llm_owner;
  grant execute to llm_operator;
  grant execute to llm_tenant;
  grant execute to llm_work;
create function app.user_id() returns uuid language sql stable;
  alter function app.user_id() owner to llm_owner;
  grant execute to llm_api;
  grant execute to llm_auditor;
  grant execute to llm_auth;
  grant execute to llm_tenant;
  grant execute to llm_work;
create function app.void_links() returns trigger language plpgsql set search_path=pg_catalog, pg_temp;
  alter function app.void_links() owner to llm_owner;
create function app.within_plan() returns trigger language plpgsql set search_path=pg_catalog, pg_temp;
  alter function app.within_plan() owner to llm_owner;
create function audit.canary(regclass,uuid,uuid,jsonb) returns jsonb language sql set search_path=pg_catalog, pg_temp;
  alter function audit.canary(regclass,uuid,uuid,jsonb) owner to llm_owner;
  grant execute to llm_api;
  grant execute to llm_tenant;
create function audit.canary_insert(regclass,jsonb) returns text language sql stable set search_path=pg_catalog, pg_temp;
  alter function audit.canary_insert(regclass,jsonb) owner to llm_owner;
  grant execute to llm_api;
  grant execute to llm_tenant;
create function audit.canary_value(text,regtype) returns text language sql immutable set search_path=pg_catalog, pg_temp;
  alter function audit.canary_value(text,regtype) owner to llm_owner;
  grant execute to llm_api;
  grant execute to llm_tenant;
create function audit.catalogue() returns TABLE(kind text, object text, aspect text, fact text, whose text, accepted boolean) language sql stable set jit=off set search_path=pg_catalog, pg_temp;
  alter function audit.catalogue() owner to llm_owner;
  grant execute to llm_api;
create function audit.catalogue_builtins() returns TABLE(kind text, object text, aspect text, fact text) language sql stable set jit=off set search_path=pg_catalog, pg_temp;
  alter function audit.catalogue_builtins() owner to llm_owner;
  grant execute to llm_api;
create function audit.catalogue_environment() returns TABLE(kind text, object text, aspect text, fact text) language sql stable set jit=off set search_path=pg_catalog, pg_temp;
  alter function audit.catalogue_environment() owner to llm_owner;
  grant execute to llm_api;
create function audit.catalogue_functions() returns TABLE(kind text, object text, aspect text, fact text) language sql stable set jit=off set search_path=pg_catalog, pg_temp;
  alter function audit.catalogue_functions() owner to llm_owner;
  grant execute to llm_api;
create function audit.catalogue_internals() returns TABLE(kind text, object text, aspect text, fact text) language sql stable set jit=off set search_path=pg_catalog, pg_temp;
  alter function audit.catalogue_internals() owner to llm_owner;
  grant execute to llm_api;
create function audit.catalogue_objects() returns TABLE(kind text, object text, aspect text, fact text) language sql stable set jit=off set search_path=pg_catalog, pg_temp;
  alter function audit.catalogue_objects() owner to llm_owner;
  grant execute to llm_api;
create function audit.catalogue_relations() returns TABLE(kind text, object text, aspect text, fact text) language sql stable set jit=off set search_path=pg_catalog, pg_temp;
  alter function audit.catalogue_relations() owner to llm_owner;
  grant execute to llm_api;
create function audit.catalogue_roles() returns TABLE(kind text, object text, aspect text, fact text) language sql stable set jit=off set search_path=pg_catalog, pg_temp;
  alter function audit.catalogue_roles() owner to llm_owner;
  grant execute to llm_api;
create function audit.end_readers() returns integer language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function audit.end_readers() owner to llm_sessions;
  grant execute to llm_api;
create function audit.estimate(text) returns text language plpgsql set search_path=pg_catalog, pg_temp;
  alter function audit.estimate(text) owner to llm_owner;
  grant execute to llm_api;
  grant execute to llm_tenant;
create function audit.estimates_differ(regclass,name,regtype,integer) returns text language sql set search_path=pg_catalog, pg_temp;
  alter function audit.estimates_differ(regclass,name,regtype,integer) owner to llm_owner;
  grant execute to llm_api;
  grant execute to llm_tenant;
create function audit.grants_of(text,text,aclitem[],"char",oid,text) returns TABLE(kind text, object text, aspect text, fact text) language sql stable;
  alter function audit.grants_of(text,text,aclitem[],"char",oid,text) owner to llm_owner;
  grant execute to llm_api;
create function audit.leakproof() returns oid[] language sql stable set search_path=pg_catalog, pg_temp;
  alter function audit.leakproof() owner to llm_owner;
  grant execute to llm_api;
create function audit.our_schemas() returns oid[] language sql stable;
  alter function audit.our_schemas() owner to llm_owner;
  grant execute to llm_api;
create function audit.proof() returns TABLE(context text, relation text, verb text, came text, fine boolean) language plpgsql set jit=off set search_path=pg_catalog, pg_temp;
  alter function audit.proof() owner to llm_owner;
  grant execute to llm_api;
  grant execute to llm_tenant;
create function audit.role_is_ours(name) returns boolean language sql immutable;
  alter function audit.role_is_ours(name) owner to llm_owner;
  grant execute to llm_api;
create function audit.role_name(oid) returns text language sql stable;
  alter function audit.role_name(oid) owner to llm_owner;
  grant execute to llm_api;
create function auth.accept_invitation(bytea,uuid,text,text) returns TABLE(outcome text, tenant_id uuid, role text, token_epoch integer) language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.accept_invitation(bytea,uuid,text,text) owner to llm_auth;
  grant execute to llm_api;
create function auth.accounts_at(text,uuid,boolean) returns TABLE(tenant_id uuid, user_id uuid) language sql stable security definer set search_path=pg_catalog, pg_temp;
  alter function auth.accounts_at(text,uuid,boolean) owner to llm_auth;
  grant execute to llm_api;
create function auth.add_identity(uuid,uuid,text,text) returns boolean language plpgsql set search_path=pg_catalog, pg_temp;
  alter function auth.add_identity(uuid,uuid,text,text) owner to llm_auth;
create function auth.api_key(bytea) returns TABLE(tenant_id uuid, key_id uuid, user_id uuid, token_epoch integer, scopes text[], models text[], expires_at timestamp with time zone, refused text) language plpgsql stable security definer set search_path=pg_catalog, pg_temp;
  alter function auth.api_key(bytea) owner to llm_auth;
  grant execute to llm_api;
create function auth.api_keys_refused(uuid[],uuid[],text[],text[]) returns SETOF uuid language sql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.api_keys_refused(uuid[],uuid[],text[],text[]) owner to llm_auth;
  grant execute to llm_api;
create function auth.api_keys_used(uuid[],uuid[]) returns void language sql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.api_keys_used(uuid[],uuid[]) owner to llm_auth;
  grant execute to llm_api;
create function auth.carry_proven_accounts(uuid,uuid,uuid,uuid) returns void language sql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.carry_proven_accounts(uuid,uuid,uuid,uuid) owner to llm_auth;
  grant execute to llm_api;
create function auth.change_email(text,uuid,text) returns text language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.change_email(text,uuid,text) owner to llm_auth;
  grant execute to llm_api;
create function auth.claim_domain(text,uuid) returns void language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.claim_domain(text,uuid) owner to llm_auth;
  grant execute to llm_tenant;
create function auth.claim_slug(text,uuid) returns boolean language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.claim_slug(text,uuid) owner to llm_auth;
  grant execute to llm_tenant;
create function auth.coded_session_hash(uuid) returns bytea language sql immutable set search_path=pg_catalog, pg_temp;
  alter function auth.coded_session_hash(uuid) owner to llm_auth;
create function auth.coded_session_reused(uuid) returns boolean language sql stable security definer set search_path=pg_catalog, pg_temp;
  alter function auth.coded_session_reused(uuid) owner to llm_auth;
  grant execute to llm_api;
create function auth.count_attempt(text[],integer[],integer) returns double precision language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.count_attempt(text[],integer[],integer) owner to llm_auth;
  grant execute to llm_api;
create function auth.create_tenant(uuid,text,text,text) returns TABLE(id uuid, name text, registration text, created_at timestamp with time zone, made boolean) language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.create_tenant(uuid,text,text,text) owner to llm_auth;
  grant execute to llm_api;
create function auth.end_coded_session(uuid,uuid,text) returns void language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.end_coded_session(uuid,uuid,text) owner to llm_auth;
  grant execute to llm_api;
create function auth.end_foreign_keys(uuid,uuid) returns boolean language plpgsql set search_path=pg_catalog, pg_temp;
  alter function auth.end_foreign_keys(uuid,uuid) owner to llm_auth;
create function auth.end_session(bytea,text,text) returns void language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.end_session(bytea,text,text) owner to llm_auth;
  grant execute to llm_api;
create function auth.find_invitation(bytea) returns TABLE(tenant_id uuid, tenant_name text, email text, role text, expires_at timestamp with time zone, sso_slug text) language sql stable security definer set search_path=pg_catalog, pg_temp;
  alter function auth.find_invitation(bytea) owner to llm_auth;
  grant execute to llm_api;
create function auth.find_one_time_token(bytea,text) returns TABLE(tenant_id uuid, tenant_name text, token_id uuid, subject_id uuid, address text, expires_at timestamp with time zone) language sql stable security definer set search_path=pg_catalog, pg_temp;
  alter function auth.find_one_time_token(bytea,text) owner to llm_auth;
  grant execute to llm_api;
create function auth.has_password() returns boolean language sql stable security definer set search_path=pg_catalog, pg_temp;
  alter function auth.has_password() owner to llm_auth;
  grant execute to llm_tenant;
create function auth.has_tenants() returns boolean language sql stable security definer set search_path=pg_catalog, pg_temp;
  alter function auth.has_tenants() owner to llm_auth;
  grant execute to llm_api;
create function auth.has_way_in(text[]) returns boolean language sql stable security definer set search_path=pg_catalog, pg_temp;
  alter function auth.has_way_in(text[]) owner to llm_auth;
  grant execute to llm_tenant;
create function auth.identity_of(uuid,uuid,integer) returns TABLE(id uuid, role text, token_epoch integer) language sql stable security definer set search_path=pg_catalog, pg_temp;
  alter function auth.identity_of(uuid,uuid,integer) owner to llm_auth;
  grant execute to llm_api;
create function auth.keep_domains(text[]) returns void language sql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.keep_domains(text[]) owner to llm_auth;
  grant execute to llm_tenant;
create function auth.leaked(double precision,double precision,timestamp with time zone,timestamp with time zone,integer) returns double precision language sql immutable;
  alter function auth.leaked(double precision,double precision,timestamp with time zone,timestamp with time zone,integer) owner to llm_auth;
create function auth.link_identity(text,text,text,uuid,uuid,integer,text) returns text language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.link_identity(text,text,text,uuid,uuid,integer,text) owner to llm_auth;
  grant execute to llm_api;
create function auth.login_begin(uuid,text[],integer[],integer) returns TABLE(wait double precision, cause text) language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.login_begin(uuid,text[],integer[],integer) owner to llm_auth;
  grant execute to llm_api;
create function auth.login_cancel(uuid,text[],integer[],integer) returns void language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.login_cancel(uuid,text[],integer[],integer) owner to llm_auth;
  grant execute to llm_api;
create function auth.login_candidates(text,uuid) returns TABLE(tenant_id uuid, user_id uuid, role text, password_hash text, token_epoch integer, email_verified boolean) language sql stable security definer set search_path=pg_catalog, pg_temp;
  alter function auth.login_candidates(text,uuid) owner to llm_auth;
  grant execute to llm_api;
create function auth.login_end(uuid,text[],integer[],integer,boolean,text,text[],uuid[],uuid[]) returns TABLE(tried uuid[], told uuid[]) language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.login_end(uuid,text[],integer[],integer,boolean,text,text[],uuid[],uuid[]) owner to llm_auth;
  grant execute to llm_api;
create function auth.login_full(double precision,double precision,double precision) returns boolean language sql immutable;
  alter function auth.login_full(double precision,double precision,double precision) owner to llm_auth;
create function auth.login_key(text,text,uuid) returns text language sql immutable;
  alter function auth.login_key(text,text,uuid) owner to llm_auth;
create function auth.login_know(text,uuid) returns void language sql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.login_know(text,uuid) owner to llm_auth;
  grant execute to llm_api;
create function auth.login_level(text,integer,timestamp with time zone) returns double precision language plpgsql stable set search_path=pg_catalog, pg_temp;
  alter function auth.login_level(text,integer,timestamp with time zone) owner to llm_auth;
create function auth.login_lifetime() returns interval language sql immutable;
  alter function auth.login_lifetime() owner to llm_auth;
create function auth.login_lock(text[],double precision[]) returns void language plpgsql set search_path=pg_catalog, pg_temp;
  alter function auth.login_lock(text[],double precision[]) owner to llm_auth;
create function auth.login_purge(integer,timestamp with time zone) returns void language plpgsql set search_path=pg_catalog, pg_temp;
  alter function auth.login_purge(integer,timestamp with time zone) owner to llm_auth;
create function auth.login_record(uuid[],uuid[],uuid,text) returns void language sql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.login_record(uuid[],uuid[],uuid,text) owner to llm_auth;
  grant execute to llm_api;
create function auth.login_room(text[],integer[],integer,timestamp with time zone) returns TABLE(wait double precision, cause text, unsettled boolean) language plpgsql stable set search_path=pg_catalog, pg_temp;
  alter function auth.login_room(text[],integer[],integer,timestamp with time zone) owner to llm_auth;
create function auth.login_settle(text[],double precision[],double precision[],double precision[],integer,timestamp with time zone) returns void language plpgsql set search_path=pg_catalog, pg_temp;
  alter function auth.login_settle(text[],double precision[],double precision[],double precision[],integer,timestamp with time zone) owner to llm_auth;
create function auth.new_mail(uuid,uuid,uuid,text,text,jsonb,uuid) returns void language sql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.new_mail(uuid,uuid,uuid,text,text,jsonb,uuid) owner to llm_auth;
create function auth.new_one_time_token(uuid,uuid,bytea,text,uuid,text,integer) returns void language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.new_one_time_token(uuid,uuid,bytea,text,uuid,text,integer) owner to llm_auth;
create function auth.open_invitation(uuid,uuid,text) returns record language sql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.open_invitation(uuid,uuid,text) owner to llm_auth;
create function auth.open_session(uuid,uuid) returns record language sql stable set search_path=pg_catalog, pg_temp;
  alter function auth.open_session(uuid,uuid) owner to llm_auth;
create function auth.open_tenant(uuid) returns text language sql stable security definer set search_path=pg_catalog, pg_temp;
  alter function auth.open_tenant(uuid) owner to llm_auth;
  grant execute to llm_api;
create function auth.prove_account(uuid,uuid,uuid,uuid,integer) returns void language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.prove_account(uuid,uuid,uuid,uuid,integer) owner to llm_auth;
  grant execute to llm_api;
create function auth.proven_accounts(uuid,uuid) returns TABLE(tenant_id uuid, user_id uuid, name text, role text, token_epoch integer, left_seconds double precision) language sql stable security definer set search_path=pg_catalog, pg_temp;
  alter function auth.proven_accounts(uuid,uuid) owner to llm_auth;
  grant execute to llm_api;
create function auth.proven_domains() returns text[] language sql stable security definer set search_path=pg_catalog, pg_temp;
  alter function auth.proven_domains() owner to llm_auth;
  grant execute to llm_tenant;
create function auth.provider_accounts(text,text,text) returns TABLE(tenant_id uuid, user_id uuid, name text, linked boolean) language sql stable security definer set search_path=pg_catalog, pg_temp;
  alter function auth.provider_accounts(text,text,text) owner to llm_auth;
  grant execute to llm_api;
create function auth.provider_login(text,text,text,text,uuid,uuid,text) returns TABLE(role text, token_epoch integer) language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.provider_login(text,text,text,text,uuid,uuid,text) owner to llm_auth;
  grant execute to llm_api;
create function auth.provider_refused(text,text,text) returns void language sql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.provider_refused(text,text,text) owner to llm_auth;
  grant execute to llm_api;
create function auth.register(uuid,uuid,text,text,text,text,text) returns TABLE(outcome text, id uuid, role text, created_at timestamp with time zone) language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.register(uuid,uuid,text,text,text,text,text) owner to llm_auth;
  grant execute to llm_api;
create function auth.rehash(uuid,uuid,text,text) returns void language sql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.rehash(uuid,uuid,text,text) owner to llm_auth;
  grant execute to llm_api;
create function auth.renew_session(bytea,bytea,integer,integer,text,text) returns TABLE(outcome text, tenant_id uuid, session_id uuid, user_id uuid, role text, token_epoch integer, idle_seconds double precision, left_seconds double precision) language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.renew_session(bytea,bytea,integer,integer,text,text) owner to llm_auth;
  grant execute to llm_api;
create function auth.requires_sso(uuid) returns boolean language sql stable security definer set search_path=pg_catalog, pg_temp;
  alter function auth.requires_sso(uuid) owner to llm_auth;
  grant execute to llm_api;
create function auth.reset_password(text,text,uuid,text) returns boolean language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.reset_password(text,text,uuid,text) owner to llm_auth;
  grant execute to llm_api;
create function auth.session_of(bytea) returns record language plpgsql set search_path=pg_catalog, pg_temp;
  alter function auth.session_of(bytea) owner to llm_auth;
create function auth.settle_invitation(uuid,uuid,uuid,text) returns void language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.settle_invitation(uuid,uuid,uuid,text) owner to llm_auth;
create function auth.spend(bytea,timestamp with time zone) returns boolean language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.spend(bytea,timestamp with time zone) owner to llm_auth;
  grant execute to llm_api;
create function auth.sso_connection(text,uuid,uuid) returns TABLE(tenant_id uuid, id uuid, slug text, issuer text, client_id text, sealed text, version integer, wrapped text, wrapped_by text, domains text[], trust_email boolean, role_claim text, admin_values text[]) language sql stable security definer set search_path=pg_catalog, pg_temp;
  alter function auth.sso_connection(text,uuid,uuid) owner to llm_auth;
  grant execute to llm_api;
create function auth.sso_login(uuid,uuid,text,text,text,text,uuid,text) returns TABLE(outcome text, id uuid, role text, token_epoch integer) language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.sso_login(uuid,uuid,text,text,text,text,uuid,text) owner to llm_auth;
  grant execute to llm_api;
create function auth.sso_refused(uuid,text,text) returns void language sql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.sso_refused(uuid,text,text) owner to llm_auth;
  grant execute to llm_api;
create function auth.sso_slug_of(text) returns text language sql stable security definer set search_path=pg_catalog, pg_temp;
  alter function auth.sso_slug_of(text) owner to llm_auth;
  grant execute to llm_api;
create function auth.take_one_time_token(bytea,text) returns record language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.take_one_time_token(bytea,text) owner to llm_auth;
create function auth.tell_linked(uuid,uuid,text,text,text) returns void language sql set search_path=pg_catalog, pg_temp;
  alter function auth.tell_linked(uuid,uuid,text,text,text) owner to llm_auth;
create function auth.uuid_v7() returns uuid language sql set search_path=pg_catalog, pg_temp;
  alter function auth.uuid_v7() owner to llm_auth;
create function auth.verify_email(text,boolean,text) returns text language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.verify_email(text,boolean,text) owner to llm_auth;
  grant execute to llm_api;
create function auth.write_links(text,text,uuid[],uuid[],uuid[],text[],uuid[],integer,text) returns void language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.write_links(text,text,uuid[],uuid[],uuid[],text[],uuid[],integer,text) owner to llm_auth;
  grant execute to llm_api;
create function lint.findings() returns TABLE(rule text, object text, detail text) language plpgsql stable set jit=off set search_path=pg_catalog, pg_temp;
  alter function lint.findings() owner to llm_owner;
  grant execute to llm_api;
  grant execute to llm_auditor;
  grant execute to llm_reader;
create function lint.is_ours(name) returns boolean language sql immutable set search_path=pg_catalog, pg_temp;
  alter function lint.is_ours(name) owner to llm_owner;
  grant execute to llm_api;
  grant execute to llm_auditor;
  grant execute to llm_reader;
create function operator.add_price(bytea,jsonb,timestamp with time zone,text) returns uuid language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function operator.add_price(bytea,jsonb,timestamp with time zone,text) owner to llm_operator;
  grant execute to llm_api;
create function operator.admit(bytea) returns uuid language plpgsql set search_path=pg_catalog, pg_temp;
  alter function operator.admit(bytea) owner to llm_operator;
create function operator.assign_plan(bytea,uuid,uuid,text) returns void language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function operator.assign_plan(bytea,uuid,uuid,text) owner to llm_operator;
  grant execute to llm_api;
create function operator.carry_on(integer) returns integer language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function operator.carry_on(integer) owner to llm_operator;
  grant execute to llm_api;
create function operator.copy_plan(uuid,uuid) returns void language plpgsql set search_path=pg_catalog, pg_temp;
  alter function operator.copy_plan(uuid,uuid) owner to llm_operator;
create function operator.correct(bytea,uuid,uuid,uuid,numeric,numeric,text,text) returns void language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function operator.correct(bytea,uuid,uuid,uuid,numeric,numeric,text,text) owner to llm_operator;
  grant execute to llm_api;
create function operator.count_rows(uuid) returns jsonb language plpgsql set search_path=pg_catalog, pg_temp;
  alter function operator.count_rows(uuid) owner to llm_operator;
create function operator.create_tenant(bytea,uuid,text,text,uuid,text) returns void language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function operator.create_tenant(bytea,uuid,text,text,uuid,text) owner to llm_operator;
  grant execute to llm_api;
create function operator.end_own_prices(text,text,text,text,integer,timestamp with time zone) returns void language sql set search_path=pg_catalog, pg_temp;
  alter function operator.end_own_prices(text,text,text,text,integer,timestamp with time zone) owner to llm_operator;
create function operator.end_price(bytea,uuid,text) returns void language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function operator.end_price(bytea,uuid,text) owner to llm_operator;
  grant execute to llm_api;
create function operator.erase(bytea,uuid,text,text) returns void language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function operator.erase(bytea,uuid,text,text) owner to llm_operator;
  grant execute to llm_api;
create function operator.give_plan(uuid,uuid,uuid,text) returns void language plpgsql set search_path=pg_catalog, pg_temp;
  alter function operator.give_plan(uuid,uuid,uuid,text) owner to llm_operator;
create function operator.limits_of(jsonb) returns TABLE(subject text, requests_per_minute integer, tokens_per_minute bigint, concurrent integer, budget numeric, budget_period text, alert_at integer[]) language sql immutable set search_path=pg_catalog, pg_temp;
  alter function operator.limits_of(jsonb) owner to llm_operator;
create function operator.list_events(bytea,uuid,uuid,integer) returns TABLE(id uuid, at timestamp with time zone, token_id uuid, token text, action text, tenant_id uuid, target_kind text, target_id uuid, request_id text, detail jsonb) language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function operator.list_events(bytea,uuid,uuid,integer) owner to llm_operator;
  grant execute to llm_api;
create function operator.list_plans(bytea,uuid) returns TABLE(id uuid, name text, limits jsonb, models text[], markup text, content_days_at_most integer, created_at timestamp with time zone, updated_at timestamp with time zone, tenants double precision) language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function operator.list_plans(bytea,uuid) owner to llm_operator;
  grant execute to llm_api;
create function operator.list_prices(bytea,text,text,boolean,boolean,integer) returns TABLE(id uuid, provider text, model text, unit text, service_tier text, tier_start integer, per integer, amount text, since timestamp with time zone, until timestamp with time zone, source text, own boolean) language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function operator.list_prices(bytea,text,text,boolean,boolean,integer) owner to llm_operator;
  grant execute to llm_api;
create function operator.list_tenants(bytea,uuid,text,uuid,uuid,integer) returns TABLE(id uuid, name text, status text, registration text, created_at timestamp with time zone, plan_id uuid, plan text, markup text, models text[], content_days_at_most integer, users double precision, sso_required boolean) language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function operator.list_tenants(bytea,uuid,text,uuid,uuid,integer) owner to llm_operator;
  grant execute to llm_api;
create function operator.list_usage(bytea,date,date,text[],uuid,integer) returns TABLE(tenant_id uuid, model text, day text, requests double precision, errors double precision, units jsonb, tenant_amount text, provider_amount text, margin_amount text) language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function operator.list_usage(bytea,date,date,text[],uuid,integer) owner to llm_operator;
  grant execute to llm_api;
create function operator.lock_tenant(uuid) returns text language plpgsql set search_path=pg_catalog, pg_temp;
  alter function operator.lock_tenant(uuid) owner to llm_operator;
create function operator.make_sso_optional(bytea,uuid,text) returns void language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function operator.make_sso_optional(bytea,uuid,text) owner to llm_operator;
  grant execute to llm_api;
create function operator.new_id() returns uuid language sql set search_path=pg_catalog, pg_temp;
  alter function operator.new_id() owner to llm_operator;
create function operator.outbox(bytea) returns TABLE(pending double precision, parked double precision, oldest_seconds double precision, mails double precision, oldest_mail_seconds double precision) language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function operator.outbox(bytea) owner to llm_operator;
  grant execute to llm_api;
create function operator.put_plan(bytea,uuid,jsonb,boolean,text) returns integer language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function operator.put_plan(bytea,uuid,jsonb,boolean,text) owner to llm_operator;
  grant execute to llm_api;
create function operator.receipt(bytea,uuid) returns TABLE(tenant_id uuid, begun_at timestamp with time zone, ended_at timestamp with time zone, counts jsonb) language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function operator.receipt(bytea,uuid) owner to llm_operator;
  grant execute to llm_api;
create function operator.record(uuid,text,uuid,text,uuid,text,jsonb,jsonb) returns void language plpgsql set search_path=pg_catalog, pg_temp;
  alter function operator.record(uuid,text,uuid,text,uuid,text,jsonb,jsonb) owner to llm_operator;
create function operator.remove_plan(bytea,uuid,text) returns void language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function operator.remove_plan(bytea,uuid,text) owner to llm_operator;
  grant execute to llm_api;
create function operator.stop_answers(uuid) returns integer language plpgsql set search_path=pg_catalog, pg_temp;
  alter function operator.stop_answers(uuid) owner to llm_operator;
create function operator.suspend(bytea,uuid,boolean,text) returns void language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function operator.suspend(bytea,uuid,boolean,text) owner to llm_operator;
  grant execute to llm_api;
create function operator.whoami(bytea) returns TABLE(id uuid, name text, expires_at timestamp with time zone) language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function operator.whoami(bytea) owner to llm_operator;
  grant execute to llm_api;
create function tracking.claim(uuid,integer,integer,boolean) returns TABLE(tenant_id uuid, generation_id uuid, revision integer, attempts integer, unsure boolean, run_id text, run_done boolean, trace_sent boolean, message_id uuid, user_id uuid, conversation_id uuid, source text, provider text, model text, response_model text, status text, finish_reason text, failure text, tokens_in integer, tokens_out integer, approx_tokens_in integer, approx_tokens_out integer, cost_usd double precision, prompt_length integer, response_length integer, request_id text, trace_id text, caller_trace_id text, caller_span_id text, created_at double precision, admitted_at double precision, started_at double precision, first_token_at double precision, model_ended_at double precision, ended_at double precision, content text, response text, request text, log text, token_lengths integer[], calls jsonb, feedback jsonb) language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function tracking.claim(uuid,integer,integer,boolean) owner to llm_tracking;
  grant execute to llm_jobs;
create function tracking.feedback_given() returns trigger language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function tracking.feedback_given() owner to llm_tracking;
  grant execute to llm_owner;
create function tracking.forget(integer) returns integer language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function tracking.forget(integer) owner to llm_tracking;
  grant execute to llm_jobs;
create function tracking.lag() returns TABLE(pending bigint, parked bigint, oldest_seconds double precision) language sql stable security definer set search_path=pg_catalog, pg_temp;
  alter function tracking.lag() owner to llm_tracking;
  grant execute to llm_jobs;
create function tracking.settle(uuid,jsonb) returns void language sql security definer set search_path=pg_catalog, pg_temp;
  alter function tracking.settle(uuid,jsonb) owner to llm_tracking;
  grant execute to llm_jobs;
create function tracking.unpark() returns integer language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function tracking.unpark() owner to llm_tracking;
  grant execute to llm_jobs;
create function work.admit(uuid,uuid,uuid,text,bigint[],numeric[],boolean) returns record language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function work.admit(uuid,uuid,uuid,text,bigint[],numeric[],boolean) owner to llm_work;
  grant execute to llm_tenant;
create function work.allowance(text,bigint,double precision,double precision) returns text language sql immutable;
  alter function work.allowance(text,bigint,double precision,double precision) owner to llm_work;
create function work.append(uuid,uuid[],uuid[],integer[],text[]) returns TABLE(generation_id uuid, reason text) language sql security definer set search_path=pg_catalog, pg_temp;
  alter function work.append(uuid,uuid[],uuid[],integer[],text[]) owner to llm_work;
  grant execute to llm_api;
create function work.book_lost(uuid,uuid,uuid,uuid,text,text,jsonb,integer,integer) returns void language plpgsql set search_path=pg_catalog, pg_temp;
  alter function work.book_lost(uuid,uuid,uuid,uuid,text,text,jsonb,integer,integer) owner to llm_work;
create function work.carry_out(uuid,uuid,text,integer) returns record language plpgsql set search_path=pg_catalog, pg_temp;
  alter function work.carry_out(uuid,uuid,text,integer) owner to llm_work;
create function work.claim_mails(uuid,uuid,integer,integer) returns TABLE(tenant_id uuid, tenant_name text, id uuid, address text, template text, data text, token_id uuid, token_hash text, token_minutes integer, attempts integer, created_at timestamp with time zone) language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function work.claim_mails(uuid,uuid,integer,integer) owner to llm_work;
  grant execute to llm_jobs;
create function work.deleted_user() returns trigger language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function work.deleted_user() owner to llm_work;
  grant execute to llm_owner;
create function work.event_id() returns uuid language sql set search_path=pg_catalog, pg_temp;
  alter function work.event_id() owner to llm_work;
create function work.finish(jsonb,text,integer[]) returns boolean language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function work.finish(jsonb,text,integer[]) owner to llm_work;
  grant execute to llm_api;
create function work.finish_many(jsonb,text[],text[],text[]) returns TABLE(generation_id uuid, reason text) language sql security definer set enable_hashjoin=off set enable_mergejoin=off set enable_seqscan=off set search_path=pg_catalog, pg_temp;
  alter function work.finish_many(jsonb,text[],text[],text[]) owner to llm_work;
  grant execute to llm_api;
create function work.first_limit() returns trigger language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function work.first_limit() owner to llm_work;
  grant execute to llm_owner;
create function work.flush(uuid,uuid) returns boolean language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function work.flush(uuid,uuid) owner to llm_work;
  grant execute to llm_api;
create function work.fold_usage(integer,uuid) returns integer language plpgsql security definer set enable_hashjoin=off set enable_mergejoin=off set enable_seqscan=off set search_path=pg_catalog, pg_temp;
  alter function work.fold_usage(integer,uuid) owner to llm_work;
  grant execute to llm_api;
create function work.forget_content(integer) returns integer language plpgsql set search_path=pg_catalog, pg_temp;
  alter function work.forget_content(integer) owner to llm_work;
create function work.forget_invitations(integer) returns integer language plpgsql set search_path=pg_catalog, pg_temp;
  alter function work.forget_invitations(integer) owner to llm_work;
create function work.forget_mails(integer) returns integer language plpgsql set search_path=pg_catalog, pg_temp;
  alter function work.forget_mails(integer) owner to llm_work;
create function work.give_back(uuid,uuid,jsonb) returns void language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function work.give_back(uuid,uuid,jsonb) owner to llm_work;
  grant execute to llm_tenant;
create function work.id_at(timestamp with time zone) returns uuid language sql immutable set search_path=pg_catalog, pg_temp;
  alter function work.id_at(timestamp with time zone) owner to llm_work;
create function work.left_of_minute(bigint,double precision,double precision,timestamp with time zone) returns jsonb language sql stable set search_path=pg_catalog, pg_temp;
  alter function work.left_of_minute(bigint,double precision,double precision,timestamp with time zone) owner to llm_work;
create function work.missed(uuid,uuid,uuid) returns text language sql stable;
  alter function work.missed(uuid,uuid,uuid) owner to llm_work;
create function work.newest_messages(uuid,uuid,uuid,integer) returns SETOF uuid language plpgsql set search_path=pg_catalog, pg_temp;
  alter function work.newest_messages(uuid,uuid,uuid,integer) owner to llm_work;
create function work.period_end(text,timestamp with time zone) returns timestamp with time zone language sql stable;
  alter function work.period_end(text,timestamp with time zone) owner to llm_work;
create function work.period_start(text,timestamp with time zone) returns timestamp with time zone language sql stable;
  alter function work.period_start(text,timestamp with time zone) owner to llm_work;
create function work.price_book() returns record language plpgsql stable security definer set search_path=pg_catalog, pg_temp;
  alter function work.price_book() owner to llm_work;
  grant execute to llm_api;
create function work.price_changed() returns trigger language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function work.price_changed() owner to llm_work;
  grant execute to llm_owner;
create function work.price_revision() returns bigint language sql stable security definer set search_path=pg_catalog, pg_temp;
  alter function work.price_revision() owner to llm_work;
  grant execute to llm_api;
create function work.purge(integer) returns integer language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function work.purge(integer) owner to llm_work;
  grant execute to llm_api;
create function work.remove_content(uuid,uuid) returns void language sql set search_path=pg_catalog, pg_temp;
  alter function work.remove_content(uuid,uuid) owner to llm_work;
create function work.remove_limits(uuid,text) returns void language sql set search_path=pg_catalog, pg_temp;
  alter function work.remove_limits(uuid,text) owner to llm_work;
create function work.remove_message(uuid,uuid) returns boolean language plpgsql set search_path=pg_catalog, pg_temp;
  alter function work.remove_message(uuid,uuid) owner to llm_work;
create function work.remove_session(uuid,uuid,integer) returns integer language plpgsql set search_path=pg_catalog, pg_temp;
  alter function work.remove_session(uuid,uuid,integer) owner to llm_work;
create function work.renew(uuid,uuid[],uuid[]) returns TABLE(generation_id uuid, reason text) language sql security definer set search_path=pg_catalog, pg_temp;
  alter function work.renew(uuid,uuid[],uuid[]) owner to llm_work;
  grant execute to llm_api;
create function work.settle_mail(uuid,uuid,uuid,text,text,integer,boolean) returns void language sql security definer set search_path=pg_catalog, pg_temp;
  alter function work.settle_mail(uuid,uuid,uuid,text,text,integer,boolean) owner to llm_work;
  grant execute to llm_jobs;
create function work.standing(uuid,uuid,uuid) returns TABLE(scope text, model text, requests jsonb, tokens jsonb, concurrent jsonb, budgets jsonb) language plpgsql stable security definer set search_path=pg_catalog, pg_temp;
  alter function work.standing(uuid,uuid,uuid) owner to llm_work;
  grant execute to llm_tenant;
create function work.sweep(integer) returns integer language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function work.sweep(integer) owner to llm_work;
  grant execute to llm_api;
create function work.take_in_old(integer) returns integer language plpgsql set search_path=pg_catalog, pg_temp;
  alter function work.take_in_old(integer) owner to llm_work;
create function work.taken_of(jsonb) returns jsonb language sql immutable;
  alter function work.taken_of(jsonb) owner to llm_work;
create function work.visible_text(text) returns text language plpgsql immutable set search_path=pg_catalog, pg_temp;
  alter function work.visible_text(text) owner to llm_work;
create function work.write_budget(uuid,text,text,timestamp with time zone,numeric,numeric,numeric,integer[]) returns void language plpgsql set search_path=pg_catalog, pg_temp;
  alter function work.write_budget(uuid,text,text,timestamp with time zone,numeric,numeric,numeric,integer[]) owner to llm_work;

-- Views for auditors

create view audit.balances (
  tenant_id uuid,
  tenant text,
  entries bigint,
  owed_by_tenant numeric,
  owed_to_providers numeric,
  margin numeric,
  sum_of_postings numeric,
  answers bigint,
  answers_without_entry bigint
) with (security_invoker=true);
  grant select to llm_auditor;
create view audit.definer_functions (
  function text,
  owner name,
  settings text[],
  callers text[]
) with (security_invoker=true);
  grant select to llm_auditor;
  grant select to llm_reader;
create view audit.erasures (
  tenant_id uuid,
  begun_at timestamp with time zone,
  ended_at timestamp with time zone,
  done boolean,
  counts jsonb,
  token_id uuid,
  token text
) with (security_invoker=true);
  grant select to llm_auditor;
create view audit.events (
  at timestamp with time zone,
  tenant_id uuid,
  tenant text,
  action text,
  actor_user_id uuid,
  actor text,
  target_kind text,
  target_id uuid,
  request_id text,
  detail jsonb
) with (security_invoker=true);
  grant select to llm_auditor;
  grant select to llm_reader;
create view audit.grants (
  table text,
  role name,
  verb text,
  columns text
) with (security_invoker=true);
  grant select to llm_auditor;
  grant select to llm_reader;
create view audit.keys (
  tenant_id uuid,
  tenant text,
  id uuid,
  begins_with text,
  name text,
  user_id uuid,
  owner_kind text,
  owner text,
  scopes text[],
  models text[],
  state text,
  created_at timestamp with time zone,
  expires_at timestamp with time zone,
  rotated_at timestamp with time zone,
  previous_secret_works boolean,
  last_used_at timestamp with time zone,
  last_refused_at timestamp with time zone
) with (security_invoker=true);
  grant select to llm_auditor;
  grant select to llm_reader;
create view audit.ledger (
  at timestamp with time zone,
  tenant_id uuid,
  tenant text,
  id uuid,
  kind text,
  generation_id uuid,
  user_id uuid,
  person text,
  key_id uuid,
  provider text,
  model text,
  status text,
  units jsonb,
  cost_usd numeric,
  note text
) with (security_invoker=true);
  grant select to llm_auditor;
  grant select to llm_reader;
create view audit.logins (
  tenant_id uuid,
  tenant text,
  user_id uuid,
  email text,
  role text,
  status text,
  succeeded bigint,
  last_succeeded_at timestamp with time zone,
  failed bigint,
  last_failed_at timestamp with time zone
) with (security_invoker=true);
  grant select to llm_auditor;
  grant select to llm_reader;
create view audit.messages (
  created_at timestamp with time zone,
  tenant_id uuid,
  tenant text,
  user_id uuid,
  asked_by text,
  conversation_id uuid,
  message_id uuid,
  generation_id uuid,
  source text,
  provider text,
  model text,
  status text,
  finish_reason text,
  failure text,
  prompt_length integer,
  response_length integer,
  tokens_in integer,
  tokens_out integer,
  cost_usd numeric,
  seconds_to_first_token numeric,
  seconds numeric,
  message_deleted boolean,
  request_id text,
  trace_id text
) with (security_invoker=true);
  grant select to llm_auditor;
  grant select to llm_reader;
create view audit.migrations (
  version integer,
  name text,
  breaking boolean,
  applied_at timestamp with time zone
) with (security_invoker=true);
  grant select to llm_auditor;
  grant select to llm_reader;
create view audit.operator_events (
  at timestamp with time zone,
  token_id uuid,
  token text,
  action text,
  tenant_id uuid,
  tenant text,
  target_kind text,
  target_id uuid,
  request_id text,
  detail jsonb
) with (security_invoker=true);
  grant select to llm_auditor;
create view audit.operator_tokens (
  id uuid,
  name text,
  created_at timestamp with time zone,
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  last_used_at timestamp with time zone,
  active boolean
) with (security_invoker=true);
  grant select to llm_auditor;
create view audit.plans (
  id uuid,
  name text,
  limits jsonb,
  models text[],
  markup numeric,
  content_days_at_most integer,
  created_at timestamp with time zone,
  updated_at timestamp with time zone,
  tenant_id uuid,
  tenant text
) with (security_invoker=true);
  grant select to llm_auditor;
create view audit.policies (
  table text,
  policy name,
  kind text,
  verb text,
  roles text[],
  reads text,
  writes text
) with (security_invoker=true);
  grant select to llm_auditor;
  grant select to llm_reader;
create view audit.postings (
  at timestamp with time zone,
  tenant_id uuid,
  tenant text,
  entry_id uuid,
  kind text,
  account text,
  amount numeric
) with (security_invoker=true);
  grant select to llm_auditor;
create view audit.provider_keys (
  tenant_id uuid,
  tenant text,
  id uuid,
  provider text,
  name text,
  models text[],
  state text,
  created_at timestamp with time zone,
  disabled_at timestamp with time zone,
  wrapped_by text,
  wrapped_at timestamp with time zone
) with (security_invoker=true);
  grant select to llm_auditor;
  grant select to llm_reader;
create view audit.readers (
  role name,
  tenant_id uuid,
  tenant text,
  reads_content boolean,
  note text,
  granted_at timestamp with time zone,
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  active boolean
) with (security_invoker=true);
  grant select to llm_auditor;
  grant select to llm_reader;
create view audit.role_risks (
  role name,
  logs_in boolean,
  superuser boolean,
  bypasses_row_security boolean,
  makes_roles boolean,
  replicates boolean,
  inherits boolean,
  may_become text[],
  connections integer,
  settings text[]
) with (security_invoker=true);
  grant select to llm_auditor;
  grant select to llm_reader;
create view audit.tables (
  table text,
  row_security boolean,
  forced boolean,
  owner name,
  walls boolean,
  policies bigint,
  foreign_keys bigint
) with (security_invoker=true);
  grant select to llm_auditor;
  grant select to llm_reader;
create view audit.tenants (
  id uuid,
  name text,
  status text,
  registration text,
  created_at timestamp with time zone,
  users bigint,
  active_admins bigint,
  disabled_users bigint,
  conversations bigint,
  messages bigint,
  generations bigint,
  running bigint,
  tokens_in bigint,
  tokens_out bigint,
  cost_usd numeric,
  last_event_at timestamp with time zone,
  last_active_at timestamp with time zone
) with (security_invoker=true);
  grant select to llm_auditor;
  grant select to llm_reader;
create view audit.tracking (
  tenant_id uuid,
  tenant text,
  pending bigint,
  parked bigint,
  oldest_pending_at timestamp with time zone,
  behind interval,
  most_attempts integer,
  being_sent bigint,
  parked_reasons text[]
) with (security_invoker=true);
  grant select to llm_auditor;
  grant select to llm_reader;
create view audit.usage (
  tenant_id uuid,
  tenant text,
  day date,
  provider text,
  model text,
  generations bigint,
  users bigint,
  failed bigint,
  tokens_in bigint,
  tokens_out bigint,
  cost_usd numeric
) with (security_invoker=true);
  grant select to llm_auditor;
  grant select to llm_reader;
create view audit.usage_items (
  at timestamp with time zone,
  tenant_id uuid,
  tenant text,
  entry_id uuid,
  provider text,
  model text,
  attempt integer,
  unit text,
  quantity numeric,
  price numeric,
  cost numeric,
  price_id uuid
) with (security_invoker=true);
  grant select to llm_auditor;

-- Rules that are checked on every migration

-- lint.advisory_lock
-- lint.auditor_writes
-- lint.backup_incomplete
-- lint.column_for_nobody
-- lint.database_for_public
-- lint.definer_not_of_llm_auth
-- lint.definer_without_search_path
-- lint.deleted_visible
-- lint.foreign_key_takes_tenant_along
-- lint.foreign_key_without_tenant
-- lint.function_for_public
-- lint.function_leakproof
-- lint.grant_elsewhere
-- lint.grant_outside_the_room
-- lint.grant_past_row_security
-- lint.grant_to_stranger
-- lint.identity_rewritten
-- lint.index_without_tenant
-- lint.member_unknown
-- lint.operator_open
-- lint.operator_without_token
-- lint.owner_unknown
-- lint.policy_for_public
-- lint.policy_per_row
-- lint.policy_without_wall
-- lint.primary_key_not_led_by_tenant
-- lint.role_past_row_security
-- lint.sequence_across_tenants
-- lint.setting_in_the_way
-- lint.setting_past_transaction
-- lint.statistics_across_tenants
-- lint.table_with_rule
-- lint.table_without_force
-- lint.table_without_rls
-- lint.table_without_tenant
-- lint.table_without_wall
-- lint.unique_without_tenant
-- lint.view_without_security_invoker
