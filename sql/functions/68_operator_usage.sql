-- What was used and what it cost, of all tenants: the sums by day, and the rows of the ledger that are not in them yet. p_groups: any of tenant,
-- model and day. p_from and p_to are days in UTC, the second one not included. p_tenant: of this one only. Most expensive first; p_limit
-- rows at most.
set local role llm_operator;

create function operator.list_usage(p_token bytea, p_from date, p_to date, p_groups text[], p_tenant uuid, p_limit integer)
  returns table (
    tenant_id uuid, model text, day text, requests float8, errors float8, units jsonb, tenant_amount text, provider_amount text, margin_amount text
  )
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform operator.admit(p_token);
  return query
  select s.tenant_id, s.model, s.day::text, s.requests, s.errors, s.units, trim_scale(s.tenant_amount)::text, trim_scale(-s.provider_amount)::text,
    trim_scale(s.tenant_amount + s.provider_amount)::text
  from (
    select case when 'tenant' = any (p_groups) then u.tenant_id end as tenant_id, case when 'model' = any (p_groups) then u.model end as model,
      case when 'day' = any (p_groups) then u.day end as day, sum(u.requests)::float8 as requests, sum(u.errors)::float8 as errors,
      (
        -- Without the durations.
        select coalesce(jsonb_object_agg(c.key, c.value), '{}') from jsonb_each(app.sum_counts(array_agg(u.counts))) c where strpos(c.key, '/') = 0
      ) as units, sum(u.tenant_amount) as tenant_amount, sum(u.provider_amount) as provider_amount
    from (
      select d.tenant_id, d.model, d.day, d.requests, d.errors, d.counts, d.tenant_amount, d.provider_amount from app.usage_days d
      where d.grain = 'model' and d.day >= p_from and d.day < p_to and (p_tenant is null or d.tenant_id = p_tenant)
      union all
      select q.tenant_id, e.model, e.day, e.requests, e.errors, e.counts, e.tenant_amount, p.provider_amount from app.usage_queue q
      cross join lateral app.usage_of(q.tenant_id, q.ledger_id) e
      cross join lateral (
        select l.provider_amount from app.ledger l where l.tenant_id = q.tenant_id and l.id = q.ledger_id limit 1
      ) p
      where e.grain = 'model' and e.day >= p_from and e.day < p_to and (p_tenant is null or q.tenant_id = p_tenant)
    ) u
    group by 1, 2, 3
  ) s
  order by s.tenant_amount desc, s.day, s.tenant_id, s.model limit p_limit;
end $$;

-- Ended answers that MLflow does not have yet: how many wait, how many were given up, and for how many seconds the oldest waits.
create function operator.outbox(p_token bytea) returns table (pending float8, parked float8, oldest_seconds float8)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp rows 1
as $$
begin
  perform operator.admit(p_token);
  return query
  select (count(*) filter (where o.parked_reason is null))::float8, (count(*) filter (where o.parked_reason is not null))::float8,
    coalesce(extract(epoch from now() - min(o.created_at) filter (where o.parked_reason is null)), 0)::float8
  from app.tracking_outbox o;
end $$;
