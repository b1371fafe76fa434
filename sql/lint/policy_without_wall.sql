-- A permissive policy is for llm_tenant or llm_reader, who have a wall around them, or for one of the few roles that work across tenants.
create view lint.policy_without_wall as
select format('%s.%I to %s', p.polrelid::regclass, p.polname, role::regrole) as object, 'create policy … to llm_tenant' as detail
  from pg_policy p
  join pg_class c on c.oid = p.polrelid
  cross join unnest(p.polroles) as role
  where c.relnamespace = 'app'::regnamespace and p.polpermissive and role <> 0
    and role not in (
      to_regrole('llm_tenant'), to_regrole('llm_reader'), to_regrole('llm_auth'), to_regrole('llm_work'), to_regrole('llm_tracking'), to_regrole('llm_operator'), to_regrole('llm_jobs'), to_regrole('llm_auditor'), to_regrole('llm_backup'));
