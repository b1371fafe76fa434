-- Functions, whole.
create function audit.catalogue_functions() returns table (kind text, object text, aspect text, fact text)
  language sql stable set search_path = pg_catalog, pg_temp set jit = off
as $$
  with ours as (
    select p.*, p.oid::regprocedure::text as place from pg_proc p
    where p.pronamespace = any ((select audit.our_schemas())::oid[])
      and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
  )
  select 'function', place, 'owner', audit.role_name(proowner) from ours
  union all
  select 'function', place, 'definition', case prokind when 'a' then (
      select regexp_replace(to_jsonb(a)::text, '"aggfnoid": "[^"]*", ', '') from pg_aggregate a where a.aggfnoid = ours.oid
    ) else pg_get_functiondef(oid) end
  from ours
  union all
  select g.* from ours, audit.grants_of('function', place, proacl, 'f', proowner, '') g
$$;
