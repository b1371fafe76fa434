-- Attributes of PostgreSQL's own functions and operators. Compared with those at this database's first migration: a function that was made
-- immutable is called once for every tenant. Attributes: language | owner | definer | leakproof | strict | volatility | parallel | settings
-- | support | body. The object is its number: writing 3,400 names costs more than all the rest.
create function audit.catalogue_internals() returns table (kind text, object text, aspect text, fact text)
  language sql stable set search_path = pg_catalog, pg_temp set jit = off
as $$
  select 'built-in', p.oid::text, 'attributes', concat_ws('|', p.prolang::text, p.proowner::text, p.prosecdef, p.proleakproof, p.proisstrict, p.provolatile,
    p.proparallel, coalesce(p.proconfig::text, ''), p.prosupport, coalesce(p.prosqlbody::text, p.prosrc), p.probin)
  from pg_proc p where p.oid < 16384
  union all
  select 'built-in', 'all', catalogue, encode(sha256(convert_to(facts, 'UTF8')), 'hex') from (
    select 'operators' as catalogue, string_agg(concat_ws(' ', oid, oprname, oprnamespace, oprleft, oprright, oprcode::oid, oprrest::oid, oprjoin::oid, oprcom, oprnegate), ';' order by oid) as facts
      from pg_operator where oid < 16384
    union all select 'operator classes', string_agg(o::text, ';' order by oid) from pg_opclass o where oid < 16384
    union all select 'operators of classes', string_agg(o::text, ';' order by oid) from pg_amop o where oid < 16384
    union all select 'functions of classes', string_agg(o::text, ';' order by oid) from pg_amproc o where oid < 16384
    union all select 'casts', string_agg(o::text, ';' order by oid) from pg_cast o where oid < 16384
    union all select 'aggregates', string_agg(o::text, ';' order by aggfnoid) from pg_aggregate o where aggfnoid < 16384
    union all select 'types', string_agg(concat_ws(' ', oid, typname, typowner, typtype, typinput::oid, typoutput::oid, typreceive::oid, typsend::oid), ';' order by oid) from pg_type
      where oid < 16384
    union all select 'views', string_agg(concat_ws(' ', ev_class::oid, ev_enabled, is_instead, hashtextextended(ev_action::text, 0)), ';' order by oid) from pg_rewrite where oid < 16384
    union all select 'relations', string_agg(concat_ws(' ', oid, relname, relowner, relkind, relrowsecurity, relhastriggers, reloptions), ';' order by oid) from pg_class
      where oid < 16384 and relkind <> 't'
  ) digests
$$;
