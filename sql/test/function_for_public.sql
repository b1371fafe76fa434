-- function_for_public fires, and falls silent when the fault is mended.
begin;

create function app.free() returns integer language sql return 1;
grant execute on function app.free() to public;

do $$ begin
  assert array(select object from lint.function_for_public order by object collate "C") = array['app.free()'],
    format('function_for_public found %s', array(select object from lint.function_for_public));
end $$;

revoke execute on function app.free() from public;

do $$ begin
  assert not exists (select from lint.function_for_public),
    format('function_for_public still finds %s', array(select object from lint.function_for_public));
end $$;

rollback;
