-- policy_for_public fires, and falls silent when the fault is mended.
begin;

create policy everybody on app.users using (true);

do $$ begin
  assert array(select object from lint.policy_for_public order by object collate "C") = array['app.users.everybody'],
    format('policy_for_public found %s', array(select object from lint.policy_for_public));
end $$;

alter policy everybody on app.users to llm_tenant;

do $$ begin
  assert not exists (select from lint.policy_for_public),
    format('policy_for_public still finds %s', array(select object from lint.policy_for_public));
end $$;

rollback;
