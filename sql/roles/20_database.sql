-- The schemas, who may connect, and the history of migrations. Run by the administrator, after the roles.

do $$
declare
  place record;
begin
  -- TEMP goes with the rest: a temporary table or function of the API's own could stand in for a real one.
  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect on database %I to llm_api, llm_jobs, llm_auditor, llm_reader', current_database());
  revoke all on schema public from public;

  -- app: tables, and the functions of the room. auth: what can be called before a tenant is known. work: what goes on when the
  -- request is over. tracking: what ended, for MLflow. audit: views for people at psql. lint: one view of offenders a rule. meta: the history below.
  for place in select unnest(array['app', 'auth', 'work', 'tracking', 'audit', 'lint', 'meta']) as name loop
    if to_regnamespace(place.name) is null then
      execute format('create schema %I authorization llm_owner', place.name);
    end if;
  end loop;
end $$;

-- A function is born callable by everybody unless its creator says otherwise once and for all.
alter default privileges for role llm_owner revoke execute on functions from public;
alter default privileges for role llm_auth revoke execute on functions from public;
alter default privileges for role llm_work revoke execute on functions from public;
alter default privileges for role llm_tracking revoke execute on functions from public;

set local role llm_owner;

-- `create table if not exists` would say so in a notice each time.
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
end $$;
