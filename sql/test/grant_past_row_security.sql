-- grant_past_row_security fires, and falls silent when the fault is mended.
begin;

grant truncate on app.users to llm_tenant;
grant references (id) on app.users to llm_auditor;

do $$ begin
  assert array(select object from lint.grant_past_row_security order by object collate "C") = array['app.users to llm_auditor', 'app.users to llm_tenant'],
    format('grant_past_row_security found %s', array(select object from lint.grant_past_row_security));
end $$;

revoke truncate on app.users from llm_tenant;
revoke references (id) on app.users from llm_auditor;

do $$ begin
  assert not exists (select from lint.grant_past_row_security),
    format('grant_past_row_security still finds %s', array(select object from lint.grant_past_row_security));
end $$;

rollback;
