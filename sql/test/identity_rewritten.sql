-- identity_rewritten fires, and falls silent when the fault is mended.
begin;

create or replace function app.role() returns text language sql stable parallel safe return 'admin';
create or replace function app.reader_tenant() returns uuid language sql stable parallel safe
begin atomic
  select m.tenant_id from meta.readers m join pg_catalog.pg_roles r on r.rolname = m.role
  where m.role = session_user and r.rolvaliduntil > statement_timestamp() or m.role = current_setting('app.reader', true);
end;

do $$ begin
  assert array(select object from lint.identity_rewritten order by object collate "C") = array['app.reader_tenant()', 'app.role()'],
    format('identity_rewritten found %s', array(select object from lint.identity_rewritten));
end $$;

create or replace function app.role() returns text language sql stable parallel safe
  return nullif(current_setting('app.role', true), '');
create or replace function app.reader_tenant() returns uuid language sql stable parallel safe
begin atomic
  select m.tenant_id from meta.readers m join pg_catalog.pg_roles r on r.rolname = m.role
  where m.role = session_user and r.rolvaliduntil > statement_timestamp();
end;

do $$ begin
  assert not exists (select from lint.identity_rewritten),
    format('identity_rewritten still finds %s', array(select object from lint.identity_rewritten));
end $$;

rollback;
