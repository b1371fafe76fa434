-- definer_not_of_llm_auth fires, and falls silent when the fault is mended.
begin;

create function app.peek() returns bigint language sql security definer set search_path = pg_catalog, pg_temp as 'select count(*) from app.users';

do $$ begin
  assert array(select object from lint.definer_not_of_llm_auth order by object collate "C") = array['app.peek()'],
    format('definer_not_of_llm_auth found %s', array(select object from lint.definer_not_of_llm_auth));
end $$;

alter function app.peek() security invoker;

do $$ begin
  assert not exists (select from lint.definer_not_of_llm_auth),
    format('definer_not_of_llm_auth still finds %s', array(select object from lint.definer_not_of_llm_auth));
end $$;

rollback;
