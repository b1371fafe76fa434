-- The operator's calls. SECURITY DEFINER, owned by a role that reads metadata of every tenant, and no question, answer, title, address or
-- secret. The API's login may call them, and each wants the SHA-256 of one of the operator's tokens first: that login alone reaches nothing
-- here. The lint operator_without_token looks at the first line of each.
set local role llm_operator;

-- The token with this hash. LL401: there is none, or it has ended.
create function operator.admit(p_token bytea) returns uuid
  language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  found_token record;
begin
  select t.id, t.last_used_at into found_token from operator.tokens t
  where t.hash = p_token and t.revoked_at is null and (t.expires_at is null or t.expires_at > now());
  if found_token.id is null then
    raise exception 'not a token of the operator' using errcode = 'LL401';
  end if;
  if found_token.last_used_at is null or found_token.last_used_at < now() - interval '1 minute' then
    perform from operator.tokens t where t.id = found_token.id for no key update skip locked;
    if found then
      update operator.tokens t set last_used_at = now() where t.id = found_token.id;
    end if;
  end if;
  return found_token.id;
end $$;

-- A UUIDv7, as auth.uuid_v7.
create function operator.new_id() returns uuid
  language sql volatile parallel safe set search_path = pg_catalog, pg_temp
  return encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid())
        placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6),
      52, 1), 53, 1),
    'hex')::uuid;

-- Writes what was done. Where it is about a tenant, its own audit log says so too, without p_hidden: what the tenant pays above the provider's
-- price is not its admins' to know.
create function operator.record(
  p_token uuid, p_action text, p_tenant uuid, p_kind text, p_target uuid, p_request text, p_detail jsonb, p_hidden jsonb default '{}'
) returns void
  language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
begin
  insert into operator.events (id, token_id, action, tenant_id, target_kind, target_id, request_id, detail)
  values (operator.new_id(), p_token, p_action, p_tenant, p_kind, p_target, p_request, p_detail || p_hidden);
  if p_tenant is not null then
    insert into app.audit_events (tenant_id, id, action, target_kind, target_id, request_id, detail)
    values (p_tenant, operator.new_id(), 'operator.' || p_action, p_kind, p_target, p_request, p_detail);
  end if;
end $$;

-- Who calls: the token's id and name.
create function operator.whoami(p_token bytea) returns table (id uuid, name text, expires_at timestamptz)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp rows 1
as $$
#variable_conflict use_column
declare
  v_token constant uuid := operator.admit(p_token);
begin
  return query select t.id, t.name, t.expires_at from operator.tokens t where t.id = v_token;
end $$;

-- What was done, newest first; p_tenant: about this one only.
create function operator.list_events(p_token bytea, p_tenant uuid, p_after uuid, p_limit integer)
  returns table (
    id uuid, at timestamptz, token_id uuid, token text, action text, tenant_id uuid, target_kind text, target_id uuid, request_id text, detail jsonb
  )
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform operator.admit(p_token);
  return query
  select e.id, e.at, e.token_id, t.name, e.action, e.tenant_id, e.target_kind, e.target_id, e.request_id, e.detail
  from operator.events e left join operator.tokens t on t.id = e.token_id
  where (p_tenant is null or e.tenant_id = p_tenant) and (p_after is null or e.id < p_after)
  order by e.id desc limit p_limit;
end $$;
