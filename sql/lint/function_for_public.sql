-- By default PostgreSQL lets PUBLIC execute a new function. Ours are granted one by one.
create view lint.function_for_public as
select p.oid::regprocedure::text as object, 'revoke execute on function … from public' as detail
  from pg_proc p
  where p.pronamespace in (select oid from pg_namespace where nspname in ('app', 'auth', 'work', 'tracking', 'operator', 'audit', 'meta'))
    and exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) where grantee = 0);
