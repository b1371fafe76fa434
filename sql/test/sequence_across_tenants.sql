-- sequence_across_tenants fires, and falls silent when the fault is mended.
begin;

alter table app.users add column number integer generated always as identity;

do $$ begin
  assert array(select object from lint.sequence_across_tenants order by object collate "C") = array['app.users_number_seq'],
    format('sequence_across_tenants found %s', array(select object from lint.sequence_across_tenants));
end $$;

alter table app.users alter number drop identity;

do $$ begin
  assert not exists (select from lint.sequence_across_tenants),
    format('sequence_across_tenants still finds %s', array(select object from lint.sequence_across_tenants));
end $$;

rollback;
