-- The views read with their reader's rights, so these grants alone open nothing.

grant select on all tables in schema audit to llm_auditor, llm_reader;
-- What the operator did is not a tenant's.
revoke select on audit.operator_events, audit.operator_tokens, audit.plans, audit.erasures from llm_reader;
-- What the providers are owed is not a tenant's to know.
revoke select on audit.postings, audit.balances, audit.usage_items from llm_reader;

-- The proof runs as the API's role, in its own rooms: its caller gets no more rights by it.
grant usage on schema audit to llm_api, llm_tenant;
grant execute on function audit.proof(), audit.canary(regclass, uuid, uuid, jsonb), audit.canary_insert(regclass, jsonb), audit.canary_value(text, regtype),
  audit.estimate(text), audit.estimates_differ(regclass, name, regtype, integer)
  to llm_api, llm_tenant;

-- The catalogue is open to every role anyway.
grant execute on function audit.catalogue(), audit.catalogue_relations(), audit.catalogue_functions(), audit.catalogue_objects(), audit.catalogue_roles(),
  audit.catalogue_builtins(), audit.catalogue_internals(), audit.catalogue_environment(), audit.leakproof(), audit.our_schemas(), audit.role_name(oid),
  audit.role_is_ours(name), audit.grants_of(text, text, aclitem[], "char", oid, text)
  to llm_api;
