-- The wall is the policy that no other policy can open: RESTRICTIVE, for every verb, for rows that are read and rows that are written. One
-- around llm_tenant, comparing the row's tenant with the room's; one around llm_reader, comparing it with the login's.
create view lint.table_without_wall as
select c.oid::regclass::text as object, format('restrictive policy %s for all to %s, on %s()', wall.policy, wall.role, wall.tenant) as detail
  from pg_class c
  cross join (values ('tenant_wall', 'llm_tenant', 'tenant_id'), ('reader_wall', 'llm_reader', 'reader_tenant')) as wall (policy, role, tenant)
  where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p') and not exists (
    select from pg_policy p,
      format('(%s = ( SELECT %s() AS %2$s))', case c.relname when 'tenants' then 'id' else 'tenant_id' end, wall.tenant) as mine
    where p.polrelid = c.oid and not p.polpermissive and p.polcmd = '*' and to_regrole(wall.role) = any (p.polroles)
      and replace(pg_get_expr(p.polqual, p.polrelid), 'app.', '') = mine
      and replace(pg_get_expr(p.polwithcheck, p.polrelid), 'app.', '') = mine
  );
