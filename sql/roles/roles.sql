-- The roles of the installation. They belong to the whole server, so this file is idempotent: run it as often as you like, as a
-- superuser or as a role with CREATEROLE. Nobody but `llm_api`, `llm_jobs` and `llm_auditor` ever logs in.
do $roles$
declare
  wanted text;
  superuser boolean := (select rolsuper from pg_roles where rolname = current_user);
begin
  foreach wanted in array array['llm_owner', 'llm_auth', 'llm_tenant', 'llm_api', 'llm_jobs', 'llm_auditor'] loop
    -- Two databases of one server may be migrated at once, and each makes the roles both need.
    begin
      if not exists (select from pg_roles where rolname = wanted) then
        execute format('create role %I nologin noinherit', wanted);
      end if;
    exception when duplicate_object or unique_violation then null;
    end;
    -- Only a superuser may say what only a superuser could have granted; for others the new role already is as it should be.
    if superuser and exists (
      select from pg_roles where rolname = wanted and (rolsuper or rolbypassrls or rolcreatedb or rolcreaterole or rolreplication)
    ) then
      execute format('alter role %I nosuperuser nobypassrls nocreatedb nocreaterole noreplication', wanted);
    end if;
    -- A role that is not a superuser administers through membership; it must say so to act as the owner.
    if not superuser and wanted in ('llm_owner', 'llm_auth') and not pg_has_role(current_user, wanted, 'member') then
      execute format('grant %I to current_user', wanted);
    end if;
  end loop;
end $roles$;

-- Limits live on the role, so that no code path can forget them.
do $limits$
declare
  setting record;
begin
  for setting in
    select * from (values
      ('llm_api', 'login', null), ('llm_jobs', 'login', null), ('llm_auditor', 'login', null),
      ('llm_api', 'statement_timeout', '15s'), ('llm_api', 'lock_timeout', '5s'), ('llm_api', 'idle_in_transaction_session_timeout', '10s'),
      ('llm_api', 'search_path', 'pg_catalog'), ('llm_api', 'row_security', 'on'),
      ('llm_jobs', 'statement_timeout', '60s'), ('llm_jobs', 'lock_timeout', '5s'), ('llm_jobs', 'idle_in_transaction_session_timeout', '30s'),
      ('llm_jobs', 'search_path', 'pg_catalog'), ('llm_jobs', 'row_security', 'on'),
      ('llm_auditor', 'statement_timeout', '120s'), ('llm_auditor', 'default_transaction_read_only', 'on'),
      ('llm_auditor', 'search_path', 'audit, pg_catalog')
    ) as s (role, name, value)
  loop
    if setting.name = 'login' then
      if not (select rolcanlogin from pg_roles where rolname = setting.role) then
        execute format('alter role %I login', setting.role);
      end if;
    elsif not exists (
      select from pg_db_role_setting d join pg_roles r on r.oid = d.setrole, unnest(d.setconfig) c
      where r.rolname = setting.role and d.setdatabase = 0 and c = setting.name || '=' || setting.value
    ) then
      execute format('alter role %I set %I = %s', setting.role, setting.name, setting.value);
    end if;
  end loop;
end $limits$;

-- Inside a room the API is `llm_tenant`, and it has to say so: NOINHERIT, so outside of a room it can touch no table.
do $members$
begin
  if not pg_has_role('llm_api', 'llm_tenant', 'member') then grant llm_tenant to llm_api; end if;
exception when unique_violation then null;
end $members$;
