-- foreign_key_takes_tenant_along fires, and falls silent when the fault is mended.
begin;

alter table app.users drop constraint users_tenant_id_fkey,
  add constraint users_tenant_id_fkey foreign key (tenant_id) references app.tenants (id) on delete cascade;
create table app.notes (tenant_id uuid not null, id uuid not null, user_id uuid, primary key (tenant_id, id),
  constraint author foreign key (tenant_id, user_id) references app.users (tenant_id, id) on delete set null);

do $$ begin
  assert array(select object from lint.foreign_key_takes_tenant_along order by object collate "C") = array['app.notes.author', 'app.users.users_tenant_id_fkey'],
    format('foreign_key_takes_tenant_along found %s', array(select object from lint.foreign_key_takes_tenant_along));
end $$;

alter table app.users drop constraint users_tenant_id_fkey,
  add constraint users_tenant_id_fkey foreign key (tenant_id) references app.tenants (id);
alter table app.notes drop constraint author,
  add constraint author foreign key (tenant_id, user_id) references app.users (tenant_id, id) on delete set null (user_id);

do $$ begin
  assert not exists (select from lint.foreign_key_takes_tenant_along),
    format('foreign_key_takes_tenant_along still finds %s', array(select object from lint.foreign_key_takes_tenant_along));
end $$;

rollback;
