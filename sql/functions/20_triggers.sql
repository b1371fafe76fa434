-- Rules that no policy can express, kept by triggers for every role there is, the owner included.

create function app.append_only() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception '%.% is append only', tg_table_schema, tg_table_name using errcode = '42501';
end $$;

create trigger append_only before update or delete on app.audit_events
  for each row execute function app.append_only();
create trigger append_only_truncate before truncate on app.audit_events
  for each statement execute function app.append_only();

-- LL409: the change would leave the tenant without an active admin. Two admins who demote each other at the same moment queue up
-- at the lock; the second then counts with a snapshot of its own (READ COMMITTED) and finds nobody.
create function app.keep_an_admin() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('admins of ' || old.tenant_id, 0));
  if not exists (
    select from app.users where tenant_id = old.tenant_id and role = 'admin' and status = 'active'
  ) then
    raise exception 'the last active admin stays' using errcode = 'LL409';
  end if;
  return null;
end $$;

create trigger keep_an_admin_update after update on app.users
  for each row when (
    old.role = 'admin' and old.status = 'active' and (new.role <> 'admin' or new.status <> 'active')
  ) execute function app.keep_an_admin();
create trigger keep_an_admin_delete after delete on app.users
  for each row when (old.role = 'admin' and old.status = 'active') execute function app.keep_an_admin();
