-- function_leakproof fires, and falls silent when the fault is mended.
begin;

alter function app.role() leakproof;

do $$ begin
  assert array(select object from lint.function_leakproof order by object collate "C") = array['app.role()'],
    format('function_leakproof found %s', array(select object from lint.function_leakproof));
end $$;

alter function app.role() not leakproof;

do $$ begin
  assert not exists (select from lint.function_leakproof),
    format('function_leakproof still finds %s', array(select object from lint.function_leakproof));
end $$;

rollback;
