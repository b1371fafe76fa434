-- Deleting or renaming one tenant, or one row, must never reach rows of another or take a row's tenant away: no action at all
-- from app.tenants, no ON UPDATE action anywhere, and SET NULL only with a list of columns that leaves tenant_id out.
create view lint.foreign_key_takes_tenant_along as
select format('%s.%I', k.conrelid::regclass, k.conname) as object, 'no cascade from tenants, no on update, set null (columns)' as detail
  from pg_constraint k
  join pg_class c on c.oid = k.conrelid
  where k.contype = 'f' and c.relnamespace = 'app'::regnamespace and (
    k.confupdtype not in ('a', 'r')
    or k.confrelid = 'app.tenants'::regclass and k.confdeltype not in ('a', 'r')
    or k.confdeltype in ('n', 'd') and exists (
      select from pg_attribute a
      where a.attrelid = k.conrelid and a.attname = 'tenant_id' and a.attnum = any (coalesce(k.confdelsetcols, k.conkey))
    )
  );
