-- statistics_across_tenants fires, and falls silent when the fault is mended.
begin;

alter table app.users alter column email set statistics 100;
create index users_domain on app.users (tenant_id, split_part(email, '@', 2));
create statistics app.users_roles on role, status from app.users;

do $$ begin
  assert array(select object from lint.statistics_across_tenants order by object collate "C")
      = array['app.users.email', 'app.users_domain.split_part', 'app.users_roles'],
    format('statistics_across_tenants found %s', array(select object from lint.statistics_across_tenants));
end $$;

alter table app.users alter column email set statistics 0;
alter index app.users_domain alter column 2 set statistics 0;
drop statistics app.users_roles;

do $$ begin
  assert not exists (select from lint.statistics_across_tenants),
    format('statistics_across_tenants still finds %s', array(select object from lint.statistics_across_tenants));
end $$;

rollback;
