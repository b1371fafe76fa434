-- The wall is the one policy that no other policy can open: RESTRICTIVE, for every verb, around llm_tenant, comparing the row's
-- tenant with the room's, for rows that are read and for rows that are written.
create view lint.table_without_wall as
select c.oid::regclass::text as object, 'restrictive policy tenant_wall for all to llm_tenant, on the tenant of the room' as detail
  from pg_class c
  where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p') and not exists (
    select from pg_policy p,
      format('(%s = ( SELECT tenant_id() AS tenant_id))', case c.relname when 'tenants' then 'id' else 'tenant_id' end) as mine
    where p.polrelid = c.oid and not p.polpermissive and p.polcmd = '*' and to_regrole('llm_tenant') = any (p.polroles)
      and replace(pg_get_expr(p.polqual, p.polrelid), 'app.', '') = mine
      and replace(pg_get_expr(p.polwithcheck, p.polrelid), 'app.', '') = mine
  );
