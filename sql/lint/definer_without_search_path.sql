-- A SECURITY DEFINER function with its caller's search_path can be made to call the caller's functions with its own rights. pg_temp must be
-- listed last, or it is searched first.
create view lint.definer_without_search_path as
select p.oid::regprocedure::text as object, 'set search_path = pg_catalog, pg_temp' as detail
  from pg_proc p
  where p.pronamespace in (select oid from pg_namespace where nspname in ('app', 'auth', 'work', 'tracking', 'operator', 'audit', 'lint', 'meta', 'public'))
    and p.prosecdef and not exists (
      select from unnest(p.proconfig) setting where setting ~ '^search_path=(pg_catalog, )?(app, )?pg_temp$'
    );
