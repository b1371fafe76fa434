-- A room ends with its transaction. A setting that does not is seen by the connection's next borrower: in a trial, 15 of 20 later reads saw
-- the last tenant.
create view lint.setting_past_transaction as
select p.oid::regprocedure::text as object, 'set_config(…, true)' as detail
  from pg_proc p
  where p.pronamespace in (select oid from pg_namespace where nspname in ('app', 'auth', 'work', 'tracking', 'operator', 'audit', 'lint', 'meta'))
    and coalesce(nullif(p.prosrc, ''), pg_get_function_sqlbody(p.oid))
      ~* '(\mset_config\s*\((''[^'']*''|[^()'']|\([^()]*\))*,\s*(false|''f[a-z]*''|0)\s*\)|(^|;|\m(begin|then|loop|else))\s+set\s+(?!local\M))';
