-- The work's calls, granted by their owner.
set local role llm_work;

grant execute on function
  work.append(uuid, uuid[], uuid[], integer[], text[]),
  work.renew(uuid, uuid[], uuid[]),
  work.finish(jsonb, text, integer[]),
  work.finish_many(jsonb, text[], text[], text[]),
  work.sweep(integer),
  work.purge(integer),
  work.flush(uuid, uuid),
  work.fold_usage(integer, uuid)
to llm_api;

-- Called by app.ask, in the room.
grant execute on function
  work.admit(uuid, uuid, uuid, text, bigint, numeric, boolean),
  work.give_back(uuid, uuid, jsonb)
to llm_tenant;

-- Called in the room.
grant execute on function work.standing(uuid, uuid) to llm_tenant;
