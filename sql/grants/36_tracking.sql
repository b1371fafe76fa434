-- The calls of tracking, granted by their owner: only to the jobs' login.
grant usage on schema meta to llm_tracking;
grant select, update (held) on meta.locks to llm_tracking;
set local role llm_tracking;

grant execute on function
  tracking.claim(uuid, integer, integer, boolean),
  tracking.settle(uuid, jsonb),
  tracking.lag(),
  tracking.unpark(),
  tracking.forget(integer)
to llm_jobs;
