-- What was used and what it cost, of all tenants, from the ledger. p_groups: any of tenant, model, provider and day. p_from and p_to are days in
-- UTC, the second one not included. Most expensive first; p_limit rows at most.
set local role llm_operator;

create function operator.list_usage(p_token bytea, p_from date, p_to date, p_groups text[], p_tenant uuid, p_limit integer)
  returns table (
    tenant_id uuid, model text, provider text, day date, requests bigint, tenant_amount text, provider_amount text, margin_amount text
  )
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform operator.admit(p_token);
  return query
  select s.tenant_id, s.model, s.provider, s.day, s.requests, trim_scale(s.tenant_amount)::text, trim_scale(-s.provider_amount)::text,
    trim_scale(-s.margin_amount)::text
  from (
    select case when 'tenant' = any (p_groups) then l.tenant_id end as tenant_id, case when 'model' = any (p_groups) then l.model end as model,
      case when 'provider' = any (p_groups) then l.provider end as provider,
      case when 'day' = any (p_groups) then (l.at at time zone 'UTC')::date end as day,
      count(*) filter (where l.kind = 'usage') as requests, sum(l.tenant_amount) as tenant_amount, sum(l.provider_amount) as provider_amount,
      sum(l.margin_amount) as margin_amount
    from app.ledger l
    where l.at >= p_from::timestamp at time zone 'UTC' and l.at < p_to::timestamp at time zone 'UTC'
      and (p_tenant is null or l.tenant_id = p_tenant)
    group by 1, 2, 3, 4
  ) s
  order by s.tenant_amount desc, s.day, s.tenant_id, s.model, s.provider limit p_limit;
end $$;

-- Ended answers that MLflow does not have yet: how many wait, how many were given up, and for how many seconds the oldest waits.
create function operator.outbox(p_token bytea) returns table (pending bigint, parked bigint, oldest_seconds float8)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp rows 1
as $$
begin
  perform operator.admit(p_token);
  return query
  select count(*) filter (where o.parked_reason is null), count(*) filter (where o.parked_reason is not null),
    coalesce(extract(epoch from now() - min(o.created_at) filter (where o.parked_reason is null)), 0)::float8
  from app.tracking_outbox o;
end $$;
