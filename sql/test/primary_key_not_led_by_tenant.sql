-- primary_key_not_led_by_tenant fires, and falls silent when the fault is mended.
begin;

create table app.notes (tenant_id uuid not null, id uuid primary key);

do $$ begin
  assert array(select object from lint.primary_key_not_led_by_tenant order by object collate "C") = array['app.notes'],
    format('primary_key_not_led_by_tenant found %s', array(select object from lint.primary_key_not_led_by_tenant));
end $$;

alter table app.notes drop constraint notes_pkey, add primary key (tenant_id, id);

do $$ begin
  assert not exists (select from lint.primary_key_not_led_by_tenant),
    format('primary_key_not_led_by_tenant still finds %s', array(select object from lint.primary_key_not_led_by_tenant));
end $$;

rollback;
