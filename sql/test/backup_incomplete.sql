-- backup_incomplete fires, and falls silent when the fault is mended.
begin;

revoke select on app.messages from llm_backup;
alter policy backup_rows on app.users using (role = 'admin');
create policy careless on app.conversations as restrictive for select using (true);

do $$ begin
  assert array(select object from lint.backup_incomplete order by object collate "C") = array['app.conversations', 'app.messages', 'app.users'],
    format('backup_incomplete found %s', array(select object from lint.backup_incomplete));
end $$;

grant select on app.messages to llm_backup;
alter policy backup_rows on app.users using (true);
drop policy careless on app.conversations;

do $$ begin
  assert not exists (select from lint.backup_incomplete),
    format('backup_incomplete still finds %s', array(select object from lint.backup_incomplete));
end $$;

rollback;
