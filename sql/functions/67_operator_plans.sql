-- The operator's plans. They are copied: what an admission reads is app.limits and app.tenants, of the tenant alone. LL414: there is no
-- such plan. 23505: another has its name. LL419: tenants have it.
set local role llm_operator;

-- The limits of a plan as rows of app.limits. A subject without any limit has no row.
create function operator.limits_of(p_limits jsonb)
  returns table (
    subject text, requests_per_minute integer, tokens_per_minute bigint, concurrent integer, budget numeric, budget_period text, alert_at integer[]
  )
  language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
  select s.subject, (s.given -> 'limits' ->> 'requests_per_minute')::integer, (s.given -> 'limits' ->> 'tokens_per_minute')::bigint,
    (s.given -> 'limits' ->> 'concurrent')::integer, (s.given -> 'budget' ->> 'amount')::numeric, s.given -> 'budget' ->> 'period',
    coalesce(
      (select array_agg(a.percent::integer order by a.percent::integer) from jsonb_array_elements_text(s.given -> 'budget' -> 'alert_at') a (percent)),
      '{50,80,100}'
    )
  from (
    select k.subject, p_limits -> k.subject as given from unnest(array['tenant', 'user', 'key']) k (subject)
    union all
    select 'model:' || m.key, m.value from jsonb_each(coalesce(p_limits -> 'models', '{}')) m
  ) s
  where coalesce(
    s.given -> 'limits' ->> 'requests_per_minute', s.given -> 'limits' ->> 'tokens_per_minute', s.given -> 'limits' ->> 'concurrent',
    s.given -> 'budget' ->> 'amount'
  ) is not null;
end;

-- Copies a plan to a tenant, whose row the caller has locked; null: it has none, and nothing is limited by one.
create function operator.copy_plan(p_tenant uuid, p_plan uuid) returns void
  language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  v_plan operator.plans;
begin
  select * into v_plan from operator.plans p where p.id = p_plan;
  delete from app.limits l where l.tenant_id = p_tenant and l.subject !~ '^(user|key):';
  insert into app.limits (tenant_id, subject, requests_per_minute, tokens_per_minute, concurrent, budget, budget_period, alert_at)
  select p_tenant, l.subject, l.requests_per_minute, l.tokens_per_minute, l.concurrent, l.budget, l.budget_period, l.alert_at
  from operator.limits_of(coalesce(v_plan.limits, '{}')) l;
  update app.tenants t set plan_id = p_plan, markup = coalesce(v_plan.markup, 1), models = v_plan.models,
    content_days_at_most = v_plan.content_days_at_most,
    content_retention = case
      when v_plan.content_days_at_most = 0 then 'none'
      when t.content_retention = 'full' and v_plan.content_days_at_most is not null then 'days'
      else t.content_retention
    end,
    content_days = case
      when v_plan.content_days_at_most = 0 or t.content_retention = 'none' then null
      when v_plan.content_days_at_most is null then t.content_days
      else least(t.content_days, v_plan.content_days_at_most)
    end
  where t.id = p_tenant;
end $$;

-- Gives a plan to a tenant, or takes it away (null).
create function operator.give_plan(p_by uuid, p_tenant uuid, p_plan uuid, p_request text) returns void
  language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  v_name text;
begin
  if p_plan is not null then
    -- A change of the plan comes before or after: it is copied to the tenants that have it then.
    select p.name into v_name from operator.plans p where p.id = p_plan for share;
    if v_name is null then raise exception 'no such plan' using errcode = 'LL414'; end if;
  end if;
  perform operator.lock_tenant(p_tenant);
  perform operator.copy_plan(p_tenant, p_plan);
  perform operator.record(p_by, 'tenant.plan', p_tenant, 'plan', p_plan, p_request, jsonb_build_object('plan', v_name));
end $$;

create function operator.assign_plan(p_token bytea, p_tenant uuid, p_plan uuid, p_request text) returns void
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_token constant uuid := operator.admit(p_token);
begin
  perform operator.give_plan(v_token, p_tenant, p_plan, p_request);
end $$;

-- Plans by name. p_id: this one only.
create function operator.list_plans(p_token bytea, p_id uuid)
  returns table (
    id uuid, name text, limits jsonb, models text[], markup text, content_days_at_most integer, created_at timestamptz, updated_at timestamptz,
    tenants float8
  )
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform operator.admit(p_token);
  return query
  select p.id, p.name, p.limits, p.models, trim_scale(p.markup)::text, p.content_days_at_most, p.created_at, p.updated_at,
    (select count(*)::float8 from app.tenants t where t.plan_id = p.id)
  from operator.plans p where p_id is null or p.id = p_id order by p.name;
end $$;

-- Makes a plan, or replaces it (p_replace) and copies it to its tenants, each in the same transaction: none has the old one any more when
-- this returns. Returns how many tenants have it.
create function operator.put_plan(p_token bytea, p_id uuid, p_plan jsonb, p_replace boolean, p_request text) returns integer
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_token constant uuid := operator.admit(p_token);
  v_models text[];
  v_tenant uuid;
  v_count integer := 0;
begin
  if jsonb_typeof(p_plan -> 'models') = 'array' then
    v_models := array(select m.name from jsonb_array_elements_text(p_plan -> 'models') m (name));
  end if;
  if p_replace then
    update operator.plans p set name = p_plan ->> 'name', limits = p_plan -> 'limits', models = v_models,
      markup = (p_plan ->> 'markup')::numeric, content_days_at_most = (p_plan ->> 'content_days_at_most')::integer, updated_at = now()
    where p.id = p_id;
    if not found then raise exception 'no such plan' using errcode = 'LL414'; end if;
  else
    insert into operator.plans (id, name, limits, models, markup, content_days_at_most)
    values (p_id, p_plan ->> 'name', p_plan -> 'limits', v_models, (p_plan ->> 'markup')::numeric, (p_plan ->> 'content_days_at_most')::integer);
  end if;
  perform operator.record(v_token, case when p_replace then 'plan.changed' else 'plan.created' end, null, 'plan', p_id, p_request, p_plan);
  for v_tenant in select t.id from app.tenants t where t.plan_id = p_id order by t.id for no key update loop
    perform operator.copy_plan(v_tenant, p_id);
    perform operator.record(v_token, 'tenant.plan', v_tenant, 'plan', p_id, p_request, jsonb_build_object('plan', p_plan ->> 'name'));
    v_count := v_count + 1;
  end loop;
  return v_count;
end $$;

create function operator.remove_plan(p_token bytea, p_id uuid, p_request text) returns void
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_token constant uuid := operator.admit(p_token);
  v_name text;
begin
  -- Whoever gives it to a tenant holds it for that long.
  select p.name into v_name from operator.plans p where p.id = p_id for update;
  if v_name is null then raise exception 'no such plan' using errcode = 'LL414'; end if;
  if exists (select from app.tenants t where t.plan_id = p_id) then
    raise exception 'tenants have this plan' using errcode = 'LL419';
  end if;
  delete from operator.plans p where p.id = p_id;
  perform operator.record(v_token, 'plan.removed', null, 'plan', p_id, p_request, jsonb_build_object('name', v_name));
end $$;
