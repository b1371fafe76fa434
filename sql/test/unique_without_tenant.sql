-- unique_without_tenant fires, and falls silent when the fault is mended.
begin;

create unique index notes_email on app.users (email);

do $$ begin
  assert array(select object from lint.unique_without_tenant order by object collate "C") = array['app.notes_email'],
    format('unique_without_tenant found %s', array(select object from lint.unique_without_tenant));
end $$;

drop index app.notes_email;
create unique index notes_email on app.users (email, tenant_id);

do $$ begin
  assert not exists (select from lint.unique_without_tenant),
    format('unique_without_tenant still finds %s', array(select object from lint.unique_without_tenant));
end $$;

rollback;
