-- The schemas, the rights to connect, and the history of migrations. Run by the administrator, after the roles.

do $$
declare
  place record;
begin
  -- TEMP is revoked too: a temporary table or function of the API's own could replace a real one.
  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect on database %I to llm_api, llm_jobs', current_database());
  -- Auditors at psql connect to the database they were made for, each by a grant of their own, and to no other of the server.
  execute format('revoke connect on database %I from llm_auditor, llm_reader', current_database());
  if to_regclass('meta.readers') is not null then
    for place in
      select role as name from meta.readers where revoked_at is null and to_regrole(quote_ident(role)) is not null
    loop
      execute format('grant connect on database %I to %I', current_database(), place.name);
      if not pg_has_role('llm_sessions', place.name, 'usage') then
        execute format('grant %I to llm_sessions', place.name);
      end if;
    end loop;
  end if;
  revoke all on schema public from public;

  -- app: tables, and the functions of the room. auth: calls before a tenant is known. work: generation writes authorised by a lease.
  -- tracking: ended generations, for MLflow. operator: the operator's tables, and the calls that want one of its tokens. audit: views for auditors at psql. lint: one view of offenders per rule. meta: the history
  -- below.
  for place in select unnest(array['app', 'auth', 'work', 'tracking', 'operator', 'audit', 'lint', 'meta']) as name loop
    if to_regnamespace(place.name) is null then
      execute format('create schema %I authorization llm_owner', place.name);
    end if;
  end loop;
end $$;

-- By default every role may call a new function unless its creator revokes that once and for all.
alter default privileges for role llm_owner revoke execute on functions from public;
alter default privileges for role llm_auth revoke execute on functions from public;
alter default privileges for role llm_work revoke execute on functions from public;
alter default privileges for role llm_tracking revoke execute on functions from public;
alter default privileges for role llm_operator revoke execute on functions from public;
alter default privileges for role llm_sessions revoke execute on functions from public;

set local role llm_owner;

-- `create table if not exists` would print a notice each time.
do $$
begin
  if to_regclass('meta.migrations') is null then
    create table meta.migrations (
      version integer primary key,
      name text not null,
      checksum text not null,
      breaking boolean not null,
      applied_at timestamptz not null default now()
    );
    comment on table meta.migrations is 'Which migrations this database has seen. breaking: code older than it must not run.';
  end if;
  if to_regclass('meta.repeatables') is null then
    create table meta.repeatables (
      hash text primary key,
      applied_at timestamptz not null default now()
    );
    comment on table meta.repeatables is 'At most one row: the hash of the roles, functions, policies, grants, views and lints in force.';
  end if;
  if to_regclass('meta.accepted') is null then
    create table meta.accepted (
      kind text,
      object text,
      aspect text,
      fact text not null,
      accepted_at timestamptz not null default now(),
      primary key (kind, object, aspect)
    );
    comment on table meta.accepted is 'What the server around this database was like when it was first migrated, or when somebody accepted it: audit.catalogue() compares.';
  end if;
end $$;

-- After an upgrade of PostgreSQL, or a restore on another server, the server is another one: the old accepted facts do not apply.
delete from meta.accepted where exists (
  select from meta.accepted a, pg_control_system() c
  where a.kind = 'server' and a.fact <> format('%s %s', c.system_identifier, c.catalog_version_no)
);

-- The migrating login is a member of our roles, which the catalogue expects. A superuser is recognised as one.
insert into meta.accepted (kind, object, aspect, fact)
select 'administrator', rolname, '', '' from pg_roles where rolname = session_user and not rolsuper
on conflict do nothing;
