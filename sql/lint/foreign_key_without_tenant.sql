-- A foreign key is checked past row-level security: unless it pairs tenant with tenant, it can point at another tenant's row, and reveals
-- whether that exists.
create view lint.foreign_key_without_tenant as
select format('%s.%I', k.conrelid::regclass, k.conname) as object, 'foreign key (tenant_id, …) references … (tenant_id, …)' as detail
  from pg_constraint k
  join pg_class c on c.oid = k.conrelid
  where k.contype = 'f' and c.relnamespace = 'app'::regnamespace and not exists (
    select from unnest(k.conkey, k.confkey) as pair (mine, theirs)
    join pg_attribute m on m.attrelid = k.conrelid and m.attnum = pair.mine
    join pg_attribute t on t.attrelid = k.confrelid and t.attnum = pair.theirs
    where m.attname = 'tenant_id' and t.attname = case k.confrelid when 'app.tenants'::regclass then 'id' else 'tenant_id' end
  );
