-- An advisory lock is a number that any role may hold that may call the function, and hashed keys can be made to collide in a fraction of a
-- second: one tenant would make another wait. Lock a row instead that only the users concerned can lock.
create view lint.advisory_lock as
select p.oid::regprocedure::text as object, 'lock a row instead' as detail
  from pg_proc p
  where p.pronamespace in (select oid from pg_namespace where nspname in ('app', 'auth', 'work', 'tracking', 'operator', 'audit', 'meta'))
    and p.prokind in ('f', 'p') and pg_get_functiondef(p.oid) ~* 'pg_(try_)?advisory_';
