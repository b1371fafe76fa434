-- setting_past_transaction fires, and falls silent when the fault is mended.
begin;

create function app.stays(p_tenant uuid) returns text language sql as $$ select set_config('app.tenant_id', p_tenant::text, false) $$;
create function app.stays_too() returns text language sql return set_config('app.role', concat('ad', 'min'), false);
create function app.stays_as_well() returns void language plpgsql as $$ begin set app.role = 'admin'; end $$;

do $$ begin
  assert array(select object from lint.setting_past_transaction order by object collate "C") = array['app.stays(uuid)', 'app.stays_as_well()', 'app.stays_too()'],
    format('setting_past_transaction found %s', array(select object from lint.setting_past_transaction));
end $$;

create or replace function app.stays(p_tenant uuid) returns text language sql as $$ select set_config('app.tenant_id', p_tenant::text, true) $$;
create or replace function app.stays_too() returns text language sql return set_config('app.role', concat('ad', 'min'), true);
create or replace function app.stays_as_well() returns void language plpgsql as $$ begin set local app.role = 'admin'; end $$;

do $$ begin
  assert not exists (select from lint.setting_past_transaction),
    format('setting_past_transaction still finds %s', array(select object from lint.setting_past_transaction));
end $$;

rollback;
