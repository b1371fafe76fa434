-- The work's calls, granted by their owner.
set local role llm_work;

grant execute on function
  work.append(uuid, uuid[], uuid[], integer[], text[]),
  work.renew(uuid, uuid[], uuid[]),
  work.finish(uuid, uuid, uuid, text, text, text, text, integer[], text, integer, integer, integer, numeric, timestamptz, timestamptz, timestamptz),
  work.sweep(integer),
  work.purge(integer)
to llm_api;
