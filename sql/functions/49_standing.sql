set local role llm_work;

-- What is left of p_limit a minute, of which p_used seconds are used. Times are stored in microseconds: p_rounding seconds may be lost by that.
create function work.left_of_minute(p_limit bigint, p_used float8, p_rounding float8, p_now timestamptz) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp
  return case when p_limit is not null then jsonb_build_object(
    'limit', p_limit, 'remaining', least(greatest(floor((60 + p_rounding - p_used) * p_limit / 60), 0), p_limit)::bigint,
    'reset_at', app.contract_time(p_now + make_interval(secs => p_used))
  ) end;

-- What limits and budgets hold for the current user, by a key of theirs or, where p_key is null, by login, and what is left of them; in an admin's
-- room, for p_user. No row: the room may not know. By the rules of work.admit, which takes from them. Nothing is written and nothing locked: an admission at the same moment may not be counted yet.
-- requests, tokens: {"limit", "remaining", "reset_at"}; concurrent: {"limit", "running", "remaining"}; null: not limited.
-- budgets: [{"amount", "period", "spent", "reserved", "left", "until"}], until null: without end.
create function work.standing(p_tenant uuid, p_key uuid, p_user uuid default null)
  returns table (scope text, model text, requests jsonb, tokens jsonb, concurrent jsonb, budgets jsonb)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_user constant uuid := coalesce(p_user, app.user_id());
  v_now constant timestamptz := clock_timestamp();
begin
  if p_tenant is distinct from app.tenant_id() then
    raise exception 'limits are read in their room' using errcode = 'LL500';
  end if;
  if v_user is distinct from app.user_id() and app.role() is distinct from 'admin' then return; end if;
  if p_key is not null and not exists (
    select from app.api_keys k where k.tenant_id = p_tenant and k.id = p_key and k.user_id = v_user
  ) then
    return;
  end if;
  return query
  with mine as materialized (
    select case i.subject when 'user' then 'user:' || v_user when 'key' then 'key:' || p_key else i.subject end as subject,
      i.requests_per_minute, i.tokens_per_minute, i.concurrent, i.budget, i.budget_period
    from app.limits i
    where i.tenant_id = p_tenant
      and (i.subject in ('tenant', 'user', 'user:' || v_user) or i.subject ^@ 'model:' or p_key is not null and i.subject in ('key', 'key:' || p_key))
  ), lower as (
    select m.subject, split_part(m.subject, ':', 1) as scope, min(m.requests_per_minute)::bigint as requests, min(m.tokens_per_minute) as tokens,
      min(m.concurrent)::bigint as concurrent
    from mine m group by 1
  ), running as (
    select count(*) as tenant, count(*) filter (where g.user_id = v_user) as own, count(*) filter (where g.key_id = p_key) as key
    from app.generations g where g.tenant_id = p_tenant and g.status = 'streaming' and g.counted and g.lease_until > v_now
  )
  select l.scope, substr(l.subject, nullif(strpos(l.subject, 'model:'), 0) + 6),
    work.left_of_minute(l.requests, least(used.requests, 60), 0.001, v_now), work.left_of_minute(l.tokens, used.tokens, 0.000001, v_now),
    case when l.concurrent is not null then
      jsonb_build_object('limit', l.concurrent, 'running', answers.running, 'remaining', greatest(l.concurrent - answers.running, 0)) end,
    coalesce(money.budgets, '[]')
  from lower l
  cross join running
  left join lateral (
    select r.requests_at, r.tokens_at from app.rates r where r.tenant_id = p_tenant and r.subject = l.subject limit 1
  ) rate on true
  -- What ended answers used more, or fewer, than was taken for them: no admission has taken it in yet.
  cross join lateral (
    select coalesce(sum(c.tokens), 0) as tokens, max(c.at) as at from app.counter_changes c
    where c.tenant_id = p_tenant and c.subject = l.subject and c.period = 'minute'
  ) more
  cross join lateral (
    select extract(epoch from greatest(rate.requests_at, v_now) - v_now)::float8 as requests,
      least(greatest(
        extract(epoch from case when more.at > coalesce(rate.tokens_at, '-infinity') then more.at else greatest(rate.tokens_at, v_now) end - v_now)
          + coalesce(more.tokens * 60.0 / nullif(l.tokens, 0), 0), 0), 600)::float8 as tokens
  ) used
  cross join lateral (
    select case l.scope when 'tenant' then running.tenant when 'user' then running.own when 'key' then running.key else (
      select count(*) from app.generations g
      where g.tenant_id = p_tenant and g.status = 'streaming' and g.counted and g.lease_until > v_now and 'model:' || g.model = l.subject
    ) end as running
  ) answers
  cross join lateral (
    select jsonb_agg(jsonb_build_object(
      'amount', b.amount::text, 'period', b.period, 'spent', trim_scale(b.spent)::text, 'reserved', trim_scale(b.reserved)::text,
      'left', trim_scale(greatest(b.amount - b.spent - b.reserved, 0))::text, 'until', app.contract_time(work.period_end(b.period, v_now))
    ) order by b.period) as budgets
    from (
      select m.budget_period as period, min(m.budget) as amount, coalesce(max(p.spent), 0) + coalesce(max(c.spent), 0) as spent,
        coalesce(max(p.reserved), 0) - coalesce(max(c.released), 0) as reserved
      from mine m
      left join app.budget_periods p on p.tenant_id = p_tenant and p.subject = m.subject and p.period = m.budget_period
        and p.starts_at = work.period_start(m.budget_period, v_now)
      cross join lateral (
        select sum(c.spent) as spent, sum(c.released) as released from app.counter_changes c
        where c.tenant_id = p_tenant and c.subject = m.subject and c.period = m.budget_period
          and c.starts_at = work.period_start(m.budget_period, v_now)
      ) c
      where m.subject = l.subject and m.budget is not null group by 1
    ) b
  ) money
  order by array_position(array['tenant', 'user', 'key', 'model'], l.scope), l.subject;
end $$;
