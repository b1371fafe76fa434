-- The roles, cluster wide. Run by the administrator: a superuser, or the database's owner with CREATEROLE.
-- Writes only what differs: two databases of one cluster may be migrated at once, and `alter role` on the same role collides.

do $$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      -- name,         login, connections at most (-1: no limit)
      ('llm_sessions', false, -1), -- owns the function that ends expired sessions of auditors at psql; has their rights to do it
      ('llm_owner',   false, -1),  -- owns schemas, tables, views; cannot log in
      ('llm_auth',    false, -1),  -- owns the SECURITY DEFINER functions before the room, and can do nothing else
      ('llm_work',    false, -1),  -- owns those of work that outlives its request, and can do nothing else
      ('llm_tracking', false, -1), -- owns those that read ended generations for MLflow, and can do nothing else
      ('llm_operator', false, -1), -- owns those for the installation's operator: metadata of every tenant, no content, no hash but its tokens'
      ('llm_tenant',  false, -1),  -- the role of a transaction inside the room; the wall is around this role
      ('llm_api',     true,  100), -- the API's login: owns nothing, reads no table, may become llm_tenant
      ('llm_jobs',    true,  10),  -- the worker's login
      ('llm_auditor', false, -1),  -- auditors of the whole installation: metadata, no content, no hash. Each has a login (audit:grant)
      ('llm_reader',  false, -1),  -- a tenant's own auditors, who have logins likewise
      ('llm_reader_content', false, -1), -- those of them who read questions and answers too
      ('llm_backup',  false, -1)   -- the role of pg_dump: reads every row and writes none; cannot log in
    ) as role (name, login, connections)
  loop
    -- NOINHERIT: a member may become the role by SET ROLE, and does not have its rights otherwise. Except llm_sessions: a member with a
    -- role's rights may end its sessions, and needs no right to end others.
    -- NOSUPERUSER and NOBYPASSRLS are the defaults; only a superuser may name them, so the lint checks them instead.
    if not exists (select from pg_roles where rolname = wanted.name) then
      execute format('create role %I', wanted.name);
    end if;
    if exists (
      select from pg_roles where rolname = wanted.name
        and (rolcanlogin, rolconnlimit, rolinherit) is distinct from (wanted.login, wanted.connections, wanted.name = 'llm_sessions')
    ) then
      execute format('alter role %I %s %s connection limit %s',
        wanted.name, case wanted.name when 'llm_sessions' then 'inherit' else 'noinherit' end, case when wanted.login then 'login' else 'nologin' end, wanted.connections);
    end if;
  end loop;

  if not pg_has_role('llm_api', 'llm_tenant', 'member') then
    grant llm_tenant to llm_api;
  end if;

  -- The migrating login creates objects as llm_owner, llm_auth, llm_work, llm_tracking, llm_operator and llm_sessions, and makes backups as llm_backup. A
  -- superuser may anyway; pg_has_role says so.
  if not pg_has_role(current_user, 'llm_owner', 'usage') or not pg_has_role(current_user, 'llm_auth', 'usage')
    or not pg_has_role(current_user, 'llm_work', 'usage') or not pg_has_role(current_user, 'llm_tracking', 'usage')
    or not pg_has_role(current_user, 'llm_operator', 'usage')
    or not pg_has_role(current_user, 'llm_sessions', 'usage') or not pg_has_role(current_user, 'llm_backup', 'usage')
  then
    execute format('grant llm_owner, llm_auth, llm_work, llm_tracking, llm_operator, llm_sessions, llm_backup to %I', current_user);
  end if;
end $$;

-- Limits live on the role, so that no code path can forget them.
do $$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      ('llm_api',     'statement_timeout', '15s'),
      ('llm_api',     'lock_timeout', '3s'),
      ('llm_api',     'idle_in_transaction_session_timeout', '10s'),
      ('llm_api',     'search_path', 'app, pg_temp'),
      ('llm_api',     'row_security', 'on'),
      -- Every query of the program is answered from an index, in its order. There are no statistics of rows, and the planner's guesses may
      -- be wrong by any factor: without these settings it reads a whole table, or sorts a whole history for a page (0.5 s instead of 1 ms
      -- at 8,000 messages). Each stays possible where there is no other way.
      ('llm_api',     'enable_seqscan', 'off'),
      ('llm_api',     'enable_bitmapscan', 'off'),
      ('llm_api',     'enable_sort', 'off'),
      ('llm_jobs',    'enable_seqscan', 'off'),
      ('llm_jobs',    'enable_bitmapscan', 'off'),
      ('llm_jobs',    'enable_hashjoin', 'off'),
      ('llm_jobs',    'enable_mergejoin', 'off'),
      ('llm_jobs',    'statement_timeout', '60s'),
      ('llm_jobs',    'lock_timeout', '3s'),
      ('llm_jobs',    'idle_in_transaction_session_timeout', '30s'),
      ('llm_jobs',    'search_path', 'app, pg_temp'),
      ('llm_jobs',    'row_security', 'on')
    ) as setting (role, name, value)
  loop
    if not exists (
      select from pg_roles
      where rolname = wanted.role and format('%s=%s', wanted.name, wanted.value) = any (rolconfig)
    ) then
      -- A search_path is a list of names, everything else one literal.
      execute format('alter role %I set %I = %s', wanted.role, wanted.name,
        case wanted.name when 'search_path' then wanted.value else quote_literal(wanted.value) end);
    end if;
  end loop;
end $$;
