-- The primary key is found by tenant first: for speed behind the wall, for foreign keys that stay inside a tenant, and so that
-- tenants can be spread over servers one day.
create view lint.primary_key_not_led_by_tenant as
select c.oid::regclass::text as object, 'primary key (tenant_id, …)' as detail
  from pg_class c
  where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p') and not exists (
    select from pg_index i
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
    where i.indrelid = c.oid and i.indisprimary
      and a.attname = case c.relname when 'tenants' then 'id' else 'tenant_id' end
  );
