-- No statistics about tenants' rows. The planner's estimates are the same for every tenant, and comparing text, ids, numbers and times is
-- leakproof: EXPLAIN revealed inside one tenant, in 3,000 guesses, how other tenants' values begin, which of them are frequent, how long
-- they are. So ANALYZE skips every column of these tables (it still counts rows), and statistics collected before are removed. Read from
-- the catalogue: it includes tables added later, indexes on expressions and extended statistics. The program's plans do not need
-- statistics: it looks rows up by their keys, and reads lists from the index in their order.

-- First the existing statistics, where the owner has to remove them: by a function (18 on), or by giving a column the type it has, which
-- drops its statistics and rewrites no row. (It rebuilds indexes on expressions, so their targets come after.)
do $$
declare
  found record;
begin
  if (select rolsuper from pg_roles where rolname = session_user) then
    return;
  end if;
  if current_setting('server_version_num')::integer >= 180000 then
    for found in
      select c.relname, n.nspname, a.attname, inherited
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      join pg_attribute a on a.attrelid = c.oid
      cross join (values (false), (true)) as kind (inherited)
      where n.nspname in ('app', 'operator', 'meta') and c.relkind in ('r', 'p', 'm', 'i', 'I') and a.attnum > 0 and not a.attisdropped
    loop
      execute 'select pg_clear_attribute_stats($1, $2, $3, $4)' using found.nspname, found.relname, found.attname, found.inherited;
    end loop;
    return;
  end if;

  -- Behind FORCE not even the owner can see which columns have any.
  for found in select oid::regclass as place from pg_class where relnamespace = 'app'::regnamespace and relkind in ('r', 'p') and relforcerowsecurity loop
    execute format('alter table %s no force row level security', found.place);
  end loop;
  for found in
    -- Statistics of an index on an expression go with the columns it reads: the index is made anew, of the same blocks.
    select distinct a.attrelid::regclass as place, a.attname, format_type(a.atttypid, a.atttypmod) as type
    from pg_stats s
    join pg_namespace n on n.nspname = s.schemaname
    join pg_class c on c.relnamespace = n.oid and c.relname = s.tablename
    left join pg_depend d on c.relkind in ('i', 'I') and d.classid = 'pg_class'::regclass and d.objid = c.oid
      and d.refclassid = 'pg_class'::regclass and d.refobjsubid > 0
    join pg_attribute a on a.attrelid = coalesce(d.refobjid, c.oid) and (a.attname = s.attname or a.attnum = d.refobjsubid)
    where s.schemaname in ('app', 'operator', 'meta') and c.relkind in ('r', 'p', 'i', 'I')
  loop
    execute format('alter table %s alter column %I type %s', found.place, found.attname, found.type);
  end loop;
  for found in select oid::regclass as place from pg_class where relnamespace = 'app'::regnamespace and relkind in ('r', 'p') loop
    execute format('alter table %s force row level security', found.place);
  end loop;
end $$;

do $$
declare
  found record;
begin
  for found in
    select c.oid::regclass as place, c.relkind, a.attnum, a.attname
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid
    left join pg_index i on i.indexrelid = c.oid
    where c.relnamespace in ('app'::regnamespace, 'operator'::regnamespace, 'meta'::regnamespace) and a.attnum > 0 and not a.attisdropped
      and (c.relkind in ('r', 'p', 'm', 'f') or c.relkind in ('i', 'I') and i.indkey[a.attnum - 1] = 0)
      and coalesce(a.attstattarget, -1) <> 0
  loop
    execute format(case when found.relkind in ('i', 'I') then 'alter index %s alter column %s set statistics 0'
      when found.relkind = 'm' then 'alter materialized view %s alter column %3$I set statistics 0'
      when found.relkind = 'f' then 'alter foreign table %s alter column %3$I set statistics 0'
      else 'alter table %s alter column %3$I set statistics 0' end, found.place, found.attnum, found.attname);
  end loop;

  for found in
    select format('%I.%I', n.nspname, s.stxname) as name
    from pg_statistic_ext s
    join pg_namespace n on n.oid = s.stxnamespace
    join pg_class c on c.oid = s.stxrelid
    where c.relnamespace in ('app'::regnamespace, 'operator'::regnamespace, 'meta'::regnamespace)
  loop
    execute format('drop statistics %s', found.name);
  end loop;
end $$;

-- A superuser simply deletes them. After the targets, which waited for every running ANALYZE.
set local role none;

do $$
begin
  if (select rolsuper from pg_roles where rolname = current_user) then
    delete from pg_statistic s using pg_class c
    where c.oid = s.starelid and c.relnamespace in ('app'::regnamespace, 'operator'::regnamespace, 'meta'::regnamespace);
  end if;
end $$;
