-- Attributes our roles may never have, and roles they may never become: llm_api becomes llm_tenant, and auditors at psql have the rights of
-- llm_auditor or llm_reader, until their expiry.
create view lint.role_past_row_security as
select r.rolname::text as object, trouble as detail
  from pg_roles r
  cross join lateral (select r.rolcanlogin and r.rolname ~ '^llm_(auditor|reader)_' as person) as kind
  cross join lateral (
    select 'alter role … nosuperuser nobypassrls nocreaterole nocreatedb noreplication' as trouble
    where r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb or r.rolreplication
    union all
    select 'alter role … noinherit' where r.rolinherit and not person and r.rolname <> 'llm_sessions'
    union all
    select 'alter role … valid until … connection limit …'
    where person and (coalesce(r.rolvaliduntil, 'infinity') = 'infinity' or r.rolconnlimit < 0)
    union all
    select format('revoke %s from …', m.roleid::regrole) from pg_auth_members m
    where m.member = r.oid and (r.rolname, m.roleid) <> ('llm_api', to_regrole('llm_tenant'))
      and not (r.rolname = 'llm_sessions' and m.roleid::regrole::text ~ '^llm_(auditor|reader)_[0-9a-f]{12}$')
      and not (person and m.roleid in (to_regrole('llm_auditor'), to_regrole('llm_reader'), to_regrole('llm_reader_content')))
  ) as found
  where lint.is_ours(r.rolname);
