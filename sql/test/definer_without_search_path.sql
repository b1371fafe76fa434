-- definer_without_search_path fires, and falls silent when the fault is mended.
begin;

grant create on schema auth to llm_auth;
set local role llm_auth;
create function auth.peek() returns bigint language sql security definer as 'select count(*) from app.users';
reset role;

do $$ begin
  assert array(select object from lint.definer_without_search_path order by object collate "C") = array['auth.peek()'],
    format('definer_without_search_path found %s', array(select object from lint.definer_without_search_path));
end $$;

alter function auth.peek() set search_path = pg_catalog, pg_temp;

do $$ begin
  assert not exists (select from lint.definer_without_search_path),
    format('definer_without_search_path still finds %s', array(select object from lint.definer_without_search_path));
end $$;

rollback;
