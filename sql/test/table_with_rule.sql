-- table_with_rule fires, and falls silent when the fault is mended.
begin;

create rule quietly as on delete to app.users do instead nothing;

do $$ begin
  assert array(select object from lint.table_with_rule order by object collate "C") = array['app.users.quietly'],
    format('table_with_rule found %s', array(select object from lint.table_with_rule));
end $$;

drop rule quietly on app.users;

do $$ begin
  assert not exists (select from lint.table_with_rule),
    format('table_with_rule still finds %s', array(select object from lint.table_with_rule));
end $$;

rollback;
