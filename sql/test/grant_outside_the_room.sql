-- grant_outside_the_room fires, and falls silent when the fault is mended.
begin;

grant select (email) on app.users to llm_api;
grant select on app.tenants to public;
grant select on app.messages to llm_jobs;

do $$ begin
  assert array(select object from lint.grant_outside_the_room order by object collate "C") = array['app.messages to llm_jobs', 'app.tenants to public', 'app.users to llm_api'],
    format('grant_outside_the_room found %s', array(select object from lint.grant_outside_the_room));
end $$;

revoke select (email) on app.users from llm_api;
revoke select on app.tenants from public;
revoke select on app.messages from llm_jobs;

do $$ begin
  assert not exists (select from lint.grant_outside_the_room),
    format('grant_outside_the_room still finds %s', array(select object from lint.grant_outside_the_room));
end $$;

rollback;
