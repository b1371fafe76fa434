-- Without row-level security a table shows every tenant to every role that may read it. Materialized views and foreign tables cannot have
-- it at all.
create view lint.table_without_rls as
select oid::regclass::text as object, 'alter table … enable row level security' as detail
  from pg_class
  where relnamespace = 'app'::regnamespace
    and (relkind in ('m', 'f') or relkind in ('r', 'p') and not relrowsecurity);
