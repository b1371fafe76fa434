-- database_for_public fires, and falls silent when the fault is mended.
begin;

do $$ begin execute format('revoke all on database %I from public; grant temporary on database %1$I to public', current_database()); end $$;
grant usage on schema app, public to public;

do $$ begin
  assert array(select object from lint.database_for_public order by object collate "C") = array['database ' || current_database(), 'schema app', 'schema public'],
    format('database_for_public found %s', array(select object from lint.database_for_public));
end $$;

do $$ begin execute format('revoke all on database %I from public', current_database()); end $$;
revoke all on schema app, public from public;

do $$ begin
  assert not exists (select from lint.database_for_public),
    format('database_for_public still finds %s', array(select object from lint.database_for_public));
end $$;

rollback;
