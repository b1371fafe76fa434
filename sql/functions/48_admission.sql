-- Limits and budgets: what an admission takes, and what ended answers give back. The caller of the functions below it holds the subjects'
-- rows of app.rates, which is the lock.
set local role llm_work;

-- When the period of a budget began.
create function work.period_start(p_period text, p_at timestamptz) returns timestamptz
  language sql stable parallel safe set search_path = pg_catalog, pg_temp
  return case p_period when 'total' then '-infinity' else date_trunc(p_period, p_at, 'UTC') end;

-- When it ends; null: never.
create function work.period_end(p_period text, p_at timestamptz) returns timestamptz
  language sql stable parallel safe set search_path = pg_catalog, pg_temp
  return case p_period when 'total' then null else date_trunc(p_period, p_at, 'UTC') + ('1 ' || p_period)::interval end;

-- Takes in what answers of a subject gave back when they ended. tokens: what they used beyond what was estimated; at: when the last of
-- them ended, or null.
create function work.take_in(p_tenant uuid, p_subject text, out tokens bigint, out at timestamptz)
  language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  change record;
  v_spent numeric;
  v_alerted integer;
  v_budget numeric;
  v_alert integer;
begin
  tokens := 0;
  for change in
    with gone as (
      delete from app.counter_changes c where c.tenant_id = p_tenant and c.subject = p_subject
      returning c.period, c.starts_at, c.released, c.spent, c.tokens, c.at
    )
    select g.period, g.starts_at, sum(g.released) as released, sum(g.spent) as spent, sum(g.tokens)::bigint as tokens, max(g.at) as at from gone g group by 1, 2
  loop
    if change.period = 'minute' then
      tokens := change.tokens;
      at := change.at;
      continue;
    end if;
    insert into app.budget_periods as b (tenant_id, subject, period, starts_at, reserved, spent)
    values (p_tenant, p_subject, change.period, change.starts_at, -change.released, change.spent)
    on conflict (tenant_id, subject, period, starts_at) do update
      set reserved = b.reserved + excluded.reserved, spent = b.spent + excluded.spent
    returning b.spent, b.alerted into v_spent, v_alerted;
    -- The highest percentage that was reached now.
    select l.budget, max(a.percent) into v_budget, v_alert
    from app.limits l cross join unnest(l.alert_at) a (percent)
    where l.tenant_id = p_tenant and l.subject in (p_subject, split_part(p_subject, ':', 1)) and l.budget_period = change.period
      and v_spent * 100 >= l.budget * a.percent and a.percent > v_alerted
    group by l.budget order by l.budget limit 1;
    continue when v_alert is null;
    update app.budget_periods b set alerted = v_alert
    where b.tenant_id = p_tenant and b.subject = p_subject and b.period = change.period and b.starts_at = change.starts_at;
    insert into app.audit_events (tenant_id, id, action, target_kind, target_id, detail)
    values (p_tenant, work.event_id(), 'budget.alert', 'budget', coalesce(substr(p_subject, nullif(position(':' in p_subject), 0) + 1)::uuid, p_tenant),
      jsonb_build_object('subject', p_subject, 'period', change.period, 'percent', v_alert, 'budget', v_budget::text, 'spent', v_spent::text));
  end loop;
end $$;

-- A UUIDv7, as auth.uuid_v7.
create function work.event_id() returns uuid
  language sql volatile parallel safe set search_path = pg_catalog, pg_temp
  return encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid())
        placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6),
      52, 1), 53, 1),
    'hex')::uuid;

-- The limit with the least left: of p_limit a minute, p_used of the minute is used, p_step for one.
create function work.tighter(p_standing jsonb, p_resource text, p_limit bigint, p_used interval, p_step interval) returns jsonb
  language plpgsql immutable set search_path = pg_catalog, pg_temp
as $$
declare
  v_left constant bigint := greatest(floor(extract(epoch from interval '1 minute' - p_used) / extract(epoch from p_step)), 0);
begin
  if (p_standing -> p_resource ->> 'remaining')::bigint <= v_left then return p_standing; end if;
  return p_standing || jsonb_build_object(p_resource, jsonb_build_object('limit', p_limit, 'remaining', v_left,
    'reset_ms', ceil(greatest(extract(epoch from p_used), 0) * 1000)));
end $$;

-- Admits one question of the current user, or says why not: all limits and budgets that hold are checked, and only then taken. To be called in
-- the transaction that stores the question. p_tokens: estimated tokens of question and answer. p_worst: the most it may cost by the
-- provider's prices, US dollars; null: there is no price. p_wait: whether it may wait for other admissions of the same subjects.
--
-- outcome: `admitted`; `refused`: refusal says by what, and nothing was taken; `reserved`: likewise, but it would fit if answers that run
-- now cost less than was reserved for them; `unpriced`: a budget holds, and the model has no price; `busy`: see p_wait.
-- refusal: {"scope", "resource": "requests" | "tokens" | "concurrent" | "budget", "limit", "retry_after" (seconds), and for budgets "amount",
-- "period", "left", "until"}. taken: for app.generations.admission. standing: of requests and tokens, the limit with the least left:
-- {"requests": {"limit", "remaining", "reset_ms"}, "tokens": …}.
create function work.admit(
  p_tenant uuid, p_user uuid, p_key uuid, p_model text, p_tokens bigint, p_worst numeric, p_wait boolean,
  out outcome text, out refusal jsonb, out taken jsonb, out standing jsonb, out counted boolean
)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  minute constant interval := '1 minute';
  -- Tokens may be owed: no more than this many minutes, also after a step of the clock.
  most_owed constant interval := '10 minutes';
  v_user constant text := 'user:' || p_user;
  v_key constant text := 'key:' || p_key;
  v_model constant text := 'model:' || p_model;
  v_subjects text[] := '{}';
  v_requests integer[] := '{}';
  v_tokens bigint[] := '{}';
  v_concurrent integer[] := '{}';
  v_budget_subjects text[] := '{}';
  v_budgets numeric[] := '{}';
  v_periods text[] := '{}';
  v_requests_at timestamptz[] := '{}';
  v_tokens_at timestamptz[] := '{}';
  v_settled_at timestamptz[] := '{}';
  v_locked text[];
  v_more record;
  v_now timestamptz;
  v_at timestamptz;
  v_step interval;
  v_cost interval;
  v_wait interval;
  v_longest interval;
  v_running integer[];
  v_worst numeric;
  v_spent numeric;
  v_reserved numeric;
  v_scope text;
  n integer;
  l record;
begin
  if p_tenant is distinct from app.tenant_id() or p_user is distinct from app.user_id() then
    raise exception 'an admission is of the room''s user' using errcode = 'LL500';
  end if;
  outcome := 'admitted';
  counted := false;
  for l in
    select case i.subject when 'user' then v_user when 'key' then v_key else i.subject end as subject, i.requests_per_minute,
      i.tokens_per_minute, i.concurrent, i.budget, i.budget_period
    from app.limits i
    where i.tenant_id = p_tenant
      and i.subject = any (case when p_key is null then array['tenant', 'user', v_user, v_model] else array['tenant', 'user', v_user, v_model, 'key', v_key] end)
  loop
    n := array_position(v_subjects, l.subject);
    if n is null then
      v_subjects := v_subjects || l.subject;
      v_requests := v_requests || l.requests_per_minute;
      v_tokens := v_tokens || l.tokens_per_minute;
      v_concurrent := v_concurrent || l.concurrent;
    else
      v_requests[n] := least(v_requests[n], l.requests_per_minute);
      v_tokens[n] := least(v_tokens[n], l.tokens_per_minute);
      v_concurrent[n] := least(v_concurrent[n], l.concurrent);
    end if;
    counted := counted or l.concurrent is not null;
    if l.budget is not null then
      v_budget_subjects := v_budget_subjects || l.subject;
      v_budgets := v_budgets || l.budget;
      v_periods := v_periods || l.budget_period;
    end if;
  end loop;
  if cardinality(v_subjects) = 0 then return; end if;
  if cardinality(v_budgets) > 0 then
    if p_worst is null then
      outcome := 'unpriced';
      return;
    end if;
    select p_worst * t.markup into v_worst from app.tenants t where t.id = p_tenant;
  end if;

  -- The lock. The rows are read under it.
  if p_wait then
    insert into app.rates (tenant_id, subject)
    select p_tenant, s.subject from unnest(v_subjects) s (subject)
    where not exists (select from app.rates r where r.tenant_id = p_tenant and r.subject = s.subject)
    order by s.subject on conflict do nothing;
    select array_agg(r.subject), array_agg(r.requests_at), array_agg(r.tokens_at) into v_locked, v_requests_at, v_tokens_at
    from (
      select r.subject, r.requests_at, r.tokens_at from app.rates r
      where r.tenant_id = p_tenant and r.subject = any (v_subjects) order by r.subject for no key update
    ) r;
  else
    select array_agg(r.subject), array_agg(r.requests_at), array_agg(r.tokens_at) into v_locked, v_requests_at, v_tokens_at
    from (
      select r.subject, r.requests_at, r.tokens_at from app.rates r
      where r.tenant_id = p_tenant and r.subject = any (v_subjects) order by r.subject for no key update skip locked
    ) r;
  end if;
  if coalesce(cardinality(v_locked), 0) < cardinality(v_subjects) then
    outcome := 'busy';
    return;
  end if;

  v_now := clock_timestamp();
  standing := '{}';
  taken := '[]';
  if counted then
    -- Expired leases are of lost processes, and not counted.
    select array[count(*), count(*) filter (where g.user_id = p_user), count(*) filter (where g.key_id = p_key), count(*) filter (where g.model = p_model)]
      into v_running
    from app.generations g where g.tenant_id = p_tenant and g.status = 'streaming' and g.counted and g.lease_until > v_now;
  end if;

  for i in 1 .. cardinality(v_locked) loop
    n := array_position(v_subjects, v_locked[i]);
    v_scope := split_part(v_locked[i], ':', 1);
    if v_tokens[n] is not null or v_locked[i] = any (v_budget_subjects) then
      select * into v_more from work.take_in(p_tenant, v_locked[i]);
    end if;

    if v_requests[n] is not null then
      -- A step of the clock backwards must not make anybody wait for longer than the minute.
      v_at := greatest(least(v_requests_at[i], v_now + minute), v_now);
      v_step := case when v_requests[n] = 0 then most_owed else make_interval(secs => trunc(60000000.0 / v_requests[n]) / 1000000) end;
      v_wait := v_at + v_step - v_now - minute;
      if v_wait > interval '0' then
        if v_longest is null or v_wait > v_longest then
          v_longest := v_wait;
          refusal := jsonb_build_object('scope', v_scope, 'resource', 'requests', 'limit', v_requests[n]);
        end if;
      else
        v_at := v_at + v_step;
      end if;
      v_requests_at[i] := v_at;
      standing := work.tighter(standing, 'requests', v_requests[n], v_at - v_now, v_step);
    end if;

    if v_tokens[n] is not null then
      v_step := case when v_tokens[n] = 0 then most_owed else make_interval(secs => 60.0 / v_tokens[n]) end;
      v_at := greatest(least(greatest(v_tokens_at[i], v_more.at) + v_more.tokens * v_step, v_now + most_owed), v_now);
      v_settled_at[i] := v_at;
      v_cost := least(p_tokens * v_step, most_owed);
      -- A question of more tokens than a minute has is admitted when nothing is used. Less than ten microseconds are a rounding.
      v_wait := case v_tokens[n] when 0 then minute else v_at + least(v_cost, minute) - v_now - minute end;
      if v_wait > interval '10 microseconds' then
        if v_longest is null or v_wait > v_longest then
          v_longest := v_wait;
          refusal := jsonb_build_object('scope', v_scope, 'resource', 'tokens', 'limit', v_tokens[n]);
        end if;
      else
        v_at := v_at + v_cost;
        taken := taken || jsonb_build_object('subject', v_locked[i], 'period', 'minute', 'tokens', p_tokens);
      end if;
      v_tokens_at[i] := v_at;
      standing := work.tighter(standing, 'tokens', v_tokens[n], v_at - v_now, v_step);
    end if;

    if v_concurrent[n] is not null
      and v_running[case v_scope when 'tenant' then 1 when 'user' then 2 when 'key' then 3 else 4 end] >= v_concurrent[n]
      and (v_longest is null or v_longest < interval '1 second')
    then
      v_longest := interval '1 second';
      refusal := jsonb_build_object('scope', v_scope, 'resource', 'concurrent', 'limit', v_concurrent[n]);
    end if;
  end loop;
  if refusal is not null then
    outcome := 'refused';
    refusal := refusal || jsonb_build_object('retry_after', ceil(extract(epoch from v_longest)));
  end if;

  for i in 1 .. cardinality(v_budgets) loop
    v_spent := 0;
    v_reserved := 0;
    select b.spent, b.reserved into v_spent, v_reserved from app.budget_periods b
    where b.tenant_id = p_tenant and b.subject = v_budget_subjects[i] and b.period = v_periods[i]
      and b.starts_at = work.period_start(v_periods[i], v_now);
    v_spent := coalesce(v_spent, 0);
    v_reserved := coalesce(v_reserved, 0);
    if v_spent + v_reserved + v_worst <= v_budgets[i] and v_spent < v_budgets[i] then
      taken := taken || jsonb_build_object('subject', v_budget_subjects[i], 'period', v_periods[i],
        'starts_at', work.period_start(v_periods[i], v_now), 'reserved', v_worst);
    -- A budget that is gone is told before limits of the minute, and before one that may be whole again soon.
    elsif v_spent + v_worst > v_budgets[i] or v_spent >= v_budgets[i] or outcome = 'admitted' then
      outcome := case when v_spent + v_worst > v_budgets[i] or v_spent >= v_budgets[i] then 'refused' else 'reserved' end;
      refusal := jsonb_build_object('scope', split_part(v_budget_subjects[i], ':', 1), 'resource', 'budget', 'amount', v_budgets[i]::text,
        'period', v_periods[i], 'left', greatest(v_budgets[i] - v_spent - case outcome when 'reserved' then v_reserved else 0 end, 0)::text,
        'until', work.period_end(v_periods[i], v_now));
    end if;
    exit when outcome = 'refused';
  end loop;

  if outcome <> 'admitted' then
    -- Nothing is taken. What ended answers gave back is taken in and gone from app.counter_changes: their tokens are kept.
    for i in 1 .. cardinality(v_locked) loop
      update app.rates r set tokens_at = v_settled_at[i]
      where r.tenant_id = p_tenant and r.subject = v_locked[i] and r.tokens_at <> v_settled_at[i] and v_settled_at[i] > v_now;
    end loop;
    taken := null;
    return;
  end if;
  for i in 1 .. cardinality(v_locked) loop
    n := array_position(v_subjects, v_locked[i]);
    continue when v_requests[n] is null and v_tokens[n] is null;
    update app.rates r set requests_at = v_requests_at[i], tokens_at = v_tokens_at[i]
    where r.tenant_id = p_tenant and r.subject = v_locked[i];
  end loop;
  for i in 1 .. cardinality(v_budgets) loop
    insert into app.budget_periods as b (tenant_id, subject, period, starts_at, reserved)
    values (p_tenant, v_budget_subjects[i], v_periods[i], work.period_start(v_periods[i], v_now), v_worst)
    on conflict (tenant_id, subject, period, starts_at) do update set reserved = b.reserved + excluded.reserved;
  end loop;
end $$;

-- Gives back what a question of the current tenant took, which was stored by another request meanwhile: but for its place in the minute.
create function work.give_back(p_tenant uuid, p_generation uuid, p_taken jsonb) returns void
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if p_tenant is distinct from app.tenant_id() then
    raise exception 'what is given back is the room''s' using errcode = 'LL500';
  end if;
  if p_taken is null then return; end if;
  insert into app.counter_changes (tenant_id, subject, period, generation_id, starts_at, released, tokens)
  select p_tenant, t.subject, t.period, p_generation, t.starts_at, coalesce(t.reserved, 0), -coalesce(t.tokens, 0)
  from jsonb_to_recordset(p_taken) t (subject text, period text, starts_at timestamptz, reserved numeric, tokens bigint);
end $$;

-- Takes in what ended answers gave back where no admission followed. Returns for how many subjects.
create function work.take_in_old(p_limit integer) returns integer
  language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  old record;
  v_more record;
  v_limit bigint;
  v_count integer := 0;
begin
  for old in
    select c.tenant_id, c.subject from app.counter_changes c where c.at < now() - interval '10 seconds' order by c.at limit p_limit
  loop
    perform from app.rates r where r.tenant_id = old.tenant_id and r.subject = old.subject for no key update skip locked;
    if not found then
      -- Another transaction has it, or there is none since the server lost its unlogged tables.
      insert into app.rates (tenant_id, subject)
      select old.tenant_id, old.subject where not exists (select from app.rates r where r.tenant_id = old.tenant_id and r.subject = old.subject)
      on conflict do nothing;
      continue when not found;
    end if;
    select * into v_more from work.take_in(old.tenant_id, old.subject);
    select min(l.tokens_per_minute) into v_limit from app.limits l
    where l.tenant_id = old.tenant_id and l.subject in (old.subject, split_part(old.subject, ':', 1));
    if v_more.tokens <> 0 and v_limit > 0 then
      update app.rates r set tokens_at = greatest(r.tokens_at, v_more.at) + v_more.tokens * make_interval(secs => 60.0 / v_limit)
      where r.tenant_id = old.tenant_id and r.subject = old.subject;
    end if;
    v_count := v_count + 1;
  end loop;
  return v_count;
end $$;
