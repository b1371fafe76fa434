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
