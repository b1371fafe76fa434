-- table_without_force fires, and falls silent when the fault is mended.
begin;

alter table app.users no force row level security;

do $$ begin
  assert array(select object from lint.table_without_force order by object collate "C") = array['app.users'],
    format('table_without_force found %s', array(select object from lint.table_without_force));
end $$;

alter table app.users force row level security;

do $$ begin
  assert not exists (select from lint.table_without_force),
    format('table_without_force still finds %s', array(select object from lint.table_without_force));
end $$;

rollback;
