-- foreign_key_without_tenant fires, and falls silent when the fault is mended.
begin;

alter table app.users add column friend uuid, add constraint own_friend unique (id, tenant_id), add constraint friend unique (id);
alter table app.users add constraint users_friend foreign key (friend) references app.users (id);

do $$ begin
  assert array(select object from lint.foreign_key_without_tenant order by object collate "C") = array['app.users.users_friend'],
    format('foreign_key_without_tenant found %s', array(select object from lint.foreign_key_without_tenant));
end $$;

alter table app.users drop constraint users_friend;
alter table app.users add constraint users_friend foreign key (friend, tenant_id) references app.users (id, tenant_id);

do $$ begin
  assert not exists (select from lint.foreign_key_without_tenant),
    format('foreign_key_without_tenant still finds %s', array(select object from lint.foreign_key_without_tenant));
end $$;

rollback;
