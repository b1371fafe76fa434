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

-- Mails of all tenants: for the login of the jobs alone.
grant execute on function
  work.claim_mails(uuid, uuid, integer, integer),
  work.settle_mail(uuid, uuid, uuid, text, text, integer, boolean)
to llm_jobs;

-- Called by app.ask, in the room.
grant execute on function
  work.admit(uuid, uuid, uuid, text, bigint[], numeric[], boolean),
  work.give_back(uuid, uuid, jsonb)
to llm_tenant;

-- Called in the room.
grant execute on function work.standing(uuid, uuid, uuid) to llm_tenant;
