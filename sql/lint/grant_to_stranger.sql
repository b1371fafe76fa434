-- Only our own roles read tables and call functions. No rule here covers a grant to another role: we cannot check which roles it may
-- become, or whether it bypasses row-level security.
create view lint.grant_to_stranger as
select format('%s to %s', g.thing, g.grantee::regrole) as object, 'revoke ' || lower(string_agg(distinct g.privilege_type, ', ')) as detail
  from (
    select c.oid::regclass::text as thing, c.relnamespace as place, c.relowner as owner, a.grantee, a.privilege_type
    from pg_class c, aclexplode(c.relacl) a
    union all
    select c.oid::regclass::text, c.relnamespace, c.relowner, a.grantee, a.privilege_type
    from pg_class c join pg_attribute t on t.attrelid = c.oid, aclexplode(t.attacl) a
    union all
    select p.oid::regprocedure::text, p.pronamespace, p.proowner, a.grantee, a.privilege_type
    from pg_proc p, aclexplode(p.proacl) a
  ) g
  where g.place in (select oid from pg_namespace where nspname in ('app', 'auth', 'work', 'tracking', 'operator', 'audit', 'lint', 'meta'))
    and g.grantee <> 0 and g.grantee <> g.owner
    and g.grantee not in (
      select oid from pg_roles where rolname in (
        'llm_owner', 'llm_auth', 'llm_work', 'llm_tracking', 'llm_operator', 'llm_tenant', 'llm_api', 'llm_jobs', 'llm_auditor', 'llm_reader', 'llm_reader_content', 'llm_backup', 'llm_sessions'
      )
    )
  group by g.thing, g.grantee;
