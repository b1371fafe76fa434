-- The schema that sql/ makes, read back from PostgreSQL's catalogue. Written by `npm run db:schema`, compared by a test.

-- Roles

create role llm_api login noinherit connection limit 100;
  grant llm_tenant to llm_api;
  alter role llm_api set idle_in_transaction_session_timeout=10s;
  alter role llm_api set lock_timeout=3s;
  alter role llm_api set row_security=on;
  alter role llm_api set search_path=app, pg_temp;
  alter role llm_api set statement_timeout=15s;
create role llm_auditor login noinherit connection limit 3;
  alter role llm_auditor set default_transaction_read_only=on;
  alter role llm_auditor set idle_in_transaction_session_timeout=60s;
  alter role llm_auditor set search_path=audit, pg_temp;
  alter role llm_auditor set statement_timeout=120s;
create role llm_auth nologin noinherit connection limit -1;
create role llm_jobs login noinherit connection limit 10;
  alter role llm_jobs set idle_in_transaction_session_timeout=30s;
  alter role llm_jobs set lock_timeout=3s;
  alter role llm_jobs set row_security=on;
  alter role llm_jobs set search_path=app, pg_temp;
  alter role llm_jobs set statement_timeout=60s;
create role llm_owner nologin noinherit connection limit -1;
create role llm_tenant nologin noinherit connection limit -1;

-- Schemas

create schema app authorization llm_owner;
  grant usage to llm_api;
  grant usage to llm_auditor;
  grant usage to llm_auth;
  grant usage to llm_tenant;
create schema audit authorization llm_owner;
  grant usage to llm_auditor;
create schema auth authorization llm_owner;
  grant usage to llm_api;
  grant usage to llm_auth;
create schema lint authorization llm_owner;
create schema meta authorization llm_owner;
  grant usage to llm_api;
  grant usage to llm_auditor;

-- Tables

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
create policy tenant_wall on app.audit_events as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.audit_events as permissive for select to llm_auditor
  using true;
create policy auth_add on app.audit_events as permissive for insert to llm_auth
  with check true;
create policy tenant_add on app.audit_events as permissive for insert to llm_tenant
  with check true;
create policy tenant_rows on app.audit_events as permissive for select to llm_tenant
  using true;
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON app.audit_events FOR EACH ROW EXECUTE FUNCTION app.append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON app.audit_events FOR EACH STATEMENT EXECUTE FUNCTION app.append_only();
grant select on app.audit_events to llm_auditor;
grant insert (tenant_id, id, actor_user_id, action, target_kind, target_id, request_id, detail) on app.audit_events to llm_auth;
grant insert (tenant_id, id, actor_user_id, action, target_kind, target_id, request_id, detail), select on app.audit_events to llm_tenant;

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
create policy own_change on app.credentials as restrictive for update to llm_tenant
  using (user_id = ( SELECT app.user_id() AS user_id))
  with check (user_id = ( SELECT app.user_id() AS user_id));
create policy own_or_admin on app.credentials as restrictive for select to llm_tenant
  using ((user_id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text));
create policy own_or_admin_add on app.credentials as restrictive for insert to llm_tenant
  with check ((user_id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text));
create policy tenant_wall on app.credentials as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auth_add on app.credentials as permissive for insert to llm_auth
  with check true;
create policy auth_read on app.credentials as permissive for select to llm_auth
  using true;
create policy auth_rehash on app.credentials as permissive for update to llm_auth
  using true
  with check true;
create policy tenant_rows on app.credentials as permissive for all to llm_tenant
  using true
  with check true;
grant insert (tenant_id, user_id, password_hash), select (tenant_id, user_id, password_hash), update (password_hash, updated_at) on app.credentials to llm_auth;
grant insert (tenant_id, user_id, password_hash), select (tenant_id, user_id, updated_at), update (password_hash, updated_at) on app.credentials to llm_tenant;

create table app.tenants (
  id uuid not null,
  name text not null,
  status text not null default 'active'::text,
  registration text not null default 'open'::text,
  bootstrapped_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  constraint tenants_pkey PRIMARY KEY (id),
  constraint tenants_name_check CHECK (((char_length(name) <= 200) AND (name ~ '[^ ]'::text) AND (name !~ '[\u0001-\u001f\u007f-\u009f]'::text))),
  constraint tenants_registration_check CHECK ((registration = ANY (ARRAY['open'::text, 'closed'::text]))),
  constraint tenants_status_check CHECK ((status = ANY (ARRAY['active'::text, 'suspended'::text])))
);
alter table app.tenants owner to llm_owner, enable row level security, force row level security;
create policy admins_change on app.tenants as restrictive for update to llm_tenant
  using (( SELECT app.role() AS role) = 'admin'::text)
  with check (( SELECT app.role() AS role) = 'admin'::text);
create policy tenant_wall on app.tenants as restrictive for all to llm_tenant
  using (id = ( SELECT app.tenant_id() AS tenant_id))
  with check (id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.tenants as permissive for select to llm_auditor
  using true;
create policy auth_add on app.tenants as permissive for insert to llm_auth
  with check true;
create policy auth_bootstrap on app.tenants as permissive for update to llm_auth
  using (bootstrapped_at IS NULL)
  with check (bootstrapped_at IS NOT NULL);
create policy auth_read on app.tenants as permissive for select to llm_auth
  using true;
create policy tenant_change on app.tenants as permissive for update to llm_tenant
  using true
  with check true;
create policy tenant_rows on app.tenants as permissive for select to llm_tenant
  using true;
grant select on app.tenants to llm_auditor;
grant insert (id, name, registration), select, update (bootstrapped_at) on app.tenants to llm_auth;
grant select, update (name, registration) on app.tenants to llm_tenant;

create table app.users (
  tenant_id uuid not null,
  id uuid not null,
  email text not null,
  role text not null,
  status text not null default 'active'::text,
  tokens_valid_after timestamp with time zone not null default '-infinity'::timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  constraint users_pkey PRIMARY KEY (tenant_id, id),
  constraint users_tenant_id_email_key UNIQUE (tenant_id, email),
  constraint users_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id),
  constraint users_email_check CHECK ((((char_length(email) >= 3) AND (char_length(email) <= 254)) AND (email ~ '^[^@ ]+@[^@ ]+$'::text) AND (email !~ '[A-Z]'::text))),
  constraint users_role_check CHECK ((role = ANY (ARRAY['admin'::text, 'user'::text]))),
  constraint users_status_check CHECK ((status = ANY (ARRAY['active'::text, 'disabled'::text])))
);
alter table app.users owner to llm_owner, enable row level security, force row level security;
CREATE INDEX users_email ON app.users USING btree (email, tenant_id);
create policy admins_add on app.users as restrictive for insert to llm_tenant
  with check (( SELECT app.role() AS role) = 'admin'::text);
create policy admins_delete on app.users as restrictive for delete to llm_tenant
  using (( SELECT app.role() AS role) = 'admin'::text);
create policy own_or_admin on app.users as restrictive for select to llm_tenant
  using ((id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text));
create policy own_or_admin_change on app.users as restrictive for update to llm_tenant
  using ((id = ( SELECT app.user_id() AS user_id)) OR (( SELECT app.role() AS role) = 'admin'::text))
  with check ((( SELECT app.role() AS role) = 'admin'::text) OR ((id = ( SELECT app.user_id() AS user_id)) AND (role = ( SELECT app.role() AS role)) AND (status = 'active'::text)));
create policy tenant_wall on app.users as restrictive for all to llm_tenant
  using (tenant_id = ( SELECT app.tenant_id() AS tenant_id))
  with check (tenant_id = ( SELECT app.tenant_id() AS tenant_id));
create policy auditor_read on app.users as permissive for select to llm_auditor
  using true;
create policy auth_add on app.users as permissive for insert to llm_auth
  with check true;
create policy auth_read on app.users as permissive for select to llm_auth
  using true;
create policy tenant_rows on app.users as permissive for all to llm_tenant
  using true
  with check true;
CREATE TRIGGER keep_an_admin_delete AFTER DELETE ON app.users FOR EACH ROW WHEN (((old.role = 'admin'::text) AND (old.status = 'active'::text))) EXECUTE FUNCTION app.keep_an_admin();
CREATE TRIGGER keep_an_admin_update AFTER UPDATE ON app.users FOR EACH ROW WHEN (((old.role = 'admin'::text) AND (old.status = 'active'::text) AND ((new.role <> 'admin'::text) OR (new.status <> 'active'::text)))) EXECUTE FUNCTION app.keep_an_admin();
grant select (tenant_id, id, email, role, status, created_at) on app.users to llm_auditor;
grant insert (tenant_id, id, email, role), select (tenant_id, id, email, role, status, created_at) on app.users to llm_auth;
grant delete, insert (tenant_id, id, email, role), select, update (role, status, tokens_valid_after) on app.users to llm_tenant;

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

create table meta.repeatables (
  hash text not null,
  applied_at timestamp with time zone not null default now(),
  constraint repeatables_pkey PRIMARY KEY (hash)
);
alter table meta.repeatables owner to llm_owner;
grant select on meta.repeatables to llm_api;
grant select on meta.repeatables to llm_auditor;


-- Functions

create function app.append_only() returns trigger language plpgsql set search_path=pg_catalog, pg_temp;
  alter function app.append_only() owner to llm_owner;
create function app.enter(uuid,uuid,bigint,text) returns text language plpgsql;
  alter function app.enter(uuid,uuid,bigint,text) owner to llm_owner;
  grant execute to llm_api;
  grant execute to llm_tenant;
create function app.keep_an_admin() returns trigger language plpgsql set search_path=pg_catalog, pg_temp;
  alter function app.keep_an_admin() owner to llm_owner;
create function app.role() returns text language sql stable;
  alter function app.role() owner to llm_owner;
  grant execute to llm_api;
  grant execute to llm_auditor;
  grant execute to llm_tenant;
create function app.tenant_id() returns uuid language sql stable;
  alter function app.tenant_id() owner to llm_owner;
  grant execute to llm_api;
  grant execute to llm_auditor;
  grant execute to llm_tenant;
create function app.user_id() returns uuid language sql stable;
  alter function app.user_id() owner to llm_owner;
  grant execute to llm_api;
  grant execute to llm_auditor;
  grant execute to llm_tenant;
create function auth.create_tenant(uuid,text,text,text) returns TABLE(id uuid, name text, registration text, created_at timestamp with time zone) language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.create_tenant(uuid,text,text,text) owner to llm_auth;
  grant execute to llm_api;
create function auth.login_candidates(text,uuid) returns TABLE(tenant_id uuid, user_id uuid, role text, password_hash text) language sql stable security definer set search_path=pg_catalog, pg_temp;
  alter function auth.login_candidates(text,uuid) owner to llm_auth;
  grant execute to llm_api;
create function auth.login_record(uuid,uuid,boolean,text) returns void language sql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.login_record(uuid,uuid,boolean,text) owner to llm_auth;
  grant execute to llm_api;
create function auth.register(uuid,uuid,text,text,text) returns TABLE(role text, created_at timestamp with time zone) language plpgsql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.register(uuid,uuid,text,text,text) owner to llm_auth;
  grant execute to llm_api;
create function auth.rehash(uuid,uuid,text,text) returns void language sql security definer set search_path=pg_catalog, pg_temp;
  alter function auth.rehash(uuid,uuid,text,text) owner to llm_auth;
  grant execute to llm_api;
create function auth.uuid_v7() returns uuid language sql set search_path=pg_catalog, pg_temp;
  alter function auth.uuid_v7() owner to llm_auth;
create function lint.findings() returns TABLE(rule text, object text, detail text) language plpgsql stable set search_path=pg_catalog, pg_temp;
  alter function lint.findings() owner to llm_owner;

-- Views for auditors

create view audit.definer_functions (
  function text,
  owner name,
  settings text[],
  callers text[]
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
create view audit.grants (
  table text,
  role name,
  verb text,
  columns text
) with (security_invoker=true);
  grant select to llm_auditor;
create view audit.migrations (
  version integer,
  name text,
  breaking boolean,
  applied_at timestamp with time zone
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
create view audit.tables (
  table text,
  row_security boolean,
  forced boolean,
  owner name,
  wall boolean,
  policies bigint,
  foreign_keys bigint
) with (security_invoker=true);
  grant select to llm_auditor;
create view audit.tenants (
  id uuid,
  name text,
  status text,
  registration text,
  created_at timestamp with time zone,
  users bigint,
  active_admins bigint,
  last_event_at timestamp with time zone
) with (security_invoker=true);
  grant select to llm_auditor;

-- Rules that are checked on every migration

-- lint.definer_not_of_llm_auth
-- lint.definer_without_search_path
-- lint.foreign_key_takes_tenant_along
-- lint.foreign_key_without_tenant
-- lint.function_for_public
-- lint.function_leakproof
-- lint.grant_outside_the_room
-- lint.grant_past_row_security
-- lint.index_without_tenant
-- lint.owner_unknown
-- lint.policy_for_public
-- lint.policy_per_row
-- lint.policy_without_wall
-- lint.primary_key_not_led_by_tenant
-- lint.role_past_row_security
-- lint.sequence_across_tenants
-- lint.table_with_rule
-- lint.table_without_force
-- lint.table_without_rls
-- lint.table_without_tenant
-- lint.table_without_wall
-- lint.unique_without_tenant
-- lint.view_without_security_invoker
