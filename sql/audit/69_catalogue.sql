-- All facts. whose: ours, or the server's around us. accepted: the server's, unchanged since this database was first migrated.
create function audit.catalogue() returns table (kind text, object text, aspect text, fact text, whose text, accepted boolean)
  language sql stable set search_path = pg_catalog, pg_temp set jit = off
as $$
  with other_server as (
    select format('%s %s', c.system_identifier, c.catalog_version_no) as now from pg_control_system() c
    where not exists (select from meta.accepted a where a.kind = 'server' and a.fact = format('%s %s', c.system_identifier, c.catalog_version_no))
  )
  select f.kind, f.object, f.aspect, f.fact, f.whose, f.whose = 'server' and a.kind is not null
  from (
    select *, 'ours' from audit.catalogue_relations()
    union all select *, 'ours' from audit.catalogue_functions()
    union all select *, 'ours' from audit.catalogue_objects()
    union all select *, 'ours' from audit.catalogue_roles()
    -- PostgreSQL's own objects may be opened to a provider's roles; never to PUBLIC, or to our roles.
    union all select *, case when b.aspect ~ 'to (public|llm_[a-z]+)$' then 'ours' else 'server' end from audit.catalogue_builtins() b
    union all select *, 'server' from audit.catalogue_environment()
    union all
    select i.kind, case when i.aspect = 'attributes' then 'function ' || i.object::oid::regprocedure else i.object end, i.aspect, 'not what it was: ' || i.fact, 'ours' from audit.catalogue_internals() i
    left join meta.accepted a on a.kind = i.kind and a.object = i.object and a.aspect = i.aspect
    where i.fact is distinct from a.fact and not exists (select from other_server)
    union all
    -- An upgrade of PostgreSQL changes its own functions; a migration accepts them anew.
    select 'server', '', 'identity', o.now, 'ours' from other_server o
    union all
    -- Changed by an administrator before the first migration: no release of PostgreSQL is like this.
    select 'built-in', 'function ' || p.oid::regprocedure, 'leakproof', 'in no release', 'ours' from pg_proc p
    where p.oid < 16384 and p.proleakproof and current_setting('server_version_num')::integer < 190000 and not p.oid = any ((select audit.leakproof())::oid[])
  ) f (kind, object, aspect, fact, whose)
  left join meta.accepted a on a.kind = f.kind and a.object = f.object and a.aspect = f.aspect and a.fact = f.fact
$$;
