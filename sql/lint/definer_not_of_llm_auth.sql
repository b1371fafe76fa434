-- SECURITY DEFINER means "with the rights of the owner": ours all belong to one role that has next to none, in one schema.
create view lint.definer_not_of_llm_auth as
select p.oid::regprocedure::text as object, 'owner llm_auth, schema auth' as detail
  from pg_proc p
  where p.pronamespace in (select oid from pg_namespace where nspname in ('app', 'auth', 'audit', 'lint', 'meta', 'public'))
    and p.prosecdef and (p.proowner <> to_regrole('llm_auth') or p.pronamespace <> 'auth'::regnamespace);
