-- grant_to_stranger fires, and falls silent when the fault is mended.
begin;

create role analyst;
grant select on app.users to analyst;
grant select (id) on app.messages to analyst;
grant execute on function auth.login_candidates(text, uuid) to analyst;

do $$ begin
  assert array(select object from lint.grant_to_stranger order by object collate "C") = array['app.messages to analyst', 'app.users to analyst', 'auth.login_candidates(text,uuid) to analyst'],
    format('grant_to_stranger found %s', array(select object from lint.grant_to_stranger));
end $$;

revoke all on app.users from analyst;
revoke all (id) on app.messages from analyst;
revoke all on function auth.login_candidates(text, uuid) from analyst;

do $$ begin
  assert not exists (select from lint.grant_to_stranger),
    format('grant_to_stranger still finds %s', array(select object from lint.grant_to_stranger));
end $$;

rollback;
