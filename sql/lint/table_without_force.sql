-- Without FORCE the owner, and every function of the owner's, bypasses the policies.
create view lint.table_without_force as
select oid::regclass::text as object, 'alter table … force row level security' as detail
  from pg_class
  where relnamespace = 'app'::regnamespace and relkind in ('r', 'p') and not relforcerowsecurity;
