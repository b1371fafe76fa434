-- Rules that no policy can express, enforced by triggers for every role, the owner included.

create function app.append_only() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception '%.% is append only', tg_table_schema, tg_table_name using errcode = '42501';
end $$;

create trigger append_only before update or delete on app.audit_events
  for each row execute function app.append_only();
create trigger append_only_truncate before truncate on app.audit_events
  for each statement execute function app.append_only();
create trigger append_only before update or delete on operator.events
  for each row execute function app.append_only();
create trigger append_only_truncate before truncate on operator.events
  for each statement execute function app.append_only();
create trigger append_only before update or delete on app.ledger
  for each row execute function app.append_only();
create trigger append_only_truncate before truncate on app.ledger
  for each statement execute function app.append_only();

-- LL409: the change would leave the tenant without an active admin; a service account is none. Two admins who demote each other at the same moment wait at the
-- tenant's row; the second then counts with a snapshot of its own (READ COMMITTED) and finds none. Foreign keys to the tenant do not wait
-- for this lock, nor it for them.
create function app.keep_an_admin() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  v_tenant uuid := case when tg_op = 'INSERT' then new.tenant_id else old.tenant_id end;
begin
  perform from app.tenants t where t.id = v_tenant and t.status <> 'erased' for no key update;
  -- Of a tenant that is erased no user stays.
  if not found then return null; end if;
  if not exists (
    select from app.users u where u.tenant_id = v_tenant and u.role = 'admin' and u.status = 'active' and u.kind = 'person' and u.deleted_at is null
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
  for each row when (old.role = 'admin' and old.status = 'active' and old.deleted_at is null) execute function app.keep_an_admin();
-- Triggers of one table fire in the order of their names: `deleted_user` (55_purge.sql) comes before.
create trigger keep_an_admin_insert after insert on app.deletions
  for each row when (new.kind = 'user') execute function app.keep_an_admin();

-- A new secret of a key: the one before it stays as the previous one, without any login reading a hash. And a secret is for whom the key
-- acts as: an admin who could give a person's key a new one could act as that person. Keys of service accounts are for the admins.
create function app.new_secret() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if new.user_id is distinct from app.user_id() and not exists (
    select from app.users u where u.tenant_id = new.tenant_id and u.id = new.user_id and u.kind = 'service'
  ) then
    raise exception 'a person''s key has a new secret only by that person' using errcode = 'LL403';
  end if;
  new.previous_hash := old.secret_hash;
  return new;
end $$;

create trigger new_secret before update of secret_hash on app.api_keys
  for each row when (new.secret_hash is distinct from old.secret_hash) execute function app.new_secret();

-- LL403: the plan of the tenant keeps content for a shorter time.
create function app.within_plan() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'the plan keeps content for % days at most', new.content_days_at_most using errcode = 'LL403';
end $$;

create trigger within_plan before update of content_retention, content_days on app.tenants
  for each row when (
    new.content_days_at_most is not null
    and (new.content_retention = 'full' or new.content_retention = 'days' and new.content_days > new.content_days_at_most)
  ) execute function app.within_plan();
