-- Uniqueness is checked past row-level security: across tenants, a violation reveals another tenant's value.
create view lint.unique_without_tenant as
select i.indexrelid::regclass::text as object, 'tenant_id among its columns' as detail
  from pg_index i
  join pg_class c on c.oid = i.indrelid
  where c.relnamespace = 'app'::regnamespace and (i.indisunique or i.indisexclusion)
    and not exists (
      select from pg_attribute a
      where a.attrelid = c.oid and a.attname = case c.relname when 'tenants' then 'id' else 'tenant_id' end
        and a.attnum = any ((string_to_array(i.indkey::text, ' ')::smallint[])[1:i.indnkeyatts])
    );
