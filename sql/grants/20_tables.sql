-- Verbs and columns. No role gets TRUNCATE, REFERENCES or TRIGGER: the first two bypass row-level security.

-- Not its markup: what the provider is paid is not the tenant's to know.
grant select (id, name, status, registration, created_at, bootstrapped_at, content_retention, content_days, content_removed_until, plan_id, models,
  content_days_at_most, limited) on app.tenants to llm_tenant;
grant update (name, registration, content_retention, content_days) on app.tenants to llm_tenant;
grant select on app.users to llm_tenant;
grant insert (tenant_id, id, email, role, kind, name) on app.users to llm_tenant;
grant update (role, status, token_epoch) on app.users to llm_tenant;
-- A hash can be written in the room, never read.
grant select (tenant_id, user_id, updated_at) on app.credentials to llm_tenant;
grant insert (tenant_id, user_id, password_hash) on app.credentials to llm_tenant;
grant update (password_hash, updated_at) on app.credentials to llm_tenant;
-- Likewise the hash of a key: a new one is written, and the trigger keeps the one before.
grant select (
  tenant_id, id, user_id, public_id, name, scopes, models, metadata, created_at, expires_at, disabled_at, revoked_at, rotated_at,
  previous_until, last_used_at
) on app.api_keys to llm_tenant;
grant insert (tenant_id, id, user_id, public_id, secret_hash, name, scopes, models, metadata, expires_at) on app.api_keys to llm_tenant;
grant update (
  name, scopes, models, metadata, expires_at, disabled_at, revoked_at, secret_hash, previous_until, rotated_at
) on app.api_keys to llm_tenant;
-- The hash of a link's token likewise. Of mails, whether they were sent is read, and neither address nor text.
grant select (tenant_id, id, purpose, subject_id, created_at, expires_at, used_at, voided_at),
  insert (tenant_id, id, purpose, subject_id, address, hash, expires_at), update (voided_at) on app.one_time_tokens to llm_tenant;
grant select (tenant_id, id, subject_id, template, token_id, created_at, attempts, next_at, ended_at, failure),
  insert (tenant_id, id, subject_id, address, template, data, token_id) on app.mails to llm_tenant;
-- Likewise the hash of a session's refresh token, which is only compared by auth.renew_session.
grant select (
  tenant_id, id, user_id, method, token_epoch, rotations, rotated_at, device, address, created_at, last_used_at, idle_until, ends_at,
  ended_at, ended_reason
), insert (tenant_id, id, user_id, method, token_epoch, secret_hash, device, address, idle_until, ends_at),
  update (token_epoch, ended_at, ended_reason) on app.sessions to llm_tenant;
grant select (tenant_id, session_id, place) on app.session_tokens to llm_tenant;
-- The one row that is deleted in the room: a key that was removed must be nowhere.
grant select, insert (tenant_id, id, provider, name, models, key_version, sealed), update (name, models, disabled_at), delete
  on app.provider_keys to llm_tenant;
grant select (tenant_id, version, wrapped, wrapped_by), insert (tenant_id, version, wrapped, wrapped_by) on app.tenant_keys to llm_tenant;
grant select, insert (tenant_id, id, email, role, invited_by, expires_at), update (role, invited_by, sent_at, expires_at, revoked_at)
  on app.invitations to llm_tenant;
grant select on app.audit_events to llm_tenant;
-- Not `at`: the database sets the time.
grant insert (tenant_id, id, actor_user_id, action, target_kind, target_id, request_id, detail) on app.audit_events to llm_tenant;

grant select, insert (id, name, registration), update (bootstrapped_at) on app.tenants to llm_auth;
grant select (tenant_id, id, email, role, kind, status, token_epoch, created_at, deleted_at, email_verified_at),
  insert (tenant_id, id, email, role), update (email, email_verified_at, token_epoch) on app.users to llm_auth;
grant select (tenant_id, user_id, password_hash), insert (tenant_id, user_id, password_hash), update (password_hash, updated_at)
  on app.credentials to llm_auth;
grant select (
  tenant_id, id, user_id, secret_hash, previous_hash, previous_until, scopes, models, expires_at, disabled_at, revoked_at, last_used_at,
  refused_at
), update (last_used_at, refused_at) on app.api_keys to llm_auth;
grant select, insert (tenant_id, id, purpose, subject_id, address, hash, expires_at), update (used_at, voided_at)
  on app.one_time_tokens to llm_auth;
grant insert (tenant_id, id, subject_id, address, template, data, token_id) on app.mails to llm_auth;
grant select (tenant_id, id, user_id, token_epoch, secret_hash, rotations, rotated_at, idle_until, ends_at, ended_at),
  update (secret_hash, rotations, rotated_at, last_used_at, idle_until, address, ended_at, ended_reason) on app.sessions to llm_auth;
grant select, insert, delete on app.session_tokens to llm_auth;
grant select (tenant_id, id, email, role, invited_by, expires_at, accepted_at, revoked_at), update (accepted_at, user_id) on app.invitations to llm_auth;
grant insert (email_verified_at) on app.users to llm_auth;
grant insert (tenant_id, id, actor_user_id, action, target_kind, target_id, request_id, detail) on app.audit_events to llm_auth;

-- Deleted items are marked; the work role removes the rows.
grant select, insert (tenant_id, id, kind, user_id) on app.deletions to llm_tenant;
grant select on app.conversations to llm_tenant;
grant insert (tenant_id, id, user_id, title, model, system) on app.conversations to llm_tenant;
grant update (title, model, system, updated_at) on app.conversations to llm_tenant;
grant select on app.messages to llm_tenant;
grant insert (tenant_id, id, user_id, conversation_id, content, request) on app.messages to llm_tenant;
-- Not lease_owner: a caller that knows it may write answers, of every tenant that process serves.
grant select (
  tenant_id, id, message_id, user_id, conversation_id, source, provider, model, response_model, status, finish_reason, failure,
  lease_until, cancel_requested_at, followed_until, tokens_in, tokens_out, approx_tokens_in, approx_tokens_out, cost_usd, prompt_length,
  response_length, request_id, trace_id, parent_span_id, created_at, admitted_at, started_at, first_token_at, model_ended_at, ended_at,
  key_id, usage, content
) on app.generations to llm_tenant;
grant insert (
  tenant_id, id, message_id, user_id, conversation_id, source, provider, model, lease_owner, approx_tokens_in, prompt_length,
  request_id, trace_id, parent_span_id, created_at, admitted_at, key_id, content, admission, counted
) on app.generations to llm_tenant;
grant update (cancel_requested_at, followed_until) on app.generations to llm_tenant;
grant select on app.generation_chunks, app.tracking_outbox, app.attempts to llm_tenant;
grant select, insert (tenant_id, user_id, key, body_hash, message_id, generation_id) on app.idempotency_keys to llm_tenant;
-- A key whose message is deleted may be used again.
grant update (body_hash, message_id, generation_id, created_at) on app.idempotency_keys to llm_tenant;
grant select, insert (tenant_id, key, user_id, body_hash), update (answer) on app.idempotent_answers to llm_tenant;
grant select (tenant_id, owner, key, user_id, body_hash, answer), insert (tenant_id, key, body_hash), update (answer), delete
  on app.idempotent_answers to llm_auth;

-- The work role reads which message it is and writes the answer; it never sees the question.
grant select (
  tenant_id, id, message_id, user_id, conversation_id, status, lease_owner, lease_until, cancel_requested_at, followed_until, created_at,
  ended_at, model, approx_tokens_in, provider, admitted_at, content, key_id, admission, counted
) on app.generations to llm_work;
grant update (
  status, finish_reason, failure, response_model, tokens_in, tokens_out, approx_tokens_out, cost_usd, response_length, started_at,
  first_token_at, model_ended_at, ended_at, lease_until, message_id, usage, content, admission
) on app.generations to llm_work;
-- The question too is written once, when it is too old to be kept.
grant select (tenant_id, id, user_id, conversation_id), update (response, token_lengths, account, log, content, request, tool_calls), delete
  on app.messages to llm_work;
grant insert on app.attempts to llm_work;
grant insert (tenant_id, id, action, target_kind, target_id, detail) on app.audit_events to llm_work;
grant select (id, content_retention, content_days, content_removed_until, markup, limited), update (content_removed_until, limited)
  on app.tenants to llm_work;
grant select (tenant_id, version, wrapped, wrapped_by), update (wrapped, wrapped_by, wrapped_at) on app.tenant_keys to llm_work;
grant select, insert, update (tokens), delete on app.generation_chunks to llm_work;
grant select (tenant_id, user_id, key, message_id, created_at), update (created_at), delete on app.idempotency_keys to llm_work;
grant select (tenant_id, owner, key, created_at), delete on app.idempotent_answers to llm_work;
grant insert (tenant_id, generation_id) on app.tracking_outbox to llm_work;
-- It removes deleted rows; a lock needs the right to update a column.
grant select, update (worked_at), delete on app.deletions to llm_work;
grant select (tenant_id, id, deleted_at), update (deleted_at), delete on app.users to llm_work;
grant select (tenant_id, id, user_id), update (updated_at), delete on app.conversations to llm_work;
grant select (tenant_id, user_id), delete on app.credentials to llm_work;
grant select (tenant_id, id, user_id, revoked_at), update (refused_at), delete on app.api_keys to llm_work;
grant select (tenant_id, id, user_id, idle_until, ended_at), update (last_used_at), delete on app.sessions to llm_work;
grant select (tenant_id, session_id, place), delete on app.session_tokens to llm_work;
grant select (tenant_id, message_id, user_id), delete on app.feedback to llm_work;
grant select (tenant_id, id, user_id, expires_at), update (sent_at), delete on app.invitations to llm_work;

-- It sends mails; a link's token is compared with its hash before it is sent, and goes to its own address.
grant select, update (attempts, next_at, worker, ended_at, failure), delete on app.mails to llm_work;
grant select (tenant_id, id, subject_id, address, hash, created_at, expires_at, used_at, voided_at), update (voided_at), delete
  on app.one_time_tokens to llm_work;
grant select (name, status) on app.tenants to llm_work;

-- The limits of the plan and what is used are written by work alone.
grant select, delete, insert (
  tenant_id, subject, requests_per_minute, tokens_per_minute, concurrent, budget, budget_period, alert_at, by_admin
), update (requests_per_minute, tokens_per_minute, concurrent, budget, budget_period, alert_at, by_admin, updated_at) on app.limits to llm_tenant;
grant select on app.rates, app.budget_periods, app.counter_changes, app.usage_queue to llm_tenant;
-- What the provider is owed, and so the margin, is not the tenant's to know.
grant select (tenant_id, id, kind, generation_id, user_id, key_id, provider, model, units, tenant_amount, note, at) on app.ledger to llm_tenant;
grant select (tenant_id, grain, day, user_id, key_id, model, door, requests, errors, unpriced, counts, tenant_amount) on app.usage_days to llm_tenant;
grant select, delete on app.limits to llm_work;
grant select, insert, update, delete on app.rates, app.budget_periods, app.counter_changes, app.usage_queue to llm_work;
grant select, insert on app.ledger to llm_work;
-- The sums by day, and what they are made of.
grant select (source, first_token_at, cost_usd) on app.generations to llm_work;
grant select, insert, update, delete on app.usage_days to llm_work;

grant select on app.feedback to llm_tenant;
grant insert (tenant_id, message_id, user_id, rating, comment), update (rating, comment) on app.feedback to llm_tenant;

-- Tracking reads ended generations, questions and answers too, and writes their delivery state.
grant select (
  tenant_id, id, message_id, user_id, conversation_id, source, provider, model, response_model, status, finish_reason, failure, tokens_in,
  tokens_out, approx_tokens_in, approx_tokens_out, cost_usd, prompt_length, response_length, request_id, trace_id, parent_span_id, tracked_as,
  created_at, admitted_at, started_at, first_token_at, model_ended_at, ended_at, content
), update (tracked_as) on app.generations to llm_tracking;
grant select (tenant_id, id, user_id, conversation_id, content, response, request, log, token_lengths) on app.messages to llm_tracking;
grant select on app.attempts to llm_tracking;
grant select (tenant_id, id) on app.deletions to llm_tracking;
grant select, insert, update, delete on app.tracking_outbox to llm_tracking;
grant select (tenant_id, message_id, user_id, rating, comment, updated_at, revision, sent_revision), update (sent_revision)
  on app.feedback to llm_tracking;
