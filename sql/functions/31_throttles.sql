-- Counts by address before a tenant is known, exact for any number of processes.
set local role llm_auth;

-- Counts one more of each key, if all of them have room: p_limits in p_seconds, which leak away evenly. Returns 0, or the seconds until there
-- is room; then nothing was counted. It waits for the rows of these keys alone.
create function auth.count_attempt(p_keys text[], p_limits integer[], p_seconds integer) returns double precision
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_now timestamptz;
  v_wait double precision;
begin
  -- The update never happens, but locks the row: one that is being removed is made anew.
  insert into meta.throttles as t (key) select k.key from unnest(p_keys) k (key) order by 1
  on conflict (key) do update set whole_at = t.whole_at where false;
  v_now := clock_timestamp();
  -- A step of the clock backwards makes no client wait for longer than the window.
  select max(least(extract(epoch from greatest(t.whole_at, v_now) - v_now), p_seconds)
    + p_seconds::double precision / p_limits[array_position(p_keys, t.key)] - p_seconds) into v_wait
  from meta.throttles t where t.key = any (p_keys);
  -- Times are stored in microseconds.
  if v_wait > 0.001 then return v_wait; end if;
  update meta.throttles t set whole_at = v_now + make_interval(secs =>
    least(extract(epoch from greatest(t.whole_at, v_now) - v_now), p_seconds) + p_seconds::double precision / p_limits[array_position(p_keys, t.key)])
  where t.key = any (p_keys);
  -- Each count removes up to two that are whole: so there are no more than were counted in a window.
  delete from meta.throttles t where t.key in (
    select o.key from meta.throttles o where o.whole_at < v_now order by o.whole_at limit 2 for update skip locked
  );
  return 0;
end $$;
