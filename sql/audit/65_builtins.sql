-- PostgreSQL's own objects: rights that were added since initialisation, and rights that a superuser's migration revoked.
create function audit.catalogue_builtins() returns table (kind text, object text, aspect text, fact text)
  language sql stable set search_path = pg_catalog, pg_temp set jit = off
as $$
  with now as (
    -- pg_logical_emit_message has one more parameter from PostgreSQL 17 on: named as before, so that every version has the same facts.
    select 'pg_proc'::regclass as class, p.oid, 0 as part, p.proacl as acl, 'f'::"char" as kind, p.proowner as owner,
      'function ' || regexp_replace(p.oid::regprocedure::text, '^(pg_logical_emit_message\(boolean,text,[a-z]+),boolean\)$', '\1)') as name
    from pg_proc p where p.oid < 16384
    union all
    select 'pg_class', c.oid, 0, c.relacl, 'r', c.relowner, 'relation ' || c.oid::regclass from pg_class c where c.oid < 16384 and c.relkind not in ('i', 't')
    union all
    select 'pg_class', c.oid, a.attnum, a.attacl, 'c', c.relowner, format('column %s.%I', c.oid::regclass, a.attname)
    from pg_class c join pg_attribute a on a.attrelid = c.oid where c.oid < 16384 and a.attacl is not null
    union all
    select 'pg_type', t.oid, 0, t.typacl, 'T', t.typowner, 'type ' || t.oid::regtype from pg_type t where t.oid < 16384 and t.typacl is not null
    union all
    select 'pg_language', l.oid, 0, l.lanacl, 'l', l.lanowner, 'language ' || l.lanname from pg_language l where l.oid < 16384
    union all
    select 'pg_namespace', n.oid, 0, n.nspacl, 'n', n.nspowner, 'schema ' || n.nspname from pg_namespace n where n.oid < 16384 and n.nspname <> 'public'
  ), known as (
    select now.*, i.initprivs from now left join pg_init_privs i on i.classoid = now.class and i.objoid = now.oid and i.objsubid = now.part and i.privtype = 'i'
    where now.acl is distinct from i.initprivs
  ), differing as (
    select k.name, e.grantee, lower(e.privilege_type) as verb, 'open' as how from known k, aclexplode(coalesce(k.acl, acldefault(k.kind, k.owner))) e
    where e.grantee <> k.owner and not exists (
      select from aclexplode(coalesce(k.initprivs, acldefault(k.kind, k.owner))) w where w.grantee = e.grantee and w.privilege_type = e.privilege_type)
    union all
    select k.name, w.grantee, lower(w.privilege_type), 'closed' from known k, aclexplode(coalesce(k.initprivs, acldefault(k.kind, k.owner))) w
    where w.grantee <> k.owner and w.grantee in (select oid from pg_roles union all select 0) and not exists (
      select from aclexplode(coalesce(k.acl, acldefault(k.kind, k.owner))) e where e.grantee = w.grantee and e.privilege_type = w.privilege_type)
  )
  select 'built-in', name, format('%s to %s', how, audit.role_name(grantee)), string_agg(distinct verb, ', ' order by verb)
  from differing where grantee <> (select oid from pg_roles where rolname = 'pg_read_all_data') group by 2, 3
  union all
  -- DDL fires them, of any role.
  select 'event trigger', e.evtname, 'definition', concat_ws(' ', 'on', e.evtevent, 'when ' || array_to_string(e.evttags, ', '), 'execute', e.evtfoid::regprocedure,
    'owner ' || audit.role_name(e.evtowner), 'fires ' || nullif(e.evtenabled::text, 'O'))
  from pg_event_trigger e where starts_with(e.evtname, 'llm_')
$$;
