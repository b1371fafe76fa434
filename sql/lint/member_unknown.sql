-- A member of one of our roles can do what the role can. Administrators are members (they migrate), and auditors may share llm_auditor's
-- rights; no other role that can connect to this database.
create view lint.member_unknown as
select r.rolname::text as object, format('revoke %s from …', string_agg(o.rolname, ', ' order by o.rolname)) as detail
  from pg_roles r
  join pg_roles o on o.oid <> r.oid and pg_has_role(r.oid, o.oid, 'member')
  where not lint.is_ours(r.rolname) and r.rolcanlogin and not r.rolsuper and not r.rolcreaterole
    and r.oid <> (select datdba from pg_database where datname = current_database())
    and exists (
      select from pg_database d, aclexplode(d.datacl) a
      where d.datname = current_database() and a.privilege_type = 'CONNECT' and (a.grantee = 0 or pg_has_role(r.oid, a.grantee, 'member'))
    )
    and lint.is_ours(o.rolname) and o.rolname not in ('llm_auditor', 'llm_reader', 'llm_reader_content')
  group by r.rolname;
