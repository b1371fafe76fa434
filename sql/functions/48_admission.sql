-- Limits and budgets: what an admission takes, and what ended answers give back. The caller of the functions below it holds the subjects'
-- rows of app.rates, which is the lock.
set local role llm_work;

-- When the period of a budget began. Functions without a setting of their own are part of the expressions they are in: a call costs 15 µs.
create function work.period_start(p_period text, p_at timestamptz) returns timestamptz
  language sql stable parallel safe
  return case p_period when 'total' then '-infinity' else date_trunc(p_period, p_at, 'UTC') end;

-- When it ends; null: never.
create function work.period_end(p_period text, p_at timestamptz) returns timestamptz
  language sql stable parallel safe
  return case p_period when 'total' then null else date_trunc(p_period, p_at, 'UTC') + ('1 ' || p_period)::interval end;

-- Writes what is spent of a budget's period, and an event if a percentage of p_alert_at was reached by it. The row need not be there yet.
create function work.write_budget(
  p_tenant uuid, p_subject text, p_period text, p_starts_at timestamptz, p_reserved numeric, p_spent numeric, p_budget numeric, p_alert_at integer[]
) returns void
  language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  v_spent numeric;
  v_alerted integer;
  v_reached integer;
begin
  update app.budget_periods b set reserved = b.reserved + p_reserved, spent = b.spent + p_spent
  where b.tenant_id = p_tenant and b.subject = p_subject and b.period = p_period and b.starts_at = p_starts_at
  returning b.spent, b.alerted into v_spent, v_alerted;
  if not found then
    v_spent := p_spent;
    v_alerted := 0;
    insert into app.budget_periods (tenant_id, subject, period, starts_at, reserved, spent)
    values (p_tenant, p_subject, p_period, p_starts_at, p_reserved, p_spent);
  end if;
  if p_alert_at is null or v_spent = 0 then return; end if;
  select max(a.percent) into v_reached from unnest(p_alert_at) a (percent) where a.percent > v_alerted and v_spent * 100 >= p_budget * a.percent;
  if v_reached is null then return; end if;
  update app.budget_periods b set alerted = v_reached
  where b.tenant_id = p_tenant and b.subject = p_subject and b.period = p_period and b.starts_at = p_starts_at;
  insert into app.audit_events (tenant_id, id, action, target_kind, target_id, detail)
  values (p_tenant, work.event_id(), 'budget.alert', split_part(p_subject, ':', 1),
    case p_subject when 'tenant' then p_tenant else split_part(p_subject, ':', 2)::uuid end,
    jsonb_build_object('period', p_period, 'percent', v_reached, 'budget', p_budget::text, 'spent', v_spent::text));
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

-- A member of a standing (see work.admit), as text: p_used seconds of the minute are used, p_left can still be taken.
create function work.allowance(p_resource text, p_limit bigint, p_left float8, p_used float8) returns text
  language sql immutable
  return '"' || p_resource || '":{"limit":' || p_limit || ',"remaining":' || greatest(floor(p_left), 0)::bigint || ',"reset_ms":'
    || ceil(p_used * 1000)::bigint || '}';

-- Admits questions of the current user to one model, or says why not: all limits and budgets that hold for one are checked, and only then
-- taken, and then the next one is looked at. To be called in the transaction that stores the questions. For each: p_tokens, the estimated
-- tokens of question and answer; p_worst, the most it may cost by the provider's prices, US dollars; null: there is no price.
-- p_wait: whether it may wait for other admissions of the same subjects.
--
-- outcomes: `admitted`; `refused`: refusals says by what, and nothing was taken; `reserved`: likewise, but it would fit if answers that run
-- now cost less than was reserved for them; `unpriced`: a budget holds, and the model has no price; `busy`, all of them: see p_wait.
-- refusals: {"scope", "resource": "requests" | "tokens" | "concurrent" | "budget", "limit", "retry_after" (seconds), and for budgets "amount",
-- "period", "left", "until"}. taken: for app.generations.admission. standings: of requests and tokens, the limit with the least left:
-- {"requests": {"limit", "remaining", "reset_ms"}, "tokens": …}. counted: for app.generations. locked: limits hold, and the commit is unflushed.
--
-- Expressions are what it costs: PL/pgSQL prepares each once a transaction, at 0.8 µs. What is the same for all questions is before their loop.
create function work.admit(
  p_tenant uuid, p_user uuid, p_key uuid, p_model text, p_tokens bigint[], p_worst numeric[], p_wait boolean,
  out outcomes text[], out refusals jsonb[], out taken text[], out standings text[], out counted boolean, out locked boolean
)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  -- Seconds. An allowance is whole when none of the minute is used; tokens may be owed, but no more than this, also after a step of the clock.
  minute constant float8 := 60;
  most_owed constant float8 := 600;
  -- Times are stored in microseconds: so much may be lost by rounding.
  rounding constant float8 := 0.001;
  v_user constant text := 'user:' || p_user;
  v_key constant text := 'key:' || p_key;
  v_model constant text := 'model:' || p_model;
  -- By subject: the limits, the seconds of the minute that are used of each and that one more takes, and the answers that run.
  v_subjects text[];
  v_requests integer[];
  v_tokens bigint[];
  v_concurrent integer[];
  v_requests_used float8[];
  v_requests_step float8[];
  v_tokens_used float8[];
  v_tokens_step float8[];
  v_running integer[];
  v_more bigint[];
  v_more_at timestamptz[];
  v_requests_at timestamptz[];
  v_tokens_at timestamptz[];
  -- By budget: the number of its subject, and what is its. released and settled: by ended answers; added: by these questions.
  v_of integer[];
  v_budgets numeric[];
  v_periods text[];
  v_alerts text[];
  v_starts timestamptz[];
  v_spent numeric[];
  v_reserved numeric[];
  v_released numeric[];
  v_settled numeric[];
  v_added numeric[];
  v_alerted integer[];
  v_counts integer[];
  v_markup numeric;
  v_worst numeric;
  v_now timestamptz;
  v_used float8;
  v_left float8;
  v_least float8;
  v_wait float8;
  v_longest float8;
  v_outcome text;
  v_refusal jsonb;
  v_taken text;
  v_standing text;
  v_percent integer;
  v_missing boolean := false;
  v_counting boolean := false;
  v_changed boolean := false;
  v_due boolean;
  v_place integer;
  v_count integer := 0;
  v_count_budgets integer := 0;
  n integer;
  l record;
begin
  if p_tenant is distinct from app.tenant_id() or p_user is distinct from app.user_id() then
    raise exception 'an admission is of the room''s user' using errcode = 'LL500';
  end if;
  counted := false;
  locked := false;
  for l in
    select s.subject, i.requests_per_minute, i.tokens_per_minute, i.concurrent, i.budget, i.budget_period, i.alert_at, r.subject is null as missing,
      case when i.budget is not null then (select t.markup from app.tenants t where t.id = p_tenant) end as markup
    from app.limits i
    cross join lateral (select case i.subject when 'user' then v_user when 'key' then v_key else i.subject end as subject) s
    left join app.rates r on r.tenant_id = p_tenant and r.subject = s.subject
    where i.tenant_id = p_tenant and i.subject = any (
      case when p_key is null then array['tenant', 'user', v_user, v_model] else array['tenant', 'user', v_user, v_model, 'key', v_key] end
    )
  loop
    n := array_position(v_subjects, l.subject);
    if n is null then
      v_count := v_count + 1;
      n := v_count;
      v_subjects[n] := l.subject;
    end if;
    v_requests[n] := least(v_requests[n], l.requests_per_minute);
    v_tokens[n] := least(v_tokens[n], l.tokens_per_minute);
    v_concurrent[n] := least(v_concurrent[n], l.concurrent);
    v_missing := v_missing or l.missing;
    counted := counted or l.concurrent is not null;
    v_counting := v_counting or l.tokens_per_minute is not null or l.budget is not null;
    continue when l.budget is null;
    v_markup := l.markup;
    v_place := v_count_budgets + 1;
    for i in 1 .. v_count_budgets loop
      if v_of[i] = n and v_periods[i] = l.budget_period then v_place := i; end if;
    end loop;
    v_count_budgets := greatest(v_count_budgets, v_place);
    v_of[v_place] := n;
    v_periods[v_place] := l.budget_period;
    v_budgets[v_place] := least(v_budgets[v_place], l.budget);
    v_alerts[v_place] := l.alert_at::text;
  end loop;
  if v_count = 0 then
    outcomes := array_fill('admitted'::text, array[cardinality(p_tokens)]);
    return;
  end if;

  -- The lock. Everything below is read under it.
  n := 0;
  for attempt in 1 .. 2 loop
    if p_wait then
      -- Before any row is locked: an admission that waits here for another's new row has nothing that the other waits for.
      if v_missing or attempt = 2 then
        insert into app.rates (tenant_id, subject)
        select p_tenant, s.subject from unnest(v_subjects) s (subject)
        where not exists (select from app.rates r where r.tenant_id = p_tenant and r.subject = s.subject) order by 2
        on conflict do nothing;
      end if;
      for l in
        select r.subject, r.requests_at, r.tokens_at from app.rates r
        where r.tenant_id = p_tenant and r.subject = any (v_subjects) order by r.subject for no key update
      loop
        n := n + 1;
        v_place := array_position(v_subjects, l.subject);
        v_requests_at[v_place] := l.requests_at;
        v_tokens_at[v_place] := l.tokens_at;
      end loop;
    elsif not v_missing then
      for l in
        select r.subject, r.requests_at, r.tokens_at from app.rates r
        where r.tenant_id = p_tenant and r.subject = any (v_subjects) order by r.subject for no key update skip locked
      loop
        n := n + 1;
        v_place := array_position(v_subjects, l.subject);
        v_requests_at[v_place] := l.requests_at;
        v_tokens_at[v_place] := l.tokens_at;
      end loop;
    end if;
    exit when n = v_count;
    if not p_wait then
      outcomes := array_fill('busy'::text, array[cardinality(p_tokens)]);
      return;
    end if;
    n := 0;
  end loop;
  v_now := clock_timestamp();
  locked := true;
  -- The transaction's commit may be on disk a moment later: the lock is not held for that time. See work.flush.
  perform set_config('synchronous_commit', 'off', true);

  for i in 1 .. v_count_budgets loop
    v_starts[i] := work.period_start(v_periods[i], v_now);
    v_spent[i] := 0;
    v_reserved[i] := 0;
    v_released[i] := 0;
    v_settled[i] := 0;
    v_added[i] := 0;
  end loop;
  if v_counting then
    for l in
      with gone as (
        delete from app.counter_changes c where c.tenant_id = p_tenant and c.subject = any (v_subjects)
        returning c.subject, c.period, c.starts_at, c.released, c.spent, c.tokens, c.at
      )
      select g.subject, g.period, g.starts_at, sum(g.released) as released, sum(g.spent) as spent, sum(g.tokens) as tokens, max(g.at) as at
      from gone g group by g.subject, g.period, g.starts_at
    loop
      v_changed := true;
      n := array_position(v_subjects, l.subject);
      if l.period = 'minute' then
        v_more[n] := coalesce(v_more[n], 0) + l.tokens;
        v_more_at[n] := greatest(v_more_at[n], l.at);
        continue;
      end if;
      v_place := 0;
      for i in 1 .. v_count_budgets loop
        if v_of[i] = n and v_periods[i] = l.period and v_starts[i] = l.starts_at then v_place := i; end if;
      end loop;
      if v_place > 0 then
        v_released[v_place] := l.released;
        v_settled[v_place] := l.spent;
      else
        perform work.write_budget(p_tenant, l.subject, l.period, l.starts_at, -l.released, l.spent, null, null);
      end if;
    end loop;
    if v_count_budgets > 0 then
      for l in
        select b.subject, b.period, b.starts_at, b.spent, b.reserved, b.alerted from app.budget_periods b
        where b.tenant_id = p_tenant and b.subject = any (v_subjects) and b.period = any (v_periods) and b.starts_at = any (v_starts)
      loop
        for i in 1 .. v_count_budgets loop
          if v_subjects[v_of[i]] = l.subject and v_periods[i] = l.period and v_starts[i] = l.starts_at then
            v_spent[i] := l.spent + v_settled[i];
            v_reserved[i] := l.reserved - v_released[i];
            v_alerted[i] := l.alerted;
          end if;
        end loop;
      end loop;
    end if;
  end if;
  if counted then
    -- Expired leases are of lost processes, and not counted.
    select array[count(*), count(*) filter (where g.user_id = p_user), count(*) filter (where g.key_id = p_key), count(*) filter (where g.model = p_model)]
      into v_counts
    from app.generations g where g.tenant_id = p_tenant and g.status = 'streaming' and g.counted and g.lease_until > v_now;
  end if;

  for i in 1 .. v_count loop
    if v_requests[i] is not null then
      v_requests_step[i] := minute / nullif(v_requests[i], 0);
      -- A step of the clock backwards must not make a client wait for longer than the minute.
      v_requests_used[i] := least(extract(epoch from greatest(v_requests_at[i], v_now) - v_now), minute);
    end if;
    if v_tokens[i] is not null then
      v_tokens_step[i] := minute / nullif(v_tokens[i], 0);
      -- What ended answers used more counts from when they ended.
      v_used := extract(epoch from greatest(v_tokens_at[i], v_more_at[i], v_now) - v_now);
      if v_more_at[i] > coalesce(v_tokens_at[i], '-infinity') and v_more_at[i] < v_now then v_used := extract(epoch from v_more_at[i] - v_now); end if;
      v_tokens_used[i] := least(greatest(v_used + coalesce(v_more[i] * v_tokens_step[i], 0), 0), most_owed);
    end if;
    if v_concurrent[i] is not null then
      v_running[i] := v_counts[case split_part(v_subjects[i], ':', 1) when 'tenant' then 1 when 'user' then 2 when 'key' then 3 else 4 end];
    end if;
  end loop;

  for q in 1 .. cardinality(p_tokens) loop
    v_outcome := 'admitted';
    v_refusal := null;
    v_taken := '';
    v_longest := 0;
    v_worst := p_worst[q] * v_markup;
    if v_count_budgets > 0 and v_worst is null then v_outcome := 'unpriced'; end if;
    for i in 1 .. v_count loop
      if v_requests[i] is not null then
        v_wait := coalesce(v_requests_used[i] + v_requests_step[i] - minute, minute);
        if v_wait > rounding and v_wait > v_longest then
          v_longest := v_wait;
          v_refusal := jsonb_build_object('scope', split_part(v_subjects[i], ':', 1), 'resource', 'requests', 'limit', v_requests[i]);
        end if;
      end if;
      if v_tokens[i] is not null then
        -- A question of more tokens than a minute has is admitted when nothing is used.
        v_wait := coalesce(v_tokens_used[i] + least(p_tokens[q] * v_tokens_step[i], minute) - minute, minute);
        if v_wait > rounding and v_wait > v_longest then
          v_longest := v_wait;
          v_refusal := jsonb_build_object('scope', split_part(v_subjects[i], ':', 1), 'resource', 'tokens', 'limit', v_tokens[i]);
        end if;
      end if;
      if v_longest < 1 and v_running[i] >= v_concurrent[i] then
        v_longest := 1;
        v_refusal := jsonb_build_object('scope', split_part(v_subjects[i], ':', 1), 'resource', 'concurrent', 'limit', v_concurrent[i]);
      end if;
    end loop;
    if v_outcome = 'unpriced' then
      v_refusal := null;
    elsif v_refusal is not null then
      v_outcome := 'refused';
      v_refusal := v_refusal || jsonb_build_object('retry_after', ceil(v_longest)::integer);
    end if;

    for i in 1 .. v_count_budgets loop
      continue when v_spent[i] + v_reserved[i] + v_worst <= v_budgets[i] and v_spent[i] < v_budgets[i] or v_outcome = 'unpriced';
      -- A budget that is gone is told before limits of the minute, and those before one that may be whole again soon.
      if v_spent[i] + v_worst > v_budgets[i] or v_spent[i] >= v_budgets[i] then
        v_outcome := 'refused';
      elsif v_outcome = 'admitted' then
        v_outcome := 'reserved';
      else
        continue;
      end if;
      v_refusal := jsonb_build_object('scope', split_part(v_subjects[v_of[i]], ':', 1), 'resource', 'budget', 'amount', v_budgets[i]::text,
        'period', v_periods[i], 'left', greatest(v_budgets[i] - v_spent[i], 0)::text, 'until', app.contract_time(work.period_end(v_periods[i], v_now)));
      exit when v_outcome = 'refused';
    end loop;

    if v_outcome = 'admitted' then
      v_changed := true;
      for i in 1 .. v_count loop
        v_requests_used[i] := v_requests_used[i] + v_requests_step[i];
        v_running[i] := v_running[i] + 1;
        continue when v_tokens[i] is null;
        v_tokens_used[i] := least(v_tokens_used[i] + least(p_tokens[q] * v_tokens_step[i], most_owed), most_owed);
        v_taken := v_taken || '{"subject":' || to_json(v_subjects[i])::text || ',"period":"minute","tokens":' || p_tokens[q] || '},';
      end loop;
      for i in 1 .. v_count_budgets loop
        v_reserved[i] := v_reserved[i] + v_worst;
        v_added[i] := v_added[i] + v_worst;
        v_taken := v_taken || '{"subject":"' || v_subjects[v_of[i]] || '","period":"' || v_periods[i] || '","starts_at":"' || v_starts[i]
          || '","reserved":' || v_worst || '},';
      end loop;
    end if;
    outcomes[q] := v_outcome;
    refusals[q] := v_refusal;
    taken[q] := case when v_taken <> '' then '[' || rtrim(v_taken, ',') || ']' end;

    v_standing := '';
    v_least := null;
    for i in 1 .. v_count loop
      v_left := case when v_requests[i] is not null then coalesce((minute - v_requests_used[i] + rounding) / v_requests_step[i], 0) end;
      if v_left < v_least or v_least is null then
        v_least := v_left;
        v_place := i;
      end if;
    end loop;
    if v_least is not null then
      v_standing := work.allowance('requests', v_requests[v_place], v_least, v_requests_used[v_place]);
      v_least := null;
    end if;
    if v_counting then
      for i in 1 .. v_count loop
        v_left := case when v_tokens[i] is not null then coalesce((minute - v_tokens_used[i]) / v_tokens_step[i], 0) end;
        if v_left < v_least or v_least is null then
          v_least := v_left;
          v_place := i;
        end if;
      end loop;
      if v_least is not null then
        v_standing := v_standing || case when v_standing = '' then '' else ',' end
          || work.allowance('tokens', v_tokens[v_place], v_least, v_tokens_used[v_place]);
      end if;
    end if;
    standings[q] := case when v_standing <> '' then '{' || v_standing || '}' end;
  end loop;

  -- Where all are refused, nothing is taken; but what ended answers gave back is gone from app.counter_changes, and written here.
  if not v_changed then return; end if;
  update app.rates r set
    requests_at = coalesce(v_now + make_interval(secs => v_requests_used[array_position(v_subjects, r.subject)]), r.requests_at),
    tokens_at = coalesce(v_now + make_interval(secs => v_tokens_used[array_position(v_subjects, r.subject)]), r.tokens_at)
  where r.tenant_id = p_tenant and r.subject = any (v_subjects);
  for i in 1 .. v_count_budgets loop
    v_due := v_alerted[i] is null;
    if v_settled[i] > 0 and not v_due then
      foreach v_percent in array v_alerts[i]::integer[] loop
        v_due := v_due or v_percent > v_alerted[i] and v_spent[i] * 100 >= v_budgets[i] * v_percent;
      end loop;
    end if;
    if v_due then
      perform work.write_budget(p_tenant, v_subjects[v_of[i]], v_periods[i], v_starts[i], v_added[i] - v_released[i], v_settled[i], v_budgets[i],
        v_alerts[i]::integer[]);
      v_added[i] := 0;
      v_released[i] := 0;
      v_settled[i] := 0;
    end if;
  end loop;
  if v_count_budgets > 0 then
    update app.budget_periods b set reserved = b.reserved + d.added - d.released, spent = b.spent + d.settled
    from unnest(v_of, v_periods, v_starts, v_added, v_released, v_settled) d (place, period, starts_at, added, released, settled)
    where b.tenant_id = p_tenant and b.subject = v_subjects[d.place] and b.period = d.period and b.starts_at = d.starts_at
      and (d.added <> 0 or d.released <> 0 or d.settled <> 0);
  end if;
end $$;

-- Returns once everything that was committed before is on disk: after an admission by limits, before the model is asked. The lock of the
-- generation's row is written to the write-ahead log, which this commit waits for. False: the row is not there, or locked; nothing is known.
create function work.flush(p_tenant uuid, p_generation uuid) returns boolean
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform from app.generations g where g.tenant_id = p_tenant and g.id = p_generation for key share skip locked;
  return found;
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
  change record;
  held record;
  v_count integer := 0;
begin
  -- Rows that are gone since the server lost its unlogged tables. Before any is locked, as in work.admit.
  insert into app.rates (tenant_id, subject)
  select c.tenant_id, c.subject from app.counter_changes c
  where c.at < now() - interval '10 seconds'
    and not exists (select from app.rates r where r.tenant_id = c.tenant_id and r.subject = c.subject)
  group by 1, 2 order by 1, 2 limit p_limit
  on conflict do nothing;
  for old in
    select c.tenant_id, c.subject from app.counter_changes c where c.at < now() - interval '10 seconds' order by c.at limit p_limit
  loop
    perform from app.rates r where r.tenant_id = old.tenant_id and r.subject = old.subject for no key update skip locked;
    continue when not found;
    for change in
      delete from app.counter_changes c where c.tenant_id = old.tenant_id and c.subject = old.subject
      returning c.period, c.starts_at, c.released, c.spent, c.tokens, c.at
    loop
      select min(l.tokens_per_minute) as tokens, min(l.budget) as budget, min(l.alert_at) as alert_at into held from app.limits l
      where l.tenant_id = old.tenant_id and l.subject in (old.subject, split_part(old.subject, ':', 1))
        and (change.period = 'minute' or l.budget_period = change.period);
      if change.period <> 'minute' then
        perform work.write_budget(old.tenant_id, old.subject, change.period, change.starts_at, -change.released, change.spent, held.budget, held.alert_at);
      elsif held.tokens > 0 then
        -- As much as ever counts: a time that is too far away cannot be stored.
        update app.rates r set
          tokens_at = greatest(r.tokens_at, change.at) + make_interval(secs => greatest(least(change.tokens * 60.0 / held.tokens, 600), -86400))
        where r.tenant_id = old.tenant_id and r.subject = old.subject;
      end if;
    end loop;
    v_count := v_count + 1;
  end loop;
  return v_count;
end $$;

-- A tenant's first limit.
create function work.first_limit() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update app.tenants t set limited = true where t.id = new.tenant_id and not t.limited;
  return null;
end $$;

-- The owner of a trigger must be allowed to call its function; the role that fires it need not be.
grant execute on function work.first_limit() to llm_owner;
set local role llm_owner;

create trigger first_limit after insert on app.limits for each row execute function work.first_limit();
