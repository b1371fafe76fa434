-- table_without_tenant fires, and falls silent when the fault is mended.
begin;

create table app.notes (tenant_id uuid, id uuid not null);

do $$ begin
  assert array(select object from lint.table_without_tenant order by object collate "C") = array['app.notes'],
    format('table_without_tenant found %s', array(select object from lint.table_without_tenant));
end $$;

alter table app.notes alter tenant_id set not null;

do $$ begin
  assert not exists (select from lint.table_without_tenant),
    format('table_without_tenant still finds %s', array(select object from lint.table_without_tenant));
end $$;

rollback;
