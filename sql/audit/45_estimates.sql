-- What the planner expects of a statement, visible to any role that may run it: rows, and bytes per row.
create function audit.estimate(p_statement text) returns text
  language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  plan jsonb;
begin
  execute 'explain (format json) ' || p_statement into plan;
  return format('%s rows of %s', plan -> 0 -> 'Plan' ->> 'Plan Rows', plan -> 0 -> 'Plan' ->> 'Plan Width');
end $$;

-- How the estimates for one column depend on the value in the query: '' where they do not, and do not reveal its length either. PostgreSQL
-- assumes 32 bytes where it has no statistics.
create function audit.estimates_differ(p_relation regclass, p_column name, p_type regtype, p_typmod integer) returns text
  language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
  select coalesce(string_agg(trouble, '; '), '') from (
    select format('%s: %s', asked.operator, string_agg(distinct asked.estimate, ' or ')) as trouble
    from (
      select o.operator, audit.estimate(format('select %1$I from %2$s where %1$I %3$s %4$L::%5$s', p_column, p_relation, o.operator, v.value, p_type)) as estimate
      from unnest(array['=', '<']) as o (operator)
      cross join unnest(case
        when p_type in ('text'::regtype, 'varchar'::regtype, 'name'::regtype) then array['', 'user', 'zzzz']
        when p_type = 'uuid'::regtype then array[
          '00000000-0000-0000-0000-000000000000', '80000000-0000-4000-8000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff']
        when p_type in ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype) then array['2000-01-01', '2026-06-01', '2500-01-01']
        when p_type in ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'real'::regtype, 'double precision'::regtype, 'numeric'::regtype)
          then array['-1000', '1', '30000']
      end) as v (value)
    ) asked
    group by asked.operator having count(distinct asked.estimate) > 1
    union all
    select format('width: %s', said.estimate) from (select audit.estimate(format('select %I from %s', p_column, p_relation)) as estimate) said
    where p_typmod = -1 and (select typlen from pg_type where oid = p_type) = -1 and said.estimate !~ ' of 32$'
  ) found;
end;
