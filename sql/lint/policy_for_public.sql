-- A permissive policy for PUBLIC opens a table to unintended roles. A policy names its role.
create view lint.policy_for_public as
select format('%s.%I', p.polrelid::regclass, p.polname) as object, 'create policy … to llm_tenant' as detail
  from pg_policy p
  join pg_class c on c.oid = p.polrelid
  where c.relnamespace = 'app'::regnamespace and p.polpermissive and 0 = any (p.polroles);
