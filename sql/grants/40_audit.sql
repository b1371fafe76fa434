-- The views read with their reader's rights, so these alone open nothing.

grant select on all tables in schema audit to llm_auditor, llm_reader;

-- Isolation is tried as the API, in its own rooms: whoever calls these has no more rights for it.
grant usage on schema audit to llm_api, llm_tenant;
grant execute on function audit.proof(), audit.canary(regclass, uuid, uuid, jsonb), audit.canary_insert(regclass, jsonb), audit.canary_value(text, regtype)
  to llm_api, llm_tenant;
