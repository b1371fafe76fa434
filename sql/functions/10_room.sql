-- The room. A transaction enters one tenant, for one of its users, and is in it until it ends.

-- `nullif`: after a transaction that set it, a session reads '' and not NULL. Written as SQL-standard bodies, which are bound
-- when they are created: no search_path of the caller can change what they mean, and the planner can inline them.
create function app.tenant_id() returns uuid language sql stable parallel safe
  return nullif(current_setting('app.tenant_id', true), '')::uuid;

create function app.user_id() returns uuid language sql stable parallel safe
  return nullif(current_setting('app.user_id', true), '')::uuid;

create function app.role() returns text language sql stable parallel safe
  return nullif(current_setting('app.role', true), '');

-- The tenant whose rows an auditor at psql may read: decided by the login's name, which only a superuser can change (SET SESSION
-- AUTHORIZATION), until that login expires. Auditors see their own line of meta.readers and no other.
create function app.reader_tenant() returns uuid language sql stable parallel safe
begin atomic
  select m.tenant_id from meta.readers m join pg_catalog.pg_roles r on r.rolname = m.role
  where m.role = session_user and m.revoked_at is null and r.rolcanlogin and r.rolvaliduntil > statement_timestamp();
end;

-- Whether the current login has not expired.
create function app.login_valid() returns boolean language sql stable parallel safe
begin atomic
  select exists (
    select from pg_catalog.pg_roles r
    where r.rolname = session_user and r.rolcanlogin and coalesce(r.rolvaliduntil, 'infinity') > statement_timestamp()
  );
end;

-- Enters, and returns the user's current role. p_epoch is the token's copy of users.token_epoch, from when it was issued; p_needs is the
-- lowest role that suffices; or `own`, which enters an admin as a user who sees only their own rows: an API key without the scope `admin`.
-- p_session: of a token that belongs to a session.
-- A refusal is raised and not returned: statements sent right after it then never run.
--   LL401  the user is gone, disabled, of a suspended tenant, or the token's epoch is not the user's; or the session is over
--   LL403  the user's role is below p_needs
--   LL500  no tenant, or a second tenant or user in one transaction: a bug of the caller
-- Not SECURITY DEFINER: PostgreSQL forbids changing the role inside one. It reads as llm_tenant, behind the wall already.
-- No `set search_path`: its cost would fall on every request, and pg_catalog comes first for a caller who can create nothing.
create function app.enter(p_tenant uuid, p_user uuid, p_epoch integer, p_needs text, p_session uuid default null, out role text)
  language plpgsql volatile
as $$
declare
  inside text := current_setting('app.tenant_id', true);
begin
  if p_tenant is null or p_user is null then
    raise exception 'a room needs a tenant and a user' using errcode = 'LL500';
  end if;
  if inside <> '' and (inside <> p_tenant::text or current_setting('app.user_id', true) <> p_user::text) then
    raise exception 'this transaction is in another room already' using errcode = 'LL500';
  end if;
  -- Assignments, not PERFORM: a simple expression does not start the executor.
  inside := set_config('app.tenant_id', p_tenant::text, true);
  inside := set_config('app.user_id', p_user::text, true);
  inside := set_config('role', 'llm_tenant', true);

  -- Two bounds and their order: only the primary key has it. The planner believes that one user of 200 is not deleted, and with `=` it read
  -- all of the tenant's users in the index of their addresses: 0.6 ms each request at 2,000 users.
  select set_config('app.role', case p_needs when 'own' then 'user' else u.role end, true) into enter.role
  from (
    select e.tenant_id, e.role from app.users e
    where e.tenant_id = p_tenant and e.id <= p_user and e.id >= p_user and e.status = 'active' and e.token_epoch = p_epoch
    order by e.id limit 1
  ) u join app.tenants t on t.id = u.tenant_id
  where t.status = 'active';
  if enter.role is null then
    raise exception 'not one of this tenant''s active users' using errcode = 'LL401';
  end if;
  if p_session is not null then
    perform from app.sessions s
    where s.tenant_id = p_tenant and s.id <= p_session and s.id >= p_session and s.user_id = p_user and s.ended_at is null and s.idle_until > now()
    order by s.id limit 1;
    if not found then raise exception 'the session is over' using errcode = 'LL401'; end if;
  end if;
  if p_needs = 'admin' and enter.role <> 'admin' then
    raise exception 'needs an admin' using errcode = 'LL403';
  end if;
end $$;
