-- A row without a tenant, or one that may lose its tenant, is behind no wall.
create view lint.table_without_tenant as
select c.oid::regclass::text as object, 'tenant_id uuid not null' as detail
  from pg_class c
  where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p') and c.relname <> 'tenants' and not exists (
    select from pg_attribute a
    where a.attrelid = c.oid and a.attname = 'tenant_id' and a.atttypid = 'uuid'::regtype and a.attnotnull
  );
