-- The data to protect is in app. A copy of it elsewhere has no walls: our roles, and PUBLIC, get no rights outside our schemas.
create view lint.grant_elsewhere as
select format('%s to %s', c.oid::regclass, case a.grantee when 0 then 'public' else a.grantee::regrole::text end) as object,
    'revoke ' || lower(string_agg(distinct a.privilege_type, ', ')) as detail
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  cross join lateral (
    select grantee, privilege_type from aclexplode(c.relacl)
    union all
    select e.grantee, e.privilege_type from pg_attribute t, aclexplode(t.attacl) e where t.attrelid = c.oid
  ) a
  where n.nspname not in ('app', 'auth', 'work', 'tracking', 'operator', 'audit', 'lint', 'meta', 'pg_catalog', 'information_schema') and n.nspname !~ '^pg_t'
    and a.grantee <> c.relowner and (a.grantee = 0 or a.grantee in (select oid from pg_roles where lint.is_ours(rolname)))
    and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
  group by c.oid, a.grantee;
