-- The API's login reaches tables only by becoming llm_tenant, in the room; the jobs' login only through functions. PUBLIC reaches nothing
-- of ours.
create view lint.grant_outside_the_room as
select format('%s to %s', g.place::regclass, case g.grantee when 0 then 'public' else g.grantee::regrole::text end) as object,
    'revoke ' || lower(string_agg(distinct g.privilege_type, ', ')) as detail
  from (
    select c.oid as place, c.relnamespace, a.grantee, a.privilege_type
    from pg_class c, aclexplode(c.relacl) a
    union all
    select c.oid, c.relnamespace, a.grantee, a.privilege_type
    from pg_class c join pg_attribute t on t.attrelid = c.oid, aclexplode(t.attacl) a
  ) g
  where g.relnamespace = 'app'::regnamespace and g.grantee in (0, to_regrole('llm_api'), to_regrole('llm_jobs'))
    or g.relnamespace in ('audit'::regnamespace, 'lint'::regnamespace, 'meta'::regnamespace) and g.grantee = 0
  group by g.place, g.grantee;
