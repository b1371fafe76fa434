-- Rights of PUBLIC that are not about tenants: revoked, where the administrator may (only a superuser can). Without it, on a managed
-- PostgreSQL, row-level security, roles and grants hold all the same; these are a second defence.

do $$
declare
  open regprocedure;
begin
  if not (select rolsuper from pg_roles where rolname = current_user) then
    raise notice 'not a superuser: the server-wide side channels stay open to every role';
    return;
  end if;

  -- Large objects; advisory locks, which make others wait; locks and statements of other sessions, and cancelling them; messages in the
  -- write-ahead log, which fill its disk; notifications, whose queue all databases share; exported snapshots, which are files.
  for open in
    select oid from pg_proc
    where pronamespace = 'pg_catalog'::regnamespace
      and proname ~ '^(lo_.*|loread|lowrite|pg_(try_)?advisory_(xact_)?lock(_shared)?|pg_advisory_unlock.*|pg_(cancel|terminate)_backend|pg_stat_get_(backend_)?activity|pg_lock_status|pg_logical_emit_message|pg_notify|pg_export_snapshot)$'
      and (proacl is null or exists (select from aclexplode(proacl) where grantee = 0))
  loop
    execute format('revoke execute on function %s from public', open);
  end loop;
  revoke all on pg_catalog.pg_stat_activity from public;
  grant select on pg_catalog.pg_stat_activity to pg_monitor;
  grant execute on function pg_catalog.pg_stat_get_activity(integer) to pg_monitor;
  revoke all on pg_catalog.pg_locks from public;
  grant select on pg_catalog.pg_locks to pg_monitor;
  grant execute on function pg_catalog.pg_lock_status() to pg_monitor;
  -- Earlier versions of our functions took some; now they lock rows.
  revoke execute on function pg_catalog.pg_advisory_xact_lock(bigint) from llm_owner, llm_tenant, llm_tracking, pg_database_owner;

  grant select on pg_catalog.pg_stat_activity to llm_sessions;
  grant execute on function pg_catalog.pg_stat_get_activity(integer), pg_catalog.pg_terminate_backend(integer, bigint) to llm_sessions;

  -- No anonymous code blocks for the logins of the program. The database's owner migrates with them.
  revoke usage on language plpgsql from public;
  grant usage on language plpgsql to llm_owner, llm_auth, llm_work, llm_tracking, llm_operator, llm_sessions, pg_database_owner;

  -- Our logins run no DDL at all. This stops DROP OWNED BY on servers without the fix of CVE-2026-116311 too.
  create or replace function meta.no_ddl() returns event_trigger
    language plpgsql set search_path = pg_catalog, pg_temp
  as $body$
  begin
    if session_user ~ '^llm_(owner|auth|work|tracking|operator|tenant|api|jobs|auditor|reader|backup|sessions)(_|$)' then
      raise exception '% is not for %', tg_tag, session_user using errcode = '42501';
    end if;
  end $body$;
  revoke execute on function meta.no_ddl() from public;
  if not exists (
    select from pg_event_trigger
    where evtname = 'llm_no_ddl' and evtevent = 'ddl_command_start' and evtfoid = 'meta.no_ddl()'::regprocedure and evtenabled = 'O' and evttags is null
  ) then
    drop event trigger if exists llm_no_ddl;
    create event trigger llm_no_ddl on ddl_command_start execute function meta.no_ddl();
  end if;

  -- Recorded for audit.catalogue(), which expects all of this from now on.
  insert into meta.accepted (kind, object, aspect, fact) values ('hardened', '', '', '') on conflict do nothing;
end $$;
