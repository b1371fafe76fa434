-- Drops everything that is rebuilt from files: policies, triggers, functions, views and grants of our schemas. So what left the files
-- leaves the database too, and a migration may change a column that a policy reads. Run as llm_owner, in the same transaction that builds
-- them again: no other session ever sees a table without its policies.

do $$
declare
  gone record;
begin
  for gone in select polname, polrelid::regclass as place from pg_policy
    where polrelid in (select oid from pg_class where relnamespace in ('app'::regnamespace, 'operator'::regnamespace, 'meta'::regnamespace))
  loop
    execute format('drop policy %I on %s', gone.polname, gone.place);
  end loop;

  for gone in select tgname, tgrelid::regclass as place from pg_trigger
    where not tgisinternal and tgrelid in (select oid from pg_class where relnamespace in ('app'::regnamespace, 'operator'::regnamespace))
  loop
    execute format('drop trigger %I on %s', gone.tgname, gone.place);
  end loop;

  for gone in select oid::regclass as place from pg_class
    where relkind = 'v' and relnamespace in ('audit'::regnamespace, 'lint'::regnamespace)
  loop
    execute format('drop view if exists %s cascade', gone.place);
  end loop;

  for gone in select oid::regprocedure as place from pg_proc
    where pronamespace in ('app'::regnamespace, 'auth'::regnamespace, 'work'::regnamespace, 'tracking'::regnamespace, 'operator'::regnamespace, 'audit'::regnamespace, 'lint'::regnamespace)
    order by oid desc -- youngest first: a body can only mention older objects
  loop
    execute format('drop routine if exists %s', gone.place);
  end loop;

  for gone in
    select c.oid::regclass as place, a.grantee,
      coalesce('(' || quote_ident(t.attname) || ')', '') as part
    from pg_class c
    left join pg_attribute t on t.attrelid = c.oid and t.attacl is not null
    cross join lateral (
      select grantee from aclexplode(c.relacl) union select grantee from aclexplode(t.attacl)
    ) a
    where c.relnamespace in ('app'::regnamespace, 'operator'::regnamespace, 'meta'::regnamespace) and c.relkind in ('r', 'p') and a.grantee <> c.relowner
  loop
    execute format('revoke all %s on %s from %s', gone.part, gone.place,
      case gone.grantee when 0 then 'public' else gone.grantee::regrole::text end);
  end loop;

  for gone in
    select n.oid::regnamespace as place, a.grantee from pg_namespace n, aclexplode(n.nspacl) a
    where n.nspname in ('app', 'auth', 'work', 'tracking', 'operator', 'audit', 'lint', 'meta') and a.grantee <> n.nspowner
    group by 1, 2
  loop
    execute format('revoke all on schema %s from %s', gone.place,
      case gone.grantee when 0 then 'public' else gone.grantee::regrole::text end);
  end loop;

  -- Until sql/grants takes it back, in this same transaction, llm_auth, llm_work, llm_tracking, llm_operator and llm_sessions may create their functions.
  grant usage, create on schema auth to llm_auth;
  grant usage, create on schema work to llm_work;
  grant usage, create on schema tracking to llm_tracking;
  grant usage, create on schema operator to llm_operator;
  grant usage, create on schema audit to llm_sessions;
  grant usage on schema app to llm_auth, llm_work, llm_tracking, llm_operator;
  grant usage on schema meta to llm_auth;
  grant usage on schema operator to llm_work;
  grant usage on schema meta to llm_auth;
end $$;
