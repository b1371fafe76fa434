-- view_without_security_invoker fires, and falls silent when the fault is mended.
begin;

create view audit.everybody as select email from app.users;

do $$ begin
  assert array(select object from lint.view_without_security_invoker order by object collate "C") = array['audit.everybody'],
    format('view_without_security_invoker found %s', array(select object from lint.view_without_security_invoker));
end $$;

alter view audit.everybody set (security_invoker = true);

do $$ begin
  assert not exists (select from lint.view_without_security_invoker),
    format('view_without_security_invoker still finds %s', array(select object from lint.view_without_security_invoker));
end $$;

rollback;
