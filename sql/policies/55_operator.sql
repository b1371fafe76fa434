-- Schema operator has no tenants' content, and no wall: its tables are for the functions of llm_operator alone. Its auditors' policies are
-- in 60_auditors.sql. Not forced: no function that a login may call belongs to their owner, and migrations write prices.

do $$
declare
  place regclass;
begin
  for place in select oid from pg_class where relnamespace = 'operator'::regnamespace and relkind in ('r', 'p') loop
    execute format('alter table %s enable row level security', place);
    execute format('create policy operator_rows on %s for all to llm_operator using (true) with check (true)', place);
    execute format('create policy auditor_read on %s for select to llm_auditor using ((select app.login_valid()))', place);
  end loop;
end $$;
