-- Failed logins, exact for any number of processes. What is counted, and why, is said in server/auth/LoginThrottle.ts.
--
-- Locks: the rows of meta.login_counts that a call may change, in the order of their keys, until it commits; nothing runs meanwhile but
-- these statements. A refusal locks nothing. After these locks no call waits for a lock, but for a row of meta.login_known as its last.
--
-- In plpgsql, which keeps plans. The small expressions are inlined, so have no search_path: their names were resolved when they were made.
set local role llm_auth;

-- A failure fills a bucket, and a full one is empty after one window. A step of the clock backwards leaks nothing, and adds nothing.
create function auth.leaked(p_level double precision, p_leak double precision, p_at timestamptz, p_now timestamptz, p_seconds integer)
  returns double precision language sql immutable
  return greatest(0, p_level - p_leak * greatest(0, extract(epoch from p_now - p_at)::double precision) / p_seconds);

-- How long a login may be under way before it counts as failed, its process being gone.
create function auth.login_lifetime() returns interval
  language sql immutable
  return interval '60 seconds';

-- The key of an account at an address. p_seed is a keyed hash of the address that is stored nowhere.
create function auth.login_key(p_seed text, p_kind text, p_account uuid) returns text
  language sql immutable
  return rtrim(encode(sha256(convert_to(p_kind || ' ' || p_seed || ' ' || p_account::text, 'UTF8')), 'base64'), '=');

-- Whether a count has no room for one more. Sums of fractions are not exact.
create function auth.login_full(p_level double precision, p_limit double precision, p_leak double precision) returns boolean
  language sql immutable
  return least(p_level, p_limit, 2 * p_leak) + 1 - p_limit > 1e-6;

create function auth.login_level(p_key text, p_seconds integer, p_now timestamptz) returns double precision
  language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce((select auth.leaked(c.level, c.leak, c.at, p_now, p_seconds) from meta.login_counts c where c.key = p_key), 0);
end $$;

-- A look at the keys of a login, in one snapshot and without a lock: the seconds until there is room in all of them, or 0. cause: whether
-- the account or the address is certain to have none until then; null where logins under way may end sooner. unsettled: login_settle would
-- change a row. p_keys: account and address, account, address, wider address if any; p_limits of each. An account that fails too often
-- everywhere leaves each address one failure.
create function auth.login_room(p_keys text[], p_limits integer[], p_seconds integer, p_now timestamptz)
  returns table (wait double precision, cause text, unsettled boolean)
  language plpgsql stable set search_path = pg_catalog, pg_temp rows 1
as $$
begin
  return query with levels as (
    select k.nth, c.key is not null as there, c.leak as old_leak, coalesce(c.at > p_now, false) as ahead,
      coalesce(auth.leaked(c.level, c.leak, c.at, p_now, p_seconds), 0) as level,
      case when k.nth <> 2 then (select count(*) from meta.login_attempts a where a.key = k.key and not a.taken) else 0 end as under_way,
      exists (
        select from meta.login_attempts a
        where a.key = k.key and not a.taken and (a.expires_at <= p_now or a.expires_at > p_now + auth.login_lifetime())
      ) as expired
    from unnest(p_keys) with ordinality k (key, nth) left join meta.login_counts c on c.key = k.key
  ), attacked as (
    select l.level >= p_limits[2] as it from levels l where l.nth = 2
  ), allowed as (
    select l.*, l.nth = 1 and a.it as attacked,
      case when l.nth = 2 then 'Infinity'::double precision when l.nth = 1 and a.it then 1 else p_limits[l.nth] end as at_most,
      case when l.nth = 1 and a.it then 1 else p_limits[l.nth] end::double precision as leak
    from levels l cross join attacked a
  ), rooms as (
    select a.*, least(a.level, a.at_most, 2 * a.leak) + 1 - a.at_most as excess from allowed a
  ), waits as (
    select r.*, case when r.excess > 1e-6 then r.excess * p_seconds / r.leak end as full_for from rooms r
  )
  select x.wait, x.cause, bool_or(x.unsettled) over ()
  from (
    select w.nth,
      -- A second for those under way, whose end is unknown.
      case when w.full_for is not null then greatest(1, w.full_for) when w.excess + w.under_way > 1e-6 then 1 else 0 end as wait,
      case when w.full_for < 1 or w.attacked then null when w.full_for is null then null when w.nth = 1 then 'account' else 'address' end as cause,
      w.ahead or w.expired or (w.there and (w.old_leak <> w.leak or w.level > least(w.at_most, 2 * w.leak) + 1e-6)) as unsettled
    from waits w
  ) x
  order by x.wait desc, x.nth
  limit 1;
end $$;

-- Locks these counts in the order of their keys, and makes those that are not there, with p_leaks. The update never happens, but takes the
-- lock, also of a row that is being removed.
create function auth.login_lock(p_keys text[], p_leaks double precision[]) returns void
  language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
begin
  insert into meta.login_counts as c (key, leak)
  select k.key, k.leak from unnest(p_keys, p_leaks) k (key, leak) order by k.key
  on conflict (key) do update set leak = c.leak where false;
end $$;

-- Brings locked counts to p_now, and adds p_more to each. Takes in the logins whose end never came: as failures of the time they expired.
-- A limit that was lowered makes what exceeds it full, so that no client waits for longer than one window; a null limit leaves it. A null in
-- p_leaks keeps what was.
create function auth.login_settle(
  p_keys text[], p_limits double precision[], p_leaks double precision[], p_more double precision[], p_seconds integer, p_now timestamptz
) returns void
  language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
begin
  with expired as (
    update meta.login_attempts a set taken = true
    from (
      select o.key, o.id from meta.login_attempts o
      where o.key = any (p_keys) and not o.taken and (o.expires_at <= p_now or o.expires_at > p_now + auth.login_lifetime())
      -- One that is locked is being ended by its login.
      for update skip locked
    ) o
    where a.key = o.key and a.id = o.id
    returning a.key, least(a.expires_at, p_now) as at
  ), placed as (
    select e.key, e.at, count(*) over (partition by e.key) - row_number() over (partition by e.key order by e.at) + 1 as since from expired e
  ), taken as (
    -- A bucket that was removed was empty; this one was made later.
    select c.key, count(*) filter (where p.at >= c.at) as more,
      max(p.since - c.leak * extract(epoch from p_now - p.at)::double precision / p_seconds) as level
    from placed p join meta.login_counts c on c.key = p.key group by c.key
  ), levels as (
    select c.key, k.more, coalesce(k.leak, c.leak) as leak, t.key is not null as took,
      -- The bucket was never empty since, or was last when one of these fell into it.
      greatest(0, c.level + coalesce(t.more, 0) - c.leak * greatest(0, extract(epoch from p_now - c.at)::double precision) / p_seconds, t.level) as level,
      case when k.at_most is null then 'Infinity' else least(k.at_most, 2 * coalesce(k.leak, c.leak)) end as at_most
    from unnest(p_keys, p_limits, p_leaks, p_more) k (key, at_most, leak, more)
    join meta.login_counts c on c.key = k.key
    left join taken t on t.key = k.key
  ), settled as (
    select l.*, greatest(0, least(l.level, l.at_most) + l.more) as new_level from levels l
  )
  update meta.login_counts c
  set level = s.new_level, leak = s.leak, at = p_now,
    empty_at = date_bin('5 minutes', p_now + make_interval(secs => s.new_level * p_seconds / s.leak), timestamptz 'epoch') + interval '5 minutes'
  from settled s
  where c.key = s.key and (s.more <> 0 or s.took or c.leak <> s.leak or c.at > p_now or s.level > s.at_most + 1e-6);
end $$;

-- Removes rows that say nothing any more, past those in use: more than a login makes, so there are no more than logins of a window made,
-- and known accounts of a day.
create function auth.login_purge(p_seconds integer, p_now timestamptz) returns void
  language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
begin
  delete from meta.login_counts c where c.key in (
    select o.key from meta.login_counts o where o.empty_at < p_now and not exists (select from meta.login_attempts a where a.key = o.key and not a.taken)
    order by o.empty_at limit 24 for update skip locked
  );
  delete from meta.login_attempts a using (
    select o.key, o.id from meta.login_attempts o
    where o.expires_at < p_now - make_interval(secs => 2 * p_seconds) order by o.expires_at limit 8 for update skip locked
  ) o where a.key = o.key and a.id = o.id;
  delete from meta.login_known k where k.key in (
    select o.key from meta.login_known o where o.until < p_now order by o.until limit 2 for update skip locked
  );
end $$;

-- Begins a login: 0, and it counts as a failure of each key until it ends; or the seconds to wait, and then nothing was counted.
create function auth.login_begin(p_attempt uuid, p_keys text[], p_limits integer[], p_seconds integer)
  returns table (wait double precision, cause text)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp rows 1
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_room record;
  v_pair integer := p_limits[1];
begin
  select r.* into v_room from auth.login_room(p_keys, p_limits, p_seconds, v_now) r;
  if v_room.wait > 0 and not v_room.unsettled then return query select v_room.wait, v_room.cause; return; end if;
  perform auth.login_lock(p_keys, p_limits);
  v_now := clock_timestamp();
  select r.* into v_room from auth.login_room(p_keys, p_limits, p_seconds, v_now) r;
  if v_room.unsettled then
    perform auth.login_settle(p_keys[2:2], '{Infinity}', p_limits[2:2], array[0], p_seconds, v_now);
    if auth.login_level(p_keys[2], p_seconds, v_now) >= p_limits[2] then v_pair := 1; end if;
    perform auth.login_settle(p_keys[1:1] || p_keys[3:], v_pair || p_limits[3:], v_pair || p_limits[3:], array_fill(0, array[cardinality(p_keys) - 1]), p_seconds, v_now);
    select r.* into v_room from auth.login_room(p_keys, p_limits, p_seconds, v_now) r;
  end if;
  if v_room.wait > 0 then return query select v_room.wait, v_room.cause; return; end if;
  insert into meta.login_attempts (key, id, expires_at) select k.key, p_attempt, v_now + auth.login_lifetime() from unnest(p_keys) k (key);
  perform auth.login_purge(p_seconds, v_now);
  return query select 0::double precision, null::text;
end $$;

-- Ends a login that neither failed nor succeeded: a fault of ours. May be repeated.
create function auth.login_cancel(p_attempt uuid, p_keys text[], p_limits integer[], p_seconds integer) returns void
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_taken text[];
begin
  with gone as (delete from meta.login_attempts a where a.key = any (p_keys) and a.id = p_attempt returning a.key, a.taken)
  select array_agg(g.key) into v_taken from gone g where g.taken;
  if v_taken is null then return; end if;
  perform auth.login_lock(p_keys, p_limits);
  perform auth.login_settle(v_taken, null, null, array_fill(-1, array[cardinality(v_taken)]), p_seconds, clock_timestamp());
end $$;

-- Ends a login whose password was compared with p_accounts and fits p_fitting. Each account is an attempt of its own: tried are those that
-- had one left, told those of them that may be named. p_exact: the tenant was given, and no account is left out. p_behind: the keys of the
-- accounts that share a count, and of failures behind successes: of the email, the address, and the wider address if any.
create function auth.login_end(
  p_attempt uuid, p_keys text[], p_limits integer[], p_seconds integer, p_exact boolean, p_seed text, p_behind text[], p_accounts uuid[], p_fitting uuid[]
) returns table (tried uuid[], told uuid[])
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp rows 1
as $$
declare
  v_now timestamptz := clock_timestamp();
  -- Keys of p_keys whose count has this login as a failure: it took longer than login_lifetime.
  v_taken text[];
  v_known uuid[];
  -- The count of each account, and those of them with an account that does not fit.
  v_counts text[];
  v_failing text[];
  v_failed boolean;
  v_locked text[];
  v_leaks double precision[];
  v_last integer;
  v_leak double precision;
  v_limit double precision;
  v_full text[];
  v_fit uuid[];
  v_missed boolean;
  v_crowded boolean;
begin
  with gone as (delete from meta.login_attempts a where a.key = any (p_keys) and a.id = p_attempt returning a.key, a.taken)
  select coalesce(array_agg(g.key), '{}') into v_taken from gone g where g.taken;

  select coalesce(array_agg(a.id), '{}') into v_known
  from unnest(p_accounts) a (id) join meta.login_known k on k.key = auth.login_key(p_seed, 'known', a.id) where k.until > v_now;
  -- Of many accounts, those that are not known at this address share one count.
  select coalesce(array_agg(case when cardinality(p_accounts) <= 8 or k.id is not null then auth.login_key(p_seed, 'account', a.id) else p_behind[1] end order by a.nth), '{}')
  into v_counts from unnest(p_accounts) with ordinality a (id, nth) left join unnest(v_known) k (id) on k.id = a.id;
  v_failing := array(
    select distinct c.key from unnest(v_counts, p_accounts) c (key, id) where not exists (select from unnest(p_fitting) f (id) where f.id = c.id)
  );

  -- Accounts that fit are only looked at.
  v_leak := case when auth.login_level(p_behind[2], p_seconds, v_now) >= p_limits[2] then 1 else p_limits[1] end;
  v_limit := case when p_exact then 'Infinity' else v_leak end;
  v_full := array(
    select distinct c.key from unnest(v_counts) c (key)
    where c.key <> all (v_failing) and auth.login_full(auth.login_level(c.key, p_seconds, v_now), v_limit, v_leak)
  );
  v_failed := not exists (select from unnest(v_counts) c (key) where c.key <> all (v_failing) and c.key <> all (v_full));

  v_locked := v_failing;
  v_leaks := array_fill(v_leak, array[cardinality(v_failing)]);
  if cardinality(v_failing) > 0 then
    -- Failures behind a success only where there is one.
    v_last := case when cardinality(p_fitting) = 0 then 2 else cardinality(p_behind) end;
    v_locked := v_locked || p_behind[2:v_last];
    v_leaks := v_leaks || p_limits[2:v_last];
  end if;
  if v_failed or cardinality(v_taken) > 0 then
    v_locked := v_locked || p_keys;
    v_leaks := v_leaks || p_limits;
  end if;
  perform auth.login_lock(v_locked, v_leaks);
  v_now := clock_timestamp();

  if cardinality(v_failing) > 0 then
    v_leak := case when auth.login_level(p_behind[2], p_seconds, v_now) >= p_limits[2] then 1 else p_limits[1] end;
    v_limit := case when p_exact then 'Infinity' else v_leak end;
    v_full := v_full || array(
      select c.key from unnest(v_failing) c (key) where auth.login_full(auth.login_level(c.key, p_seconds, v_now), v_limit, v_leak)
    );
    perform auth.login_settle(v_failing, array_fill(v_limit, array[cardinality(v_failing)]), array_fill(v_leak, array[cardinality(v_failing)]),
      array(select case when c.key = any (v_full) then 0 else 1 end from unnest(v_failing) c (key)), p_seconds, v_now);
  end if;
  v_missed := exists (select from unnest(v_failing) c (key) where c.key <> all (v_full));
  if v_missed then
    perform auth.login_settle(p_behind[2:2], '{Infinity}', p_limits[2:2], array[1], p_seconds, v_now);
  end if;

  tried := array(select c.id from unnest(v_counts, p_accounts) with ordinality c (key, id, nth) where c.key <> all (v_full) order by c.nth);
  v_fit := array(select t.id from unnest(tried) with ordinality t (id, nth) join unnest(p_fitting) f (id) on f.id = t.id order by t.nth);
  v_failed := cardinality(v_fit) = 0;
  -- An address that failed too often behind successes is told the accounts it knows, if one of them fits.
  select coalesce(bool_or(auth.login_full(auth.login_level(p.key, p_seconds, v_now), p.at_most, p.at_most)), false) into v_crowded
  from unnest(p_behind[3:], p_limits[3:]) p (key, at_most);
  if v_missed and not v_failed and not v_crowded then
    perform auth.login_settle(p_behind[3:], p_limits[3:], p_limits[3:], array_fill(1, array[cardinality(p_behind) - 2]), p_seconds, v_now);
  end if;
  told := v_fit;
  if v_crowded and v_fit && v_known then
    told := array(select f.id from unnest(v_fit) with ordinality f (id, nth) where f.id = any (v_known) order by f.nth);
  end if;

  if v_failed then
    perform auth.login_settle(p_keys, null, null::double precision || p_limits[2:],
      array(select case when k.key = any (v_taken) then 0 else 1 end from unnest(p_keys) k (key)), p_seconds, v_now);
  elsif cardinality(v_taken) > 0 then
    perform auth.login_settle(v_taken, null, null, array_fill(-1, array[cardinality(v_taken)]), p_seconds, v_now);
  end if;
  if cardinality(told) = 1 then perform auth.login_know(p_seed, told[1]); end if;
  return next;
end $$;

-- An account that was created or logged in to from this address is known there for a day, or an hour longer.
create function auth.login_know(p_seed text, p_account uuid) returns void
  language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
  insert into meta.login_known as k (key, until) values (auth.login_key(p_seed, 'known', p_account), clock_timestamp() + interval '25 hours')
  on conflict (key) do update set until = excluded.until where k.until < clock_timestamp() + interval '24 hours';
end;
