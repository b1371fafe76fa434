-- auditor_writes fires, and falls silent when the fault is mended.
begin;

grant insert on app.audit_events to llm_auditor;
grant update (name) on app.tenants to llm_reader;

do $$ begin
  assert array(select object from lint.auditor_writes order by object collate "C") = array['app.audit_events to llm_auditor', 'app.tenants to llm_reader'],
    format('auditor_writes found %s', array(select object from lint.auditor_writes));
end $$;

revoke insert on app.audit_events from llm_auditor;
revoke update (name) on app.tenants from llm_reader;

do $$ begin
  assert not exists (select from lint.auditor_writes),
    format('auditor_writes still finds %s', array(select object from lint.auditor_writes));
end $$;

rollback;
