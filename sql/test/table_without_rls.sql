-- table_without_rls fires, and falls silent when the fault is mended.
begin;

create table app.notes (tenant_id uuid not null references app.tenants (id), id uuid not null, body text, primary key (tenant_id, id));

do $$ begin
  assert array(select object from lint.table_without_rls order by object collate "C") = array['app.notes'],
    format('table_without_rls found %s', array(select object from lint.table_without_rls));
end $$;

alter table app.notes enable row level security;

do $$ begin
  assert not exists (select from lint.table_without_rls),
    format('table_without_rls still finds %s', array(select object from lint.table_without_rls));
end $$;

rollback;
