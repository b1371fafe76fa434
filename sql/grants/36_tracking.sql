-- The calls of tracking, granted by their owner: to the jobs' login and to nobody else.
set local role llm_tracking;

grant execute on function
  tracking.claim(uuid, integer, integer, boolean),
  tracking.settle(uuid, jsonb),
  tracking.lag(),
  tracking.unpark(),
  tracking.forget(integer)
to llm_jobs;
