-- operator_without_token fires, and falls silent when the fault is mended.
begin;

create function operator.peek() returns bigint language sql security definer set search_path = pg_catalog, pg_temp as 'select count(*) from app.tenants';
create function operator.late(p_token bytea) returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp
  as 'begin if p_token is null then return 1; end if; perform operator.admit(p_token); return 2; end';
create function operator.unused() returns bigint language sql security definer set search_path = pg_catalog, pg_temp as 'select 1';
revoke all on function operator.peek(), operator.late(bytea), operator.unused() from public;
grant execute on function operator.peek(), operator.late(bytea) to llm_api;

do $$ begin
  assert array(select object from lint.operator_without_token order by object collate "C") = array['operator.late(bytea)', 'operator.peek()'],
    format('operator_without_token found %s', array(select object from lint.operator_without_token));
end $$;

revoke all on function operator.peek() from llm_api;
create or replace function operator.late(p_token bytea) returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp
  as 'begin perform operator.admit(p_token); return 2; end';

do $$ begin
  assert not exists (select from lint.operator_without_token),
    format('operator_without_token still finds %s', array(select object from lint.operator_without_token));
end $$;

rollback;
