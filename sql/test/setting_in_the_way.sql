-- setting_in_the_way fires, and falls silent when the fault is mended.
begin;

alter role llm_api set app.tenant_id = 'somebody';
alter role llm_jobs set row_security = off;
do $$ begin execute format('alter database %I set session_replication_role = replica', current_database()); end $$;
do $$ begin execute format('alter role llm_auditor in database %I set app.role = ''admin''', current_database()); end $$;

do $$ begin
  assert array(select object from lint.setting_in_the_way order by object collate "C") = array(
    select name from unnest(array[
      'everybody in ' || current_database(), 'llm_api in every database', 'llm_auditor in ' || current_database(), 'llm_jobs in every database'
    ]) name order by name collate "C"
  ),
    format('setting_in_the_way found %s', array(select object from lint.setting_in_the_way));
end $$;

alter role llm_api reset app.tenant_id;
alter role llm_jobs reset row_security;
do $$ begin execute format('alter database %I reset session_replication_role', current_database()); end $$;
do $$ begin execute format('alter role llm_auditor in database %I reset app.role', current_database()); end $$;

do $$ begin
  assert not exists (select from lint.setting_in_the_way),
    format('setting_in_the_way still finds %s', array(select object from lint.setting_in_the_way));
end $$;

rollback;
