-- Accounts of other tenants that a session may lead to: see meta.proven_accounts. The caller has shown a token of the session; the functions
-- themselves take only a session that is not over. Never by an equal address alone: an admin can make an account with another's.
set local role llm_auth;

-- A session that is not over, its user, and how many seconds are left of it.
create function auth.open_session(p_tenant uuid, p_session uuid, out user_id uuid, out token_epoch integer, out left_seconds double precision)
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select s.user_id, s.token_epoch, extract(epoch from s.ends_at - now())::double precision
  from app.sessions s
  join app.users u on u.tenant_id = s.tenant_id and u.id = s.user_id
  join app.tenants t on t.id = s.tenant_id
  where s.tenant_id = p_tenant and s.id = p_session and s.ended_at is null and s.idle_until > now()
    and u.status = 'active' and u.token_epoch = s.token_epoch and t.status = 'active';
end;

-- Notes that the password of an account was given in a session: of 50 at most.
create function auth.prove_account(p_tenant uuid, p_session uuid, p_account_tenant uuid, p_account_user uuid, p_epoch integer) returns void
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform from auth.open_session(p_tenant, p_session) s where s.user_id is not null;
  if not found or p_tenant = p_account_tenant
    or (select count(*) >= 50 from meta.proven_accounts p where p.tenant_id = p_tenant and p.session_id = p_session) then return; end if;
  insert into meta.proven_accounts as p (tenant_id, session_id, account_tenant, account_user, token_epoch)
  values (p_tenant, p_session, p_account_tenant, p_account_user, p_epoch)
  on conflict (tenant_id, session_id, account_tenant, account_user) do update set token_epoch = excluded.token_epoch, proven_at = now();
end $$;

-- Those that it may lead to now: active, of active tenants which let logins elsewhere be switched to them, of the epoch in which they were
-- proven.
create function auth.proven_accounts(p_tenant uuid, p_session uuid)
  returns table (tenant_id uuid, user_id uuid, name text, role text, token_epoch integer, left_seconds double precision)
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select u.tenant_id, u.id, t.name, u.role, u.token_epoch, s.left_seconds
  from auth.open_session(p_tenant, p_session) s
  join meta.proven_accounts p on p.tenant_id = p_tenant and p.session_id = p_session
  join app.users u on u.tenant_id = p.account_tenant and u.id = p.account_user and u.token_epoch = p.token_epoch
  join app.tenants t on t.id = u.tenant_id
  where s.user_id is not null and u.status = 'active' and u.kind = 'person' and t.status = 'active' and t.tenant_switch
    -- Where single sign-on is required, a password that was given before leads there no more.
    and not exists (select from app.sso_connections c where c.tenant_id = u.tenant_id and c.required and c.enabled)
  order by t.name, u.tenant_id;
end;

-- A session that was begun from another, for an account that was proven there, leads to the same accounts, and back.
create function auth.carry_proven_accounts(p_tenant uuid, p_session uuid, p_to_tenant uuid, p_to_session uuid) returns void
  language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
  insert into meta.proven_accounts (tenant_id, session_id, account_tenant, account_user, token_epoch)
  select p_to_tenant, p_to_session, known.tenant_id, known.user_id, known.token_epoch
  from auth.open_session(p_tenant, p_session) s
  join auth.open_session(p_to_tenant, p_to_session) target on target.user_id is not null
  cross join lateral (
    select p_tenant as tenant_id, s.user_id, s.token_epoch
    union all
    select p.account_tenant, p.account_user, p.token_epoch from meta.proven_accounts p
    where p.tenant_id = p_tenant and p.session_id = p_session
  ) known
  where s.user_id is not null and known.tenant_id <> p_to_tenant
    and exists (
      select from meta.proven_accounts p
      where p.tenant_id = p_tenant and p.session_id = p_session and p.account_tenant = p_to_tenant and p.account_user = target.user_id
    )
  on conflict do nothing;
end;
