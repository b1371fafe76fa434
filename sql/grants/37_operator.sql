-- What the operator's functions may do, and which of them a login may call. Metadata of every tenant: the lint column_for_nobody names what
-- they never read, and operator_open that nothing here is open to others.
grant select, insert (id, name, hash, expires_at), update (revoked_at, last_used_at) on operator.tokens to llm_operator;
grant select, insert, update, delete on operator.plans to llm_operator;
grant select, insert on operator.events to llm_operator;
grant select, insert (tenant_id, token_id, counts), update (ended_at) on operator.erasures to llm_operator;

grant select, insert (id, name, registration), update (
  status, name, registration, plan_id, markup, models, content_days_at_most, content_retention, content_days
) on app.tenants to llm_operator;
grant select, insert (
  tenant_id, subject, requests_per_minute, tokens_per_minute, concurrent, budget, budget_period, alert_at
), delete on app.limits to llm_operator;
-- A lock needs the right to update a column: the policy lets no row be changed.
grant select (tenant_id, id, role, kind, status, deleted_at), update (deleted_at) on app.users to llm_operator;
grant select (tenant_id, id, status, cancel_requested_at, source, cost_usd, created_at, first_token_at, ended_at), update (cancel_requested_at)
  on app.generations to llm_operator;
grant select (tenant_id, id, kind, generation_id, user_id, key_id, provider, model, units, tenant_amount, provider_amount, at), insert (
  tenant_id, id, kind, generation_id, user_id, key_id, provider, model, tenant_amount, provider_amount, margin_amount, note, made_by
) on app.ledger to llm_operator;
grant select (tenant_id, grain, model, day, requests, errors, counts, tenant_amount, provider_amount) on app.usage_days to llm_operator;
grant select, insert (tenant_id, ledger_id) on app.usage_queue to llm_operator;
grant execute on function app.usage_of(uuid, uuid), app.usage_of_entry(uuid, uuid), app.usage_grains(uuid, uuid, text, text), app.sum_counts(jsonb[]), app.latency_bucket(interval) to llm_operator;
grant insert (tenant_id, id, action, target_kind, target_id, request_id, detail) on app.audit_events to llm_operator;
grant select (tenant_id, id), insert (tenant_id, id, kind, user_id) on app.deletions to llm_operator;
grant select (tenant_id) on app.credentials, app.conversations, app.messages, app.generation_chunks, app.feedback, app.api_keys,
  app.sessions, app.session_tokens, app.idempotency_keys to llm_operator;
grant select (tenant_id), delete on app.provider_keys, app.tenant_keys, app.idempotent_answers, app.rates, app.budget_periods,
  app.counter_changes, app.mails, app.one_time_tokens, app.invitations to llm_operator;
grant select (created_at, ended_at) on app.mails to llm_operator;
grant select (tenant_id, generation_id, parked_reason, created_at), update (claimed_until), delete on app.tracking_outbox to llm_operator;

grant select (id, name, created_at, expires_at, revoked_at, last_used_at) on operator.tokens to llm_auditor;
grant select on operator.plans, operator.events, operator.erasures to llm_auditor;

set local role llm_operator;

grant execute on function
  operator.whoami(bytea),
  operator.list_events(bytea, uuid, uuid, integer),
  operator.list_tenants(bytea, uuid, text, uuid, uuid, integer),
  operator.create_tenant(bytea, uuid, text, text, uuid, text),
  operator.suspend(bytea, uuid, boolean, text),
  operator.make_sso_optional(bytea, uuid, text),
  operator.assign_plan(bytea, uuid, uuid, text),
  operator.erase(bytea, uuid, text, text),
  operator.receipt(bytea, uuid),
  operator.carry_on(integer),
  operator.list_plans(bytea, uuid),
  operator.put_plan(bytea, uuid, jsonb, boolean, text),
  operator.remove_plan(bytea, uuid, text),
  operator.list_usage(bytea, date, date, text[], uuid, integer),
  operator.correct(bytea, uuid, uuid, uuid, numeric, numeric, text, text),
  operator.outbox(bytea),
  operator.list_prices(bytea, text, text, boolean, boolean, integer),
  operator.add_price(bytea, jsonb, timestamptz, text),
  operator.end_price(bytea, uuid, text)
to llm_api;
