-- The calls before a tenant is known. SECURITY DEFINER, owned by a role that has these columns and nothing else. Each is narrow, and
-- decides itself what a caller must not decide (who is admin, who may register). Their SQL is static; the pinned search_path keeps its
-- meaning.
set local role llm_auth;

-- A UUIDv7 (RFC 9562): PostgreSQL has its own only from 18 on.
create function auth.uuid_v7() returns uuid
  language sql volatile parallel safe set search_path = pg_catalog, pg_temp
  return encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid())
        placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6),
      52, 1), 53, 1),
    'hex')::uuid;

-- Whether people of the tenant log in by its single sign-on alone. Every other way to a login asks this first. What makes an account asks with
-- the tenant's row locked for share: who requires it holds that row, and then ends what there is.
create function auth.requires_sso(p_tenant uuid) returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select exists (select from app.sso_connections c where c.tenant_id = p_tenant and c.required and c.enabled);
end;

-- made: false where there is a tenant with this id already. An id derived from an Idempotency-Key was made by an earlier request.
create function auth.create_tenant(p_id uuid, p_name text, p_registration text, p_request text)
  returns table (id uuid, name text, registration text, created_at timestamptz, made boolean)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_made boolean;
begin
  -- Of two requests with one key, the second waits here until the first commits or rolls back.
  insert into app.tenants (id, name, registration) values (p_id, p_name, p_registration) on conflict do nothing;
  v_made := found;
  if v_made then
    insert into app.audit_events (tenant_id, id, action, target_kind, target_id, request_id)
    values (p_id, auth.uuid_v7(), 'tenant.created', 'tenant', p_id, p_request);
  end if;
  return query select t.id, t.name, t.registration, t.created_at, v_made from app.tenants t where t.id = p_id;
end $$;

-- Whether the installation has tenants: erased ones count, as rows of them stay. That is all that anybody is told of it.
create function auth.has_tenants() returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select exists (select from app.tenants);
end;

-- The name of a tenant in which people may register: those who could read it a moment later. A password must not be that name.
create function auth.open_tenant(p_tenant uuid) returns text
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select t.name from app.tenants t
  where t.id = p_tenant and t.status = 'active' and (t.registration = 'open' or t.bootstrapped_at is null);
end;

-- No row: refused, without the reason (unknown or suspended tenant, closed registration, address taken). p_key, or null: what stands for a
-- guest's Idempotency-Key, see app.idempotent_answers. outcome: `registered`; `known`: made by an earlier request with this key and this
-- body, here is its user; `mismatch`: the key was used with another body.
create function auth.register(
  p_tenant uuid, p_user uuid, p_email text, p_hash text, p_request text, p_key text default null, p_body_hash text default null
) returns table (outcome text, id uuid, role text, created_at timestamptz)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_role text := 'user';
  v_created timestamptz;
  v_body text;
  v_answer jsonb;
begin
  if p_key is not null then
    -- As above: the second waits here.
    insert into app.idempotent_answers (tenant_id, key, body_hash)
    select t.id, p_key, p_body_hash from app.tenants t where t.id = p_tenant on conflict do nothing;
    if not found then
      select a.body_hash, a.answer into v_body, v_answer from app.idempotent_answers a
      where a.tenant_id = p_tenant and a.owner = 'guest' and a.key = p_key;
      if v_body = p_body_hash then
        return query select 'known', (v_answer ->> 'id')::uuid, v_answer ->> 'role', (v_answer ->> 'created_at')::timestamptz;
      elsif v_body is not null then
        return query select 'mismatch', null::uuid, null::text, null::timestamptz;
      end if;
      return;
    end if;
  end if;

  -- Of twelve registrations at once, eleven wait here for the row and then find it set. A tenant that was created closed still gets its
  -- admin this way.
  update app.tenants t set bootstrapped_at = now()
  where t.id = p_tenant and t.status = 'active' and t.bootstrapped_at is null;
  if found then
    v_role := 'admin';
  else
    perform from app.tenants t where t.id = p_tenant and t.status = 'active' and t.registration = 'open' for share;
    if not found or auth.requires_sso(p_tenant) then
      -- A refusal is not stored as an answer.
      delete from app.idempotent_answers a where a.tenant_id = p_tenant and a.owner = 'guest' and a.key = p_key;
      return;
    end if;
  end if;

  insert into app.users (tenant_id, id, email, role) values (p_tenant, p_user, p_email, v_role)
  on conflict (tenant_id, email) where deleted_at is null do nothing;
  if not found then
    delete from app.idempotent_answers a where a.tenant_id = p_tenant and a.owner = 'guest' and a.key = p_key;
    return;
  end if;

  insert into app.credentials (tenant_id, user_id, password_hash) values (p_tenant, p_user, p_hash);
  insert into app.audit_events (tenant_id, id, actor_user_id, action, target_kind, target_id, request_id, detail)
  values (p_tenant, auth.uuid_v7(), p_user, 'user.registered', 'user', p_user, p_request, jsonb_build_object('role', v_role));
  select u.created_at into v_created from app.users u where u.tenant_id = p_tenant and u.id = p_user;
  update app.idempotent_answers a set answer = jsonb_build_object('id', p_user, 'role', v_role, 'created_at', v_created)
  where a.tenant_id = p_tenant and a.owner = 'guest' and a.key = p_key;
  return query select 'registered', p_user, v_role, v_created;
end $$;

-- Active users of active tenants with this address who may log in by a password, oldest accounts first. All of them: with a limit, a person who creates tenants with
-- another's address would push that account out. Comparing a password with all of them costs the caller one argon2.
create function auth.login_candidates(p_email text, p_tenant uuid)
  returns table (tenant_id uuid, user_id uuid, role text, password_hash text, token_epoch integer, email_verified boolean)
  language sql stable security definer set search_path = pg_catalog, pg_temp rows 1
begin atomic
  select u.tenant_id, u.id, u.role, c.password_hash, u.token_epoch, u.email_verified_at is not null
  from app.users u
  join app.credentials c on c.tenant_id = u.tenant_id and c.user_id = u.id
  join app.tenants t on t.id = u.tenant_id
  where u.email = p_email and (p_tenant is null or u.tenant_id = p_tenant) and u.kind = 'person' and u.status = 'active' and t.status = 'active'
    and not exists (select from app.sso_connections s where s.tenant_id = u.tenant_id and s.required and s.enabled)
  order by u.created_at, u.tenant_id;
end;

-- One event per account that was tried, in its own tenant; `login.challenged` where a second factor is asked for now. Only for existing users: an invented id leaves no trace and no error. Also
-- called without any accounts, so that it takes as long.
create function auth.login_record(p_tenants uuid[], p_users uuid[], p_succeeded uuid, p_request text) returns void
  language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
  insert into app.audit_events (tenant_id, id, actor_user_id, action, target_kind, target_id, request_id)
  select u.tenant_id, auth.uuid_v7(), case when u.id = p_succeeded then u.id end,
    case
      when u.id is distinct from p_succeeded then 'login.failed'
      when t.second_factor = 'everybody' or t.second_factor = 'admins' and u.role = 'admin' or exists (
        select from app.factors f where f.tenant_id = u.tenant_id and f.user_id = u.id and f.confirmed_at is not null
      ) then 'login.challenged'
      else 'login.succeeded'
    end, 'user', u.id, p_request
  from unnest(p_tenants, p_users) tried (tenant_id, user_id)
  join app.users u on u.tenant_id = tried.tenant_id and u.id = tried.user_id
  join app.tenants t on t.id = u.tenant_id;
end;

-- Replaces a hash made with older parameters, unless the password was changed meanwhile.
create function auth.rehash(p_tenant uuid, p_user uuid, p_old_hash text, p_new_hash text) returns void
  language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
  update app.credentials set password_hash = p_new_hash, updated_at = now()
  where tenant_id = p_tenant and user_id = p_user and password_hash = p_old_hash;
end;

-- The key with this SHA-256 of its text, whom it acts as and what it may. No row: there is none, be it that the id is unknown or the secret
-- wrong: both are the same look into the same index, which finds nothing. refused: why it may do nothing any more, for the audit log. A
-- user's own status is checked once more by app.enter.
create function auth.api_key(p_hash bytea)
  returns table (
    tenant_id uuid, key_id uuid, user_id uuid, token_epoch integer, scopes text[], models text[], expires_at timestamptz, refused text
  )
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp rows 1
as $$
begin
  return query
  select k.tenant_id, k.id, k.user_id, coalesce(u.token_epoch, 0), k.scopes, k.models, k.expires_at,
    case
      when k.revoked_at is not null then 'deleted'
      when k.disabled_at is not null then 'disabled'
      when k.expires_at <= now() then 'expired'
      when u.status is distinct from 'active' then 'owner'
      when t.status is distinct from 'active' then 'tenant'
    end
  from app.api_keys k
  left join lateral (
    -- Two bounds and an order: see app.enter.
    select u.status, u.token_epoch from app.users u
    where u.tenant_id = k.tenant_id and u.id <= k.user_id and u.id >= k.user_id order by u.id limit 1
  ) u on true
  left join app.tenants t on t.id = k.tenant_id
  where k.secret_hash = p_hash and octet_length(k.secret_hash) = 32
  limit 1;
  if found then
    return;
  end if;
  -- The secret before a rotation. By itself: in one query with the other, every request paid for both, a quarter of its look.
  return query
  select k.tenant_id, k.id, k.user_id, coalesce(u.token_epoch, 0), k.scopes, k.models, k.expires_at,
    case
      when k.revoked_at is not null then 'deleted'
      when k.disabled_at is not null then 'disabled'
      when k.expires_at <= now() then 'expired'
      when coalesce(k.previous_until, '-infinity') <= now() then 'rotated'
      when u.status is distinct from 'active' then 'owner'
      when t.status is distinct from 'active' then 'tenant'
    end
  from app.api_keys k
  left join lateral (
    select u.status, u.token_epoch from app.users u
    where u.tenant_id = k.tenant_id and u.id <= k.user_id and u.id >= k.user_id order by u.id limit 1
  ) u on true
  left join app.tenants t on t.id = k.tenant_id
  where k.previous_hash = p_hash
  limit 1;
end $$;

-- Notes when keys were used. Called in the background with the keys of some seconds; a row that another transaction holds is left out: its
-- next use is noted.
create function auth.api_keys_used(p_tenants uuid[], p_keys uuid[]) returns void
  language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
  with given as (
    select * from unnest(p_tenants, p_keys) as given (tenant_id, id) order by 1, 2
  ), due as (
    select v.* from given v cross join lateral (
      select from app.api_keys k
      where k.tenant_id = v.tenant_id and k.id = v.id
        and (k.last_used_at is null or k.last_used_at < now() - interval '1 minute')
      for no key update skip locked
    ) k
  )
  update app.api_keys k set last_used_at = now() from due where k.tenant_id = due.tenant_id and k.id = due.id;
end;

-- Writes into the audit log that keys were used after they had ended, at most once a minute for each. Called as above. Returns the keys it
-- could look at: the others are held by another transaction, and must be sent again.
create function auth.api_keys_refused(p_tenants uuid[], p_keys uuid[], p_reasons text[], p_requests text[]) returns setof uuid
  language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
  with given as (
    select * from unnest(p_tenants, p_keys, p_reasons, p_requests) as given (tenant_id, id, reason, request_id) order by 1, 2
  ), seen as (
    select v.*, k.refused_at from given v cross join lateral (
      select k.refused_at from app.api_keys k where k.tenant_id = v.tenant_id and k.id = v.id for no key update skip locked
    ) k
  ), due as (
    update app.api_keys k set refused_at = now() from seen
    where k.tenant_id = seen.tenant_id and k.id = seen.id
      and (seen.refused_at is null or seen.refused_at < now() - interval '1 minute')
    returning k.tenant_id, k.id, seen.reason, seen.request_id
  ), noted as (
    insert into app.audit_events (tenant_id, id, action, target_kind, target_id, request_id, detail)
    select d.tenant_id, auth.uuid_v7(), 'key.refused', 'key', d.id, d.request_id, jsonb_build_object('reason', d.reason) from due d
  )
  select seen.id from seen;
end;
