-- member_unknown fires, and falls silent when the fault is mended.
begin;

create role analyst login;
create role analysts;
grant llm_work to analysts;
grant analysts to analyst;
do $$ begin execute format('revoke all on database %I from public; grant connect on database %1$I to analysts', current_database()); end $$;

do $$ begin
  assert array(select object from lint.member_unknown order by object collate "C") = array['analyst'],
    format('member_unknown found %s', array(select object from lint.member_unknown));
end $$;

revoke llm_work from analysts;
grant llm_auditor to analysts;

do $$ begin
  assert not exists (select from lint.member_unknown),
    format('member_unknown still finds %s', array(select object from lint.member_unknown));
end $$;

rollback;
