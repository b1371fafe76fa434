-- table_without_wall fires, and falls silent when the fault is mended.
begin;

alter policy tenant_wall on app.users with check (true);
alter policy reader_wall on app.messages using (tenant_id = (select app.tenant_id()));

do $$ begin
  assert array(select object from lint.table_without_wall order by object collate "C") = array['app.messages', 'app.users'],
    format('table_without_wall found %s', array(select object from lint.table_without_wall));
end $$;

alter policy tenant_wall on app.users with check (tenant_id = (select app.tenant_id()));
alter policy reader_wall on app.messages using (tenant_id = (select app.reader_tenant()));

do $$ begin
  assert not exists (select from lint.table_without_wall),
    format('table_without_wall still finds %s', array(select object from lint.table_without_wall));
end $$;

rollback;
