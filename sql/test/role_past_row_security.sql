-- role_past_row_security fires, and falls silent when the fault is mended.
begin;

alter role llm_api bypassrls;
grant llm_auth to llm_auditor;
alter role llm_work createdb;
alter role llm_jobs inherit;
create role llm_reader_for_ever login;
grant llm_reader to llm_reader_for_ever;

do $$ begin
  assert array(select object from lint.role_past_row_security order by object collate "C") = array['llm_api', 'llm_auditor', 'llm_jobs', 'llm_reader_for_ever', 'llm_work'],
    format('role_past_row_security found %s', array(select object from lint.role_past_row_security));
end $$;

alter role llm_api nobypassrls;
revoke llm_auth from llm_auditor;
alter role llm_work nocreatedb;
alter role llm_jobs noinherit;
alter role llm_reader_for_ever valid until '2100-01-01' connection limit 1;

do $$ begin
  assert not exists (select from lint.role_past_row_security),
    format('role_past_row_security still finds %s', array(select object from lint.role_past_row_security));
end $$;

rollback;
