-- The wall: row-level security on every table of app, for its owner too, and one RESTRICTIVE policy around llm_tenant. What is
-- restrictive is ANDed: no permissive policy added later, however careless, opens it. A table is inside from its birth.
-- `(select …)` is evaluated once a statement (an InitPlan), not once a row, and lets the index on tenant_id be used.

do $$
declare
  place regclass;
  mine text;
begin
  for place in select oid from pg_class where relnamespace = 'app'::regnamespace and relkind in ('r', 'p') loop
    mine := format('%I = (select app.tenant_id())', case place when 'app.tenants'::regclass then 'id' else 'tenant_id' end);
    execute format('alter table %s enable row level security', place);
    execute format('alter table %s force row level security', place);
    execute format('create policy tenant_wall on %s as restrictive for all to llm_tenant using (%s) with check (%s)', place, mine, mine);
  end loop;
end $$;
