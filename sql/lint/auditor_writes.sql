-- Auditors at psql only read.
create view lint.auditor_writes as
select format('%s to %s', g.place::regclass, g.grantee::regrole) as object, 'revoke ' || lower(string_agg(distinct g.privilege_type, ', ')) as detail
  from (
    select c.oid as place, c.relnamespace, a.grantee, a.privilege_type
    from pg_class c, aclexplode(c.relacl) a
    union all
    select c.oid, c.relnamespace, a.grantee, a.privilege_type
    from pg_class c join pg_attribute t on t.attrelid = c.oid, aclexplode(t.attacl) a
  ) g
  where g.relnamespace in (select oid from pg_namespace where nspname in ('app', 'operator', 'audit', 'lint', 'meta')) and g.privilege_type <> 'SELECT'
    and g.grantee in (select oid from pg_roles where rolname ~ '^llm_(auditor|reader)')
  group by g.place, g.grantee;
