-- TRUNCATE and REFERENCES bypass row-level security, a TRIGGER runs with the rights of the role that fires it, MAINTAIN locks.
create view lint.grant_past_row_security as
select format('%s to %s', g.place::regclass, case g.grantee when 0 then 'public' else g.grantee::regrole::text end) as object,
    'revoke ' || lower(string_agg(distinct g.privilege_type, ', ')) as detail
  from (
    select c.oid as place, c.relnamespace, c.relowner, a.grantee, a.privilege_type
    from pg_class c, aclexplode(c.relacl) a
    union all
    select c.oid, c.relnamespace, c.relowner, a.grantee, a.privilege_type
    from pg_class c join pg_attribute t on t.attrelid = c.oid, aclexplode(t.attacl) a
  ) g
  where g.relnamespace = 'app'::regnamespace and g.grantee <> g.relowner
    and g.privilege_type in ('TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN')
  group by g.place, g.grantee;
