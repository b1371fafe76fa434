-- Outside the wall: the definer functions of work, which write what outlives a request. The grants say which columns; the functions check
-- the lease.

create policy work_rows on app.generations for all to llm_work using (true) with check (true);
create policy work_rows on app.attempts for insert to llm_work with check (true);
create policy work_rows on app.tenants for select to llm_work using (true);
create policy work_change on app.tenants for update to llm_work using (true) with check (true);
-- An administrator acts as llm_work to encrypt data keys with the installation's current key: no function of work does.
create policy work_rows on app.tenant_keys for select to llm_work using (true);
create policy work_change on app.tenant_keys for update to llm_work using (true) with check (true);
create policy work_rows on app.messages for select to llm_work using (true);
create policy work_change on app.messages for update to llm_work using (true) with check (true);
create policy work_rows on app.users for select to llm_work using (true);
create policy work_change on app.users for update to llm_work using (true) with check (deleted_at is not null);
create policy work_rows on app.conversations for select to llm_work using (true);
create policy work_change on app.conversations for update to llm_work using (true) with check (false);
create policy work_rows on app.api_keys for select to llm_work using (true);
create policy work_change on app.api_keys for update to llm_work using (true) with check (false);
create policy work_rows on app.sessions for select to llm_work using (true);
create policy work_change on app.sessions for update to llm_work using (true) with check (false);
create policy work_rows on app.session_tokens for all to llm_work using (true) with check (false);
create policy work_rows on app.credentials for select to llm_work using (true);
create policy work_rows on app.mails for all to llm_work using (true) with check (true);
create policy work_rows on app.one_time_tokens for select to llm_work using (true);
create policy work_lock on app.one_time_tokens for update to llm_work using (true) with check (false);
create policy work_remove on app.one_time_tokens for delete to llm_work using (true);
create policy work_rows on app.invitations for select to llm_work using (true);
create policy work_lock on app.invitations for update to llm_work using (true) with check (false);
create policy work_remove on app.invitations for delete to llm_work using (true);
create policy work_rows on app.feedback for all to llm_work using (true) with check (true);
create policy work_rows on app.generation_chunks for all to llm_work using (true) with check (true);
create policy work_rows on app.idempotent_answers for all to llm_work using (true) with check (true);
create policy work_rows on app.idempotency_keys for all to llm_work using (true) with check (true);
create policy work_rows on app.tracking_outbox for all to llm_work using (true) with check (true);
create policy work_rows on app.limits for select to llm_work using (true);
create policy work_remove on app.limits for delete to llm_work using (true);
create policy work_rows on app.rates for all to llm_work using (true) with check (true);
create policy work_rows on app.budget_periods for all to llm_work using (true) with check (true);
create policy work_rows on app.counter_changes for all to llm_work using (true) with check (true);
create policy work_rows on app.ledger for select to llm_work using (true);
create policy work_add on app.ledger for insert to llm_work with check (true);
create policy work_rows on app.usage_queue for all to llm_work using (true) with check (true);
create policy work_rows on app.usage_days for all to llm_work using (true) with check (true);
create policy work_add on app.audit_events for insert to llm_work with check (action = 'budget.alert');
