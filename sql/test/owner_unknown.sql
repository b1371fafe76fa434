-- owner_unknown fires, and falls silent when the fault is mended.
begin;

create function app.mine() returns integer language sql return 1;

do $$ begin
  assert array(select object from lint.owner_unknown order by object collate "C") = array['app.mine()'],
    format('owner_unknown found %s', array(select object from lint.owner_unknown));
end $$;

alter function app.mine() owner to llm_owner;

do $$ begin
  assert not exists (select from lint.owner_unknown),
    format('owner_unknown still finds %s', array(select object from lint.owner_unknown));
end $$;

rollback;
