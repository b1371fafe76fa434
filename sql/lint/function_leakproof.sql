-- LEAKPROOF lets a function see rows before the policies have hidden them.
create view lint.function_leakproof as
select p.oid::regprocedure::text as object, 'not leakproof' as detail
  from pg_proc p
  where p.pronamespace in (select oid from pg_namespace where nspname in ('app', 'auth', 'work', 'tracking', 'operator', 'audit', 'lint', 'meta', 'public'))
    and p.proleakproof;
