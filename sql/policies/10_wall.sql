-- The wall: row-level security on every table of app, for its owner too, and one RESTRICTIVE policy around llm_tenant. Restrictive policies
-- are ANDed: no permissive policy added later can open it. A table is inside from its creation. A second one around llm_reader, a tenant's
-- own auditors at psql: it depends on the login, and on no setting. `(select …)` is evaluated once per statement (an InitPlan), not once
-- per row, and lets the index on tenant_id be used.

do $$
declare
  place regclass;
  tenant name;
  mine text;
begin
  for place in select oid from pg_class where relnamespace = 'app'::regnamespace and relkind in ('r', 'p') loop
    tenant := case place when 'app.tenants'::regclass then 'id' else 'tenant_id' end;
    mine := format('%I = (select app.tenant_id())', tenant);
    execute format('alter table %s enable row level security', place);
    execute format('alter table %s force row level security', place);
    -- Without a policy it is closed to every role. The lint names it, and stops the migration.
    continue when not exists (select from pg_attribute where attrelid = place and attname = tenant and not attisdropped);
    execute format('create policy tenant_wall on %s as restrictive for all to llm_tenant using (%s) with check (%s)', place, mine, mine);
    mine := format('%I = (select app.reader_tenant())', tenant);
    execute format('create policy reader_wall on %s as restrictive for all to llm_reader using (%s) with check (%s)', place, mine, mine);
  end loop;
end $$;
