-- What auditors at psql read: of every tenant (llm_auditor), or of their own (llm_reader). Who did what, when, with which model and at what
-- cost. Never a password's hash, a lease or an idempotency key; no questions, answers, titles or comments, which llm_reader_content may
-- also read, and only within a tenant.

grant select on app.audit_events to llm_auditor, llm_reader;
grant select on app.tenants to llm_auditor;
grant select (id, name, status, registration, created_at, bootstrapped_at, content_retention, content_days, content_removed_until, plan_id, models,
  content_days_at_most, limited) on app.tenants to llm_reader;
grant select (tenant_id, id, email, role, kind, name, status, created_at, deleted_at, email_verified_at) on app.users to llm_auditor, llm_reader;
grant select (
  tenant_id, id, user_id, public_id, name, scopes, models, created_at, expires_at, disabled_at, revoked_at, rotated_at, previous_until,
  last_used_at, refused_at
) on app.api_keys to llm_auditor, llm_reader;
grant select (
  tenant_id, id, user_id, method, rotations, rotated_at, device, address, created_at, last_used_at, idle_until, ends_at, ended_at, ended_reason
) on app.sessions to llm_auditor, llm_reader;
grant select (tenant_id, id, provider, name, models, key_version, created_at, disabled_at) on app.provider_keys to llm_auditor, llm_reader;
grant select (tenant_id, version, wrapped_by, created_at, wrapped_at) on app.tenant_keys to llm_auditor, llm_reader;
grant select (tenant_id, id, subject_id, address, template, created_at, attempts, next_at, ended_at, failure) on app.mails to llm_auditor, llm_reader;
grant select (tenant_id, id, purpose, subject_id, address, created_at, expires_at, used_at, voided_at) on app.one_time_tokens
  to llm_auditor, llm_reader;
grant select on app.invitations to llm_auditor, llm_reader;
grant select on app.deletions to llm_auditor, llm_reader;
grant select (tenant_id, id, user_id, model, created_at, updated_at) on app.conversations to llm_auditor, llm_reader;
grant select (tenant_id, id, user_id, conversation_id, created_at) on app.messages to llm_auditor, llm_reader;
grant select (
  tenant_id, id, message_id, user_id, conversation_id, source, provider, model, response_model, status, finish_reason, failure,
  cancel_requested_at, tokens_in, tokens_out, approx_tokens_in, approx_tokens_out, cost_usd, prompt_length, response_length, request_id,
  trace_id, parent_span_id, created_at, admitted_at, started_at, first_token_at, model_ended_at, ended_at,
  key_id, usage, content
) on app.generations to llm_auditor, llm_reader;
grant select on app.attempts to llm_auditor, llm_reader;
grant select on app.limits, app.budget_periods, app.counter_changes to llm_auditor, llm_reader;
grant select on app.ledger, app.usage_days to llm_auditor;
grant select (tenant_id, id, kind, generation_id, user_id, key_id, provider, model, units, tenant_amount, note, at) on app.ledger to llm_reader;
grant select (tenant_id, grain, day, user_id, key_id, model, door, requests, errors, unpriced, counts, tenant_amount) on app.usage_days to llm_reader;
grant select on app.usage_queue to llm_auditor, llm_reader;
grant select (tenant_id, message_id, user_id, rating, created_at, updated_at) on app.feedback to llm_auditor, llm_reader;
grant select (tenant_id, generation_id, created_at, attempts, next_attempt_at, claimed_until, parked_reason) on app.tracking_outbox
  to llm_auditor, llm_reader;

grant select (metadata) on app.api_keys to llm_reader_content;
grant select (title, system) on app.conversations to llm_reader_content;
grant select (content, response, request, log, tool_calls) on app.messages to llm_reader_content;
grant select (comment) on app.feedback to llm_reader_content;

grant select on meta.readers to llm_auditor, llm_reader;
