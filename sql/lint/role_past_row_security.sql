-- What our roles may never be, and whom they may never become. llm_api becomes llm_tenant; that is all there is.
create view lint.role_past_row_security as
select r.rolname::text as object, trouble as detail
  from pg_roles r
  cross join lateral (
    select 'alter role … nosuperuser nobypassrls nocreaterole nocreatedb noreplication' as trouble
    where r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb or r.rolreplication
    union all
    select 'alter role … noinherit' where r.rolinherit
    union all
    select format('revoke %s from …', m.roleid::regrole) from pg_auth_members m
    where m.member = r.oid and (r.rolname, m.roleid) <> ('llm_api', to_regrole('llm_tenant'))
  ) as found
  where r.rolname in ('llm_owner', 'llm_auth', 'llm_work', 'llm_tracking', 'llm_tenant', 'llm_api', 'llm_jobs', 'llm_auditor');
