-- column_for_nobody fires, and falls silent when the fault is mended.
begin;

grant select on app.credentials to llm_tenant;
grant select (content) on app.messages to llm_auditor;
grant select (lease_owner) on app.generations to llm_reader;
grant select (email) on app.users to llm_operator;

do $$ begin
  assert array(select object from lint.column_for_nobody order by object collate "C") = array['app.credentials.password_hash to llm_tenant', 'app.generations.lease_owner to llm_reader', 'app.messages.content to llm_auditor', 'app.users.email to llm_operator'],
    format('column_for_nobody found %s', array(select object from lint.column_for_nobody));
end $$;

revoke select on app.credentials from llm_tenant;
revoke select (content) on app.messages from llm_auditor;
revoke select (lease_owner) on app.generations from llm_reader;
revoke select (email) on app.users from llm_operator;

do $$ begin
  assert not exists (select from lint.column_for_nobody),
    format('column_for_nobody still finds %s', array(select object from lint.column_for_nobody));
end $$;

rollback;
