-- Auditors at psql, who only read. The grants say which columns; which rows:
--   llm_auditor  the metadata of every tenant
--   llm_reader   the rows inside the wall around their login's tenant
-- Neither sees anything once the login has expired: VALID UNTIL alone is checked only when logging in.

do $$
declare
  place regclass;
begin
  foreach place in array array[
    'app.tenants', 'app.users', 'app.conversations', 'app.messages', 'app.generations', 'app.feedback', 'app.audit_events', 'app.tracking_outbox',
    'app.deletions', 'app.api_keys', 'app.attempts', 'app.provider_keys', 'app.tenant_keys', 'app.limits', 'app.budget_periods',
    'app.mails', 'app.one_time_tokens', 'app.counter_changes', 'app.ledger', 'app.usage_days', 'app.usage_queue', 'app.sessions', 'app.invitations'
  ]::regclass[] loop
    execute format('create policy auditor_read on %s for select to llm_auditor using ((select app.login_valid()))', place);
    execute format('create policy reader_read on %s for select to llm_reader using (true)', place);
  end loop;
end $$;

create policy auditor_read on meta.readers for select to llm_auditor using ((select app.login_valid()));
create policy own_login on meta.readers for select to llm_reader using (role = session_user and (select app.login_valid()));
-- The registered auditors: audit.catalogue() reports any other role with such a name.
create policy names on meta.readers for select to llm_api, llm_sessions using (true);
