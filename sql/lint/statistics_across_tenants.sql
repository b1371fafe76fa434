-- The planner's statistics cover all tenants together, and EXPLAIN shows them to each: how other tenants' values begin, which are frequent,
-- how long they are. ANALYZE skips these columns.
create view lint.statistics_across_tenants as
select format('%s.%I', c.oid::regclass, a.attname) as object, 'alter … alter column … set statistics 0' as detail
  from pg_attribute a
  join pg_class c on c.oid = a.attrelid
  left join pg_index i on i.indexrelid = c.oid
  where c.relnamespace in ('app'::regnamespace, 'operator'::regnamespace, 'meta'::regnamespace) and a.attnum > 0 and not a.attisdropped
    and (c.relkind in ('r', 'p', 'm', 'f') or c.relkind in ('i', 'I') and i.indkey[a.attnum - 1] = 0)
    and a.attstattarget::text is distinct from '0'
  union all
  select format('%I.%I', n.nspname, s.stxname), 'drop statistics'
  from pg_statistic_ext s
  join pg_namespace n on n.oid = s.stxnamespace
  join pg_class c on c.oid = s.stxrelid
  where c.relnamespace in ('app'::regnamespace, 'operator'::regnamespace, 'meta'::regnamespace);
