-- A backup without a table, or without some of its rows, is noticed only when it is needed. llm_backup needs, for every table, the right to
-- read, a policy that lets every row through, and none that hides one.
create view lint.backup_incomplete as
select c.oid::regclass::text as object, trouble as detail
  from pg_class c
  cross join lateral (
    select 'grant select to llm_backup' as trouble
    where not has_table_privilege('llm_backup', c.oid, 'select') or not has_schema_privilege('llm_backup', c.relnamespace, 'usage')
    union all
    select 'create policy … for select to llm_backup using (true)'
    where c.relrowsecurity and not exists (
      select from pg_policy p
      where p.polrelid = c.oid and p.polpermissive and p.polcmd in ('r', '*') and p.polroles = array[to_regrole('llm_backup')::oid]
        and pg_get_expr(p.polqual, p.polrelid) = 'true'
    )
    union all
    select format('drop policy %I, or name its roles', p.polname) from pg_policy p
    where p.polrelid = c.oid and not p.polpermissive and p.polcmd in ('r', '*')
      and (0 = any (p.polroles) or to_regrole('llm_backup') = any (p.polroles))
  ) as found
  where c.relnamespace in ('app'::regnamespace, 'operator'::regnamespace, 'meta'::regnamespace) and c.relkind in ('r', 'p');
