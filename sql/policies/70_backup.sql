-- For pg_dump, which may run as an administrator without superuser: behind FORCE the owner sees no row, and a dump would fail or be empty.
-- A login that becomes llm_backup reads every row of every table; only administrators may. The lint backup_incomplete checks that.

do $$
declare
  place regclass;
begin
  for place in select oid from pg_class
    where relnamespace in ('app'::regnamespace, 'operator'::regnamespace, 'meta'::regnamespace) and relkind in ('r', 'p') and relrowsecurity
  loop
    execute format('create policy backup_rows on %s for select to llm_backup using (true)', place);
  end loop;
end $$;
