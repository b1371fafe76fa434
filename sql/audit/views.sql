-- What an auditor looks at with psql: `set search_path = audit`. They read with the reader's own rights.
create or replace view audit.tables with (security_invoker = true) as
  select c.oid::regclass::text as "table", c.relrowsecurity as rls, c.relforcerowsecurity as forced, pg_get_userbyid(c.relowner) as owner,
    (select string_agg(format('%s%s %s to %s', p.polname, case when p.polpermissive then '' else ' [restrictive]' end, p.polcmd,
        (select string_agg(pg_get_userbyid(r), ', ') from unnest(p.polroles) r)), '; ' order by p.polname)
     from pg_policy p where p.polrelid = c.oid) as policies
  from pg_class c where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p') order by 1;

create or replace view audit.definer_functions with (security_invoker = true) as
  select p.oid::regprocedure::text as function, pg_get_userbyid(p.proowner) as owner, p.proconfig as settings, p.proacl::text as grants
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where p.prosecdef and n.nspname not in ('pg_catalog', 'information_schema') order by 1;

create or replace view audit.role_risks with (security_invoker = true) as
  select r.rolname as role, r.rolsuper as superuser, r.rolbypassrls as bypasses_rls, r.rolcreaterole as makes_roles, r.rolcanlogin as logs_in,
    array(select pg_get_userbyid(m.roleid) from pg_auth_members m where m.member = r.oid) as member_of, r.rolconfig as settings
  from pg_roles r where r.rolname like 'llm\_%' or r.rolsuper or r.rolbypassrls order by 1;

create or replace view audit.tenants with (security_invoker = true) as
  select t.id, t.name, t.status, t.registration, t.created_at,
    (select count(*) from app.users u where u.tenant_id = t.id) as users,
    (select count(*) from app.users u where u.tenant_id = t.id and u.role = 'admin' and u.status = 'active') as active_admins,
    (select max(e.at) from app.audit_events e where e.tenant_id = t.id) as last_event_at
  from app.tenants t;

create or replace view audit.events with (security_invoker = true) as select * from app.audit_events;

grant select on all tables in schema audit to llm_auditor;
