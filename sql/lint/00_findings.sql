-- Every rule is a view of this schema with the columns object and detail, one row per offender, named for the fault. A row stops the
-- migration. All of them at psql: select * from lint.findings();

-- Whether a role is one of this installation's. Another installation in the same server may have a prefix that begins with ours (llm_two_):
-- a prefix that continues with one of these words is refused.
create function lint.is_ours(role name) returns boolean
  language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select role ~ '^llm_(owner|auth|work|tracking|operator|tenant|api|jobs|auditor|reader|backup|sessions)(_|$)'
$$;

create function lint.findings() returns table (rule text, object text, detail text)
  language plpgsql stable set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
  view_name name;
begin
  for view_name in
    select relname from pg_class where relnamespace = 'lint'::regnamespace and relkind = 'v' order by relname
  loop
    return query execute format('select %L::text, object::text, detail::text from lint.%I order by 2, 3', view_name, view_name);
  end loop;
end $$;
