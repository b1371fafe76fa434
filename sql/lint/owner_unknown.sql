-- An owner may change its objects: llm_owner, in auth llm_auth, in work llm_work, in tracking llm_tracking, in operator llm_operator. None of them can log in.
create view lint.owner_unknown as
select c.oid::regclass::text as object, 'alter … owner to llm_owner' as detail
  from pg_class c
  where c.relnamespace in (select oid from pg_namespace where nspname in ('app', 'auth', 'work', 'tracking', 'operator', 'audit', 'lint', 'meta'))
    and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and c.relowner <> to_regrole('llm_owner')
  union all
  select p.oid::regprocedure::text, 'alter function … owner to llm_owner'
  from pg_proc p
  join pg_namespace n on n.oid = p.pronamespace
  where n.nspname in ('app', 'auth', 'work', 'tracking', 'operator', 'audit', 'lint') and (p.proowner, n.nspname) is distinct from (to_regrole('llm_sessions'), 'audit')
    and p.proowner <> case n.nspname when 'auth' then to_regrole('llm_auth') when 'work' then to_regrole('llm_work') when 'tracking' then to_regrole('llm_tracking')
      when 'operator' then to_regrole('llm_operator') else to_regrole('llm_owner') end;
