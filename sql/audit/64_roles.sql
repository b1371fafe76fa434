-- Our roles: their attributes, the roles they may become, the roles that may become them, and the roles that may connect.
create function audit.catalogue_roles() returns table (kind text, object text, aspect text, fact text)
  language sql stable set search_path = pg_catalog, pg_temp set jit = off
as $$
  with ours as (
    select * from pg_roles where audit.role_is_ours(rolname)
  ), readers as (
    -- Auditors at psql, as audit:grant makes them. One that cannot connect here belongs to another database of these roles.
    select r.* from pg_roles r
    where r.rolname ~ '^llm_(auditor|reader)_[0-9a-f]{12}$' and r.rolcanlogin and r.rolinherit and r.rolconnlimit between 1 and 3 and r.rolvaliduntil < 'infinity'
      and not (r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb or r.rolreplication)
      and not exists (
        select from pg_auth_members m where m.member = r.oid
          and (m.admin_option or m.roleid not in (select oid from ours where rolname in ('llm_auditor', 'llm_reader', 'llm_reader_content')))
      )
      and not exists (
        select from pg_auth_members m where m.roleid = r.oid and audit.role_name(m.member) not in ('(administrator)', 'llm_sessions')
          and not exists (select from pg_database d where d.datdba = m.member)
      )
      and (r.rolname in (select role from meta.readers where revoked_at is null) or not has_database_privilege(r.oid, current_database(), 'connect'))
  )
  select 'role', rolname, 'attributes', concat_ws(' ', case when rolcanlogin then 'login' end, case when rolinherit then 'inherit' end, 'connections ' || rolconnlimit,
    case when rolsuper then 'superuser' end, case when rolbypassrls then 'bypassrls' end, case when rolcreaterole then 'createrole' end,
    case when rolcreatedb then 'createdb' end, case when rolreplication then 'replication' end, 'valid until ' || nullif(rolvaliduntil, 'infinity'))
  from ours
  union all
  select 'role', rolname, 'set ' || split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1) from ours, unnest(rolconfig) setting
  union all
  select 'role', r.rolname, format('set %s in %s', split_part(setting, '=', 1), coalesce(d.datname, 'every database')), substr(setting, strpos(setting, '=') + 1)
  from pg_db_role_setting s
  join pg_roles r on r.oid = s.setrole and (r.oid in (select oid from ours) or r.oid in (select oid from readers))
  left join pg_database d on d.oid = s.setdatabase
  cross join unnest(s.setconfig) setting
  where d.datname = current_database()
  union all
  -- inherit_option and set_option are there from 16 on; before, the member's own attribute said so.
  select 'role', m.member::regrole::text, 'member of ' || m.roleid::regrole,
    concat_ws(' ', case when coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, r.rolinherit) then 'inherits' end,
      case when coalesce((to_jsonb(m) ->> 'set_option')::boolean, true) then 'may become' end, case when m.admin_option then 'gives on' end)
  from pg_auth_members m
  join pg_roles r on r.oid = m.member
  where (m.member in (select oid from ours) or m.roleid in (select oid from ours)) and m.member not in (select oid from readers)
    and not (m.member = to_regrole('llm_sessions') and m.roleid in (select oid from readers))
    and audit.role_name(m.member) <> '(administrator)'
    -- The owner of another database of this server migrates that one, with these roles.
    and not exists (select from pg_database d where d.datdba = m.member and d.datname <> current_database())
  union all
  -- Roles that are named like an auditor and are not one.
  select 'role', rolname, 'is', 'no reader of this database' from pg_roles r
  where rolname ~ '^llm_(auditor|reader)_' and not audit.role_is_ours(rolname) and r.oid not in (select oid from readers)
  union all
  select 'security label', l.objoid::regrole::text, l.provider, l.label from pg_shseclabel l
  where l.classoid = 'pg_authid'::regclass and l.objoid in (select oid from ours)
  union all
  select 'database', '', g.aspect, g.fact from pg_database d, audit.grants_of('', '', d.datacl, 'd', d.datdba, '') g
  where d.datname = current_database() and not (g.fact = 'connect' and g.aspect in (select 'grant to ' || rolname from readers)) and g.aspect <> 'grant to (administrator)'
  union all
  select 'database', '', 'owner', audit.role_name(datdba) from pg_database where datname = current_database() and audit.role_is_ours(pg_get_userbyid(datdba))
$$;
