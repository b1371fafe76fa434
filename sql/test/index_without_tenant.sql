-- index_without_tenant fires, and falls silent when the fault is mended.
begin;

create index notes_status on app.users (status) include (tenant_id);

do $$ begin
  assert array(select object from lint.index_without_tenant order by object collate "C") = array['app.notes_status'],
    format('index_without_tenant found %s', array(select object from lint.index_without_tenant));
end $$;

drop index app.notes_status;
create index notes_status on app.users (tenant_id, status);

do $$ begin
  assert not exists (select from lint.index_without_tenant),
    format('index_without_tenant still finds %s', array(select object from lint.index_without_tenant));
end $$;

rollback;
