-- Ends the sessions of people at psql whose login is over. VALID UNTIL is asked when somebody logs in, and an open transaction or cursor
-- would go on: what it reads is behind the wall, which they are out of by then, but it holds back what VACUUM may remove. As a role that
-- has their rights and nobody else's. Returns how many.
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
  -- It is tried again; what calls it has other work to do.
  return 0;
end $$;

grant execute on function audit.end_readers() to llm_api;
