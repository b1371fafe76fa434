-- Ends the sessions of auditors at psql whose login has expired. VALID UNTIL is checked only when logging in, and an open transaction or
-- cursor would go on: the wall hides all rows from it by then, but it holds back VACUUM. As a role that has the auditors' rights and no
-- others. Returns how many.
set local role llm_sessions;

create function audit.end_readers() returns integer
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select count(*) filter (where pg_terminate_backend(a.pid)) from pg_stat_activity a join pg_roles r on r.oid = a.usesysid
    where a.datname = current_database() and r.rolname ~ '^llm_(auditor|reader)_[0-9a-f]{12}$' and pg_has_role(r.oid, 'usage')
      and (r.rolvaliduntil <= now() or not exists (select from meta.readers m where m.role = r.rolname and m.revoked_at is null))
  );
exception when insufficient_privilege then
  -- It is tried again; the caller has other work to do.
  return 0;
end $$;

grant execute on function audit.end_readers() to llm_api;
