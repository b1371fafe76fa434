-- Which role may use which schema, and call which function. Nothing is inherited from PUBLIC.

grant usage on schema app to llm_tenant, llm_api, llm_auth, llm_work, llm_tracking, llm_operator, llm_auditor, llm_reader, llm_reader_content;
grant usage on schema auth to llm_api;
grant usage on schema work to llm_api, llm_tenant, llm_jobs;
grant usage on schema tracking to llm_jobs;
grant usage on schema operator to llm_operator, llm_api, llm_auditor;
grant usage on schema audit to llm_auditor, llm_reader, llm_sessions;
grant usage on schema meta to llm_api, llm_auditor, llm_reader, llm_sessions;
grant usage on schema lint to llm_api, llm_auditor, llm_reader;
-- Granted in clean.sql while the functions were being built.
revoke create on schema auth from llm_auth;
revoke create on schema work from llm_work;
revoke create on schema tracking from llm_tracking;
revoke create on schema operator from llm_operator;
revoke create on schema audit from llm_sessions;

grant execute on function app.tenant_id(), app.user_id(), app.role() to llm_tenant, llm_api, llm_auditor;
grant execute on function app.tenant_id(), app.user_id(), app.role() to llm_work;
grant execute on function app.holds_for_me(text) to llm_tenant;
grant execute on function app.reader_tenant() to llm_reader;
grant execute on function app.login_valid() to llm_auditor, llm_reader;
-- llm_tenant too: a second enter inside the room must get as far as its refusal.
grant execute on function app.enter(uuid, uuid, integer, text, uuid) to llm_api, llm_tenant;
grant execute on function app.own_profile(uuid, uuid, integer, text, uuid) to llm_api, llm_tenant;
grant execute on function app.message_page(uuid, uuid, integer, text, text, uuid, uuid, integer, uuid) to llm_api, llm_tenant;
grant execute on function app.contract_time(timestamptz), app.milliseconds_to(timestamptz, timestamptz),
  app.account_members(uuid, text, text, text, text, integer, integer, integer, integer, timestamptz, timestamptz, timestamptz)
  to llm_tenant, llm_work;
grant execute on function app.account_of(uuid, uuid), app.message_json(uuid, uuid, uuid, text, text, text, text) to llm_tenant;
grant execute on function app.key_used(uuid, uuid, text, text, boolean) to llm_tenant;
grant execute on function app.calls_of(uuid, uuid) to llm_tenant;
grant execute on function app.may_delete(uuid, uuid, text, uuid) to llm_tenant;
grant execute on function app.sum_counts(jsonb[]), app.latency_bucket(interval) to llm_tenant, llm_work, llm_auditor, llm_reader;
grant execute on function app.usage_of(uuid, uuid), app.usage_of_entry(uuid, uuid), app.usage_grains(uuid, uuid, text, text) to llm_tenant, llm_work;
grant execute on function app.ask(uuid, uuid, integer, text, jsonb, text, text, uuid) to llm_api, llm_tenant;
grant execute on function app.ask_many(uuid, uuid, integer, text, uuid, text, boolean, jsonb, text[], text[], uuid) to llm_api, llm_tenant;

grant usage on schema meta to llm_auth;
grant select, insert, update, delete on meta.throttles, meta.login_counts, meta.login_attempts, meta.login_known to llm_auth;
grant select, insert, update (token_epoch, proven_at) on meta.proven_accounts to llm_auth;

-- A program reads the version of the schema it runs on.
grant select on meta.migrations, meta.repeatables to llm_api, llm_auditor, llm_reader;
-- Input of audit.catalogue().
grant select on meta.accepted to llm_api;
grant select (role, revoked_at) on meta.readers to llm_api, llm_sessions;
