-- The room: what every request's transaction begins with, and what policies read.

-- After a transaction that set it locally, the setting reads '' rather than null. A malformed value raises, and so fails closed.
create or replace function app.tenant_id() returns uuid language sql stable parallel safe
  return nullif(current_setting('app.tenant_id', true), '')::uuid;

create or replace function app.user_id() returns uuid language sql stable parallel safe
  return nullif(current_setting('app.user_id', true), '')::uuid;

create or replace function app.role() returns text language sql stable parallel safe
  return nullif(current_setting('app.role', true), '');

-- Enters a tenant's room for the rest of this transaction, and reads the user's row to do so: the database's role counts, not the
-- caller's. A refusal raises, so that statements already sent behind this one do not run:
--   LL401  the user is gone or disabled, the tenant is suspended, or the token is from before tokens_valid_after
--   LL403  the user's role is less than p_needs
--   LL500  no tenant, or a second tenant inside one transaction
-- SECURITY INVOKER: it may only do what its caller may, and switching roles is not allowed inside SECURITY DEFINER anyway.
create or replace function app.enter(p_tenant uuid, p_user uuid, p_issued_at bigint, p_needs text)
  returns table (role text) language plpgsql volatile set plan_cache_mode = force_generic_plan
as $$
declare
  entered text := current_setting('app.tenant_id', true);
  found_role text;
begin
  if p_tenant is null or p_user is null or (entered <> '' and entered <> p_tenant::text) then
    raise exception 'one transaction has one tenant' using errcode = 'LL500';
  end if;
  perform set_config('app.tenant_id', p_tenant::text, true),
          set_config('app.user_id', p_user::text, true),
          set_config('role', 'llm_tenant', true);
  select u.role into found_role
  from app.users u join app.tenants t on t.id = u.tenant_id
  where u.tenant_id = p_tenant and u.id = p_user and u.status = 'active' and t.status = 'active'
    and to_timestamp(p_issued_at) >= date_trunc('second', u.tokens_valid_after);
  if found_role is null then
    raise exception 'may not enter' using errcode = 'LL401';
  end if;
  if p_needs is distinct from 'user' and found_role <> 'admin' then
    raise exception 'role is not enough' using errcode = 'LL403';
  end if;
  perform set_config('app.role', found_role, true);
  role := found_role;
  return next;
end $$;

-- Who did what, in the transaction of the deed. The actor is the one who entered, not one the caller names.
create or replace function app.record_event(p_action text, p_kind text, p_target uuid, p_request text, p_detail jsonb)
  returns void language sql volatile
begin atomic
  insert into app.audit_events (tenant_id, actor_user_id, action, target_kind, target_id, request_id, detail)
  values (app.tenant_id(), app.user_id(), p_action, p_kind, p_target, p_request, p_detail);
end;

create or replace function app.refuse_change() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception '% is append only', tg_table_name using errcode = '42501';
end $$;

create or replace trigger audit_events_are_final before update or delete on app.audit_events
  for each row execute function app.refuse_change();
create or replace trigger audit_events_stay before truncate on app.audit_events
  for each statement execute function app.refuse_change();

-- The last active admin stays one. Changes of admins take turns per tenant (the lock on the tenant's row), so that two admins who
-- demote each other at the same moment cannot both succeed.
create or replace function app.keep_an_admin() returns trigger language plpgsql
  security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if old.role = 'admin' and old.status = 'active'
     and (tg_op = 'DELETE' or new.role <> 'admin' or new.status <> 'active') then
    perform 1 from app.tenants t where t.id = old.tenant_id for no key update;
    if not exists (
      select 1 from app.users u
      where u.tenant_id = old.tenant_id and u.role = 'admin' and u.status = 'active' and u.id <> old.id
    ) then
      raise exception 'the last active admin' using errcode = 'LL409';
    end if;
  end if;
  return case tg_op when 'DELETE' then old else new end;
end $$;
