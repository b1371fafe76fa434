-- Schema operator has no tenants' content, and no wall: its tables are for the functions of llm_operator alone, and auditors of the
-- installation read them. Not forced: no function that a login may call belongs to their owner.

do $$
declare
  place regclass;
begin
  for place in select oid from pg_class where relnamespace = 'operator'::regnamespace and relkind in ('r', 'p') loop
    execute format('alter table %s enable row level security', place);
    execute format('create policy operator_rows on %s for all to llm_operator using (true) with check (true)', place);
    execute format('create policy auditor_read on %s for select to llm_auditor using ((select app.login_valid()))', place);
  end loop;
end $$;

-- Outside the wall: the operator's functions work across tenants. The grants say which columns: metadata, and none of it content.
create policy operator_rows on app.tenants for all to llm_operator using (true) with check (true);
create policy operator_rows on app.limits for all to llm_operator using (true) with check (true);
create policy operator_read on app.users for select to llm_operator using (true);
create policy operator_lock on app.users for update to llm_operator using (true) with check (false);
create policy operator_rows on app.generations for select to llm_operator using (true);
create policy operator_stop on app.generations for update to llm_operator using (true) with check (cancel_requested_at is not null);
create policy operator_read on app.usage_days for select to llm_operator using (true);
create policy operator_read on app.usage_queue for select to llm_operator using (true);
create policy operator_read on app.ledger for select to llm_operator using (true);
create policy operator_add on app.audit_events for insert to llm_operator with check (true);
create policy operator_add on app.deletions for insert to llm_operator
  with check (kind = 'user' and exists (select from app.tenants t where t.id = tenant_id and t.status = 'erased'));
create policy operator_read on app.deletions for select to llm_operator using (true);

-- Rows are counted, of any tenant, and removed, of erased ones.
do $$
declare
  place regclass;
begin
  foreach place in array array[
    'app.credentials', 'app.conversations', 'app.messages', 'app.generation_chunks', 'app.feedback', 'app.api_keys', 'app.idempotency_keys',
    'app.sessions', 'app.session_tokens',
    'app.provider_keys', 'app.tenant_keys', 'app.idempotent_answers', 'app.rates', 'app.budget_periods', 'app.counter_changes', 'app.tracking_outbox',
    'app.mails', 'app.one_time_tokens', 'app.invitations'
  ]::regclass[] loop
    execute format('create policy operator_read on %s for select to llm_operator using (true)', place);
  end loop;
  foreach place in array array[
    'app.provider_keys', 'app.tenant_keys', 'app.idempotent_answers', 'app.rates', 'app.budget_periods', 'app.counter_changes', 'app.tracking_outbox',
    'app.mails', 'app.one_time_tokens', 'app.invitations'
  ]::regclass[] loop
    execute format(
      'create policy operator_remove on %s for delete to llm_operator
        using (exists (select from app.tenants t where t.id = tenant_id and t.status = ''erased''))', place);
  end loop;
end $$;
create policy operator_lock on app.tracking_outbox for update to llm_operator using (true) with check (false);
create policy operator_add on app.usage_queue for insert to llm_operator with check (true);
create policy operator_add on app.ledger for insert to llm_operator with check (kind = 'correction');
