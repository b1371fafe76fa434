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

-- What waits to be sent. Ended answers that MLflow does not have yet: how many wait, how many were given up, and for how many seconds the
-- oldest waits. Mails: how many wait, and for how many seconds the oldest does.
create function operator.outbox(p_token bytea)
  returns table (pending float8, parked float8, oldest_seconds float8, mails float8, oldest_mail_seconds float8)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp rows 1
as $$
begin
  perform operator.admit(p_token);
  return query
  select t.*, m.* from (
    select (count(*) filter (where o.parked_reason is null))::float8, (count(*) filter (where o.parked_reason is not null))::float8,
      coalesce(extract(epoch from now() - min(o.created_at) filter (where o.parked_reason is null)), 0)::float8
    from app.tracking_outbox o
  ) t, (
    select count(*)::float8, coalesce(extract(epoch from now() - min(w.created_at)), 0)::float8 from app.mails w where w.ended_at is null
  ) m;
end $$;

-- Corrects what a tenant owes, by an entry of its own in the ledger: p_amount more (negative: less), and p_provider_amount more to the provider.
-- p_generation: the answer that it is about, or null. LL404: there is no such tenant; LL425: it has no entry for such an answer.
create function operator.correct(
  p_token bytea, p_tenant uuid, p_id uuid, p_generation uuid, p_amount numeric, p_provider_amount numeric, p_note text, p_request text
) returns void
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_token constant uuid := operator.admit(p_token);
  v_entry record;
begin
  perform from app.tenants t where t.id = p_tenant;
  if not found then raise exception 'no such tenant' using errcode = 'LL404'; end if;
  if p_generation is not null then
    select l.user_id, l.key_id, l.provider, l.model into v_entry from app.ledger l where l.tenant_id = p_tenant and l.id = p_generation;
    if not found then raise exception 'no such answer' using errcode = 'LL425'; end if;
  else
    select null::uuid as user_id, null::uuid as key_id, '' as provider, '' as model into v_entry;
  end if;
  insert into app.ledger (
    tenant_id, id, kind, generation_id, user_id, key_id, provider, model, tenant_amount, provider_amount, margin_amount, note, made_by
  )
  values (
    p_tenant, p_id, 'correction', p_generation, v_entry.user_id, v_entry.key_id, v_entry.provider, v_entry.model, p_amount, -p_provider_amount,
    p_provider_amount - p_amount, p_note, v_token::text
  );
  insert into app.usage_queue (tenant_id, ledger_id) values (p_tenant, p_id);
  perform operator.record(v_token, 'ledger.corrected', p_tenant, 'ledger', p_id, p_request,
    jsonb_build_object('amount', p_amount::text, 'generation_id', p_generation));
end $$;
