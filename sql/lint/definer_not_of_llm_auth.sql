-- SECURITY DEFINER means "with the rights of the owner": ours belong to five roles that have next to none, each with a schema of its own.
create view lint.definer_not_of_llm_auth as
select p.oid::regprocedure::text as object, 'owner llm_auth, schema auth; or likewise llm_work and work, llm_tracking and tracking, llm_operator and operator' as detail
  from pg_proc p
  where p.pronamespace in (select oid from pg_namespace where nspname in ('app', 'auth', 'work', 'tracking', 'operator', 'audit', 'lint', 'meta', 'public'))
    and p.prosecdef
    and (p.proowner, p.pronamespace) not in (
      (to_regrole('llm_auth'), 'auth'::regnamespace), (to_regrole('llm_work'), 'work'::regnamespace),
      (to_regrole('llm_tracking'), 'tracking'::regnamespace), (to_regrole('llm_operator'), 'operator'::regnamespace),
      (to_regrole('llm_sessions'), 'audit'::regnamespace)
    );
