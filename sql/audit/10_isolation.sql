-- How the tenants are kept apart, to inspect with one's own SQL. Views of the catalogue: no tenant's data.

create view audit.tables with (security_invoker = true) as
select format('%I.%I', n.nspname, c.relname) as "table", c.relrowsecurity as row_security, c.relforcerowsecurity as forced,
  pg_get_userbyid(c.relowner) as owner,
  (
    select count(*) = 2 from pg_policy p where p.polrelid = c.oid and p.polname in ('tenant_wall', 'reader_wall') and not p.polpermissive
  ) as walls,
  (select count(*) from pg_policy p where p.polrelid = c.oid) as policies,
  (select count(*) from pg_constraint k where k.conrelid = c.oid and k.contype = 'f') as foreign_keys
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'app' and c.relkind in ('r', 'p')
order by 1;

create view audit.policies with (security_invoker = true) as
select format('app.%I', c.relname) as "table", p.polname as policy,
  case when p.polpermissive then 'permissive' else 'restrictive' end as kind,
  case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end as verb,
  array(select case role when 0 then 'public' else pg_get_userbyid(role) end from unnest(p.polroles) role order by 1)::text[] as roles,
  pg_get_expr(p.polqual, p.polrelid) as reads, pg_get_expr(p.polwithcheck, p.polrelid) as writes
from pg_policy p
join pg_class c on c.oid = p.polrelid
where c.relnamespace = 'app'::regnamespace
order by 1, 3 desc, 2;

create view audit.grants with (security_invoker = true) as
select format('%I.%I', n.nspname, g.relname) as "table", case g.grantee when 0 then 'public' else pg_get_userbyid(g.grantee) end as role,
  lower(g.privilege_type) as verb, string_agg(g.column_name, ', ' order by g.attnum) as columns
from (
  select c.relname, c.relnamespace, c.relowner, a.grantee, a.privilege_type, null::name as column_name, 0 as attnum
  from pg_class c, aclexplode(c.relacl) a
  union all
  select c.relname, c.relnamespace, c.relowner, a.grantee, a.privilege_type, t.attname, t.attnum
  from pg_class c
  join pg_attribute t on t.attrelid = c.oid, aclexplode(t.attacl) a
) g
join pg_namespace n on n.oid = g.relnamespace
where n.nspname in ('app', 'operator', 'audit', 'lint', 'meta') and g.grantee <> g.relowner
group by 1, 2, 3
order by 1, 2, 3;

create view audit.definer_functions with (security_invoker = true) as
select format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) as function, pg_get_userbyid(p.proowner) as owner, p.proconfig as settings,
  array(select case a.grantee when 0 then 'public' else pg_get_userbyid(a.grantee) end from aclexplode(p.proacl) a where a.grantee <> p.proowner order by 1)::text[] as callers
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
where p.prosecdef and n.nspname not in ('pg_catalog', 'information_schema')
order by 1;

-- Our roles, and every role that bypasses row-level security.
create view audit.role_risks with (security_invoker = true) as
select r.rolname as role, r.rolcanlogin as logs_in, r.rolsuper as superuser, r.rolbypassrls as bypasses_row_security,
  r.rolcreaterole as makes_roles, r.rolreplication as replicates, r.rolinherit as inherits,
  array(select pg_get_userbyid(m.roleid) from pg_auth_members m where m.member = r.oid order by 1)::text[] as may_become,
  r.rolconnlimit as connections, r.rolconfig as settings
from pg_roles r
where r.rolname ~ '^llm_(owner|auth|work|tracking|operator|tenant|api|jobs|auditor|reader|backup|sessions)(_|$)' or r.rolsuper or r.rolbypassrls
order by 1;
