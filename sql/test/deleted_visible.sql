-- deleted_visible fires, and falls silent when the fault is mended.
begin;

create table app.notes (
  tenant_id uuid not null, id uuid not null, user_id uuid not null, primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references app.users (tenant_id, id)
);
drop policy not_deleted on app.messages;
create policy not_deleted on app.messages as restrictive for select to llm_tenant using (true);

do $$ begin
  assert array(select object from lint.deleted_visible order by object collate "C") = array['app.messages', 'app.notes'],
    format('deleted_visible found %s', array(select object from lint.deleted_visible));
end $$;

drop table app.notes;
drop policy not_deleted on app.messages;
create policy not_deleted on app.messages as restrictive for select to llm_tenant, llm_auditor, llm_reader using (true);

do $$ begin
  assert not exists (select from lint.deleted_visible),
    format('deleted_visible still finds %s', array(select object from lint.deleted_visible));
end $$;

rollback;
