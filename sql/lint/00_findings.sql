-- Every rule is a view of this schema with the columns object and detail, one row an offender, named for what is wrong.
-- A row stops the migration. All of them at psql: select * from lint.findings();

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
