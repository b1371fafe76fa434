-- policy_per_row fires, and falls silent when the fault is mended.
begin;

create policy slow on app.users for select to llm_tenant using (id = app.user_id() or role = (select app.role()));

do $$ begin
  assert array(select object from lint.policy_per_row order by object collate "C") = array['app.users.slow'],
    format('policy_per_row found %s', array(select object from lint.policy_per_row));
end $$;

alter policy slow on app.users using (id = (select app.user_id()) or role = (select app.role()));

do $$ begin
  assert not exists (select from lint.policy_per_row),
    format('policy_per_row still finds %s', array(select object from lint.policy_per_row));
end $$;

rollback;
