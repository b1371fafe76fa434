-- Prices of providers, for the operator: those that came with the program, and the operator's own, which count instead. LL424: there is no
-- own price with this id that holds.
set local role llm_operator;

-- Prices that hold now or later; p_ended: and those that held. p_provider, p_model: of these only. By provider, model and unit.
create function operator.list_prices(p_token bytea, p_provider text, p_model text, p_own boolean, p_ended boolean, p_limit integer)
  returns table (
    id uuid, provider text, model text, unit text, service_tier text, tier_start integer, per integer, amount text, since timestamptz,
    until timestamptz, source text, own boolean
  )
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform operator.admit(p_token);
  return query
  select p.id, p.provider, p.model, p.unit, p.service_tier, p.tier_start, p.per, trim_scale(p.amount)::text,
    nullif(lower(p.valid), '-infinity'), nullif(upper(p.valid), 'infinity'), p.source, not p.seeded
  from operator.prices p
  where not isempty(p.valid) and (p_provider is null or p.provider = p_provider) and (p_model is null or p.model = p_model)
    and (not p_own or not p.seeded) and (p_ended or upper_inf(p.valid) or upper(p.valid) > now())
  order by p.provider, p.model, p.unit, p.service_tier, p.tier_start, p.seeded, p.valid limit p_limit;
end $$;

-- Ends the operator's own prices of the same thing at a moment; one that would begin later holds never.
create function operator.end_own_prices(
  p_provider text, p_model text, p_unit text, p_service_tier text, p_tier_start integer, p_at timestamptz
) returns void
  language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
  update operator.prices p
  set valid = case when lower(p.valid) < p_at then tstzrange(lower(p.valid), p_at) else 'empty' end
  where p.provider = p_provider and p.model = p_model and p.unit = p_unit and p.service_tier = p_service_tier and p.tier_start = p_tier_start
    and not p.seeded and not isempty(p.valid) and (upper_inf(p.valid) or upper(p.valid) > p_at);
end;

-- Adds a price of the operator's own, from now or a later moment on. Own ones of the same thing end then; answers keep what they cost.
create function operator.add_price(p_token bytea, p_price jsonb, p_since timestamptz, p_request text) returns uuid
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_token constant uuid := operator.admit(p_token);
  v_since constant timestamptz := greatest(coalesce(p_since, now()), now());
  v_id uuid;
begin
  perform operator.end_own_prices(p_price ->> 'provider', p_price ->> 'model', p_price ->> 'unit', p_price ->> 'service_tier',
    (p_price ->> 'tier_start')::integer, v_since);
  insert into operator.prices (provider, model, unit, service_tier, tier_start, per, amount, valid, source)
  values (p_price ->> 'provider', p_price ->> 'model', p_price ->> 'unit', p_price ->> 'service_tier', (p_price ->> 'tier_start')::integer,
    (p_price ->> 'per')::integer, (p_price ->> 'amount')::numeric, tstzrange(v_since, null), 'operator')
  returning id into v_id;
  perform operator.record(v_token, 'price.added', null, 'price', v_id, p_request, p_price || jsonb_build_object('since', v_since));
  return v_id;
end $$;

-- Ends a price of the operator's own: the one that came with the program, if there is one, counts again.
create function operator.end_price(p_token bytea, p_id uuid, p_request text) returns void
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_token constant uuid := operator.admit(p_token);
  v_price operator.prices;
begin
  select * into v_price from operator.prices p
  where p.id = p_id and not p.seeded and not isempty(p.valid) and (upper_inf(p.valid) or upper(p.valid) > now()) for no key update;
  if v_price.id is null then raise exception 'no such price' using errcode = 'LL424'; end if;
  update operator.prices p set valid = case when lower(p.valid) < now() then tstzrange(lower(p.valid), now()) else 'empty' end
  where p.id = p_id;
  perform operator.record(v_token, 'price.ended', null, 'price', p_id, p_request,
    jsonb_build_object('provider', v_price.provider, 'model', v_price.model, 'unit', v_price.unit));
end $$;
