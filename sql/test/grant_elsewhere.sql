-- grant_elsewhere fires, and falls silent when the fault is mended.
begin;

create schema copies;
create table copies.users as table app.users;
create view copies.mails as select email from copies.users;
grant select on copies.users to public;
grant select (email) on copies.mails to llm_tenant;

do $$ begin
  assert array(select object from lint.grant_elsewhere order by object collate "C") = array['copies.mails to llm_tenant', 'copies.users to public'],
    format('grant_elsewhere found %s', array(select object from lint.grant_elsewhere));
end $$;

revoke all on copies.users from public;
revoke all (email) on copies.mails from llm_tenant;

do $$ begin
  assert not exists (select from lint.grant_elsewhere),
    format('grant_elsewhere still finds %s', array(select object from lint.grant_elsewhere));
end $$;

rollback;
