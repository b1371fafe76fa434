-- A SECURITY DEFINER function whose search_path is its caller's can be made to call the caller's functions with its own rights.
-- pg_temp comes last, or it comes first.
create view lint.definer_without_search_path as
select p.oid::regprocedure::text as object, 'set search_path = pg_catalog, pg_temp' as detail
  from pg_proc p
  where p.pronamespace in (select oid from pg_namespace where nspname in ('app', 'auth', 'work', 'tracking', 'audit', 'lint', 'meta', 'public'))
    and p.prosecdef and not exists (
      select from unnest(p.proconfig) setting where setting ~ '^search_path=(pg_catalog, )?(app, )?pg_temp$'
    );
