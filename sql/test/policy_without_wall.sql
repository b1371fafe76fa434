-- policy_without_wall fires, and falls silent when the fault is mended.
begin;

create policy shortcut on app.users to llm_api using (true);

do $$ begin
  assert array(select object from lint.policy_without_wall order by object collate "C") = array['app.users.shortcut to llm_api'],
    format('policy_without_wall found %s', array(select object from lint.policy_without_wall));
end $$;

alter policy shortcut on app.users to llm_tenant;

do $$ begin
  assert not exists (select from lint.policy_without_wall),
    format('policy_without_wall still finds %s', array(select object from lint.policy_without_wall));
end $$;

rollback;
