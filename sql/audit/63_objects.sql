-- All other objects in our schemas, of any kind PostgreSQL has; objects elsewhere that depend on them; and code that runs with others'
-- rights.
create function audit.catalogue_objects() returns table (kind text, object text, aspect text, fact text)
  language sql stable set search_path = pg_catalog, pg_temp set jit = off
as $$
  select 'schema', n.nspname, 'owner', audit.role_name(n.nspowner) from pg_namespace n where n.oid = any ((select audit.our_schemas())::oid[])
  union all
  select g.* from pg_namespace n, audit.grants_of('schema', n.nspname, n.nspacl, 'n', n.nspowner, '') g where n.oid = any ((select audit.our_schemas())::oid[])
  union all
  -- A schema of another owner, opened to our roles.
  select 'schema', n.nspname, g.aspect, g.fact from pg_namespace n, audit.grants_of('schema', n.nspname, n.nspacl, 'n', n.nspowner, '') g
  where not n.oid = any ((select audit.our_schemas())::oid[]) and n.nspname !~ '^(pg_|information_schema)' and g.aspect ~ '^grant to (llm_|public)'
  union all
  select i.type, i.identity, 'is', 'there'
  from pg_depend d, pg_identify_object(d.classid, d.objid, 0) i
  where d.refclassid = 'pg_namespace'::regclass and d.refobjid = any ((select audit.our_schemas())::oid[]) and d.deptype = 'n'
    and d.classid not in ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_constraint'::regclass, 'pg_statistic_ext'::regclass, 'pg_default_acl'::regclass)
    and not exists (select from pg_depend e where e.classid = d.classid and e.objid = d.objid and e.deptype = 'e')
    and not exists (select from pg_depend t where t.classid = d.classid and t.objid = d.objid and t.deptype = 'i')
  union all
  select 'type', t.oid::regtype::text, 'definition', concat_ws(' ', t.typtype, nullif(t.typbasetype, 0)::regtype::text, t.typdefault,
    (select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid),
    (select string_agg(pg_get_constraintdef(k.oid), ', ' order by k.conname) from pg_constraint k where k.contypid = t.oid),
    'owner ' || audit.role_name(t.typowner), 'open to ' || array_to_string(t.typacl, ', '))
  from pg_type t where t.typnamespace = any ((select audit.our_schemas())::oid[]) and t.typelem = 0 and (t.typrelid = 0 or t.typacl is not null)
    and not exists (select from pg_depend d where d.classid = 'pg_type'::regclass and d.objid = t.oid and d.deptype = 'e')
  union all
  -- A view, a key or a function elsewhere that depends on an object of ours.
  select distinct 'outside', i.identity, format('%s on %s', i.type, o.identity), 'is there'
  from pg_depend d
  cross join pg_identify_object(d.classid, d.objid, 0) i
  cross join pg_identify_object(d.refclassid, d.refobjid, 0) o
  where d.deptype in ('n', 'a') and d.classid <> 'pg_event_trigger'::regclass and d.objid >= 16384 and d.refobjid >= 16384
    and (d.refclassid = 'pg_class'::regclass and (select relnamespace from pg_class where oid = d.refobjid) = any ((select audit.our_schemas())::oid[])
      or d.refclassid = 'pg_proc'::regclass and (select pronamespace from pg_proc where oid = d.refobjid) = any ((select audit.our_schemas())::oid[])
      or d.refclassid = 'pg_type'::regclass and (select typnamespace from pg_type where oid = d.refobjid) = any ((select audit.our_schemas())::oid[]))
    and not coalesce(
      case d.classid
        when 'pg_class'::regclass then (select relnamespace from pg_class where oid = d.objid)
        when 'pg_proc'::regclass then (select pronamespace from pg_proc where oid = d.objid)
        when 'pg_type'::regclass then (select typnamespace from pg_type where oid = d.objid)
        when 'pg_constraint'::regclass then (select connamespace from pg_constraint where oid = d.objid)
        when 'pg_rewrite'::regclass then (select c.relnamespace from pg_rewrite r join pg_class c on c.oid = r.ev_class where r.oid = d.objid)
        when 'pg_trigger'::regclass then (select c.relnamespace from pg_trigger t join pg_class c on c.oid = t.tgrelid where t.oid = d.objid)
        when 'pg_policy'::regclass then (select c.relnamespace from pg_policy p join pg_class c on c.oid = p.polrelid where p.oid = d.objid)
        when 'pg_attrdef'::regclass then (select c.relnamespace from pg_attrdef a join pg_class c on c.oid = a.adrelid where a.oid = d.objid)
        when 'pg_statistic_ext'::regclass then (select stxnamespace from pg_statistic_ext where oid = d.objid)
      end, 0) = any ((select audit.our_schemas())::oid[])
    and not exists (select from pg_class t where d.classid = 'pg_class'::regclass and t.oid = d.objid and t.relkind = 't')
  union all
  -- Functions our roles may call that run before the policies, or with their owner's rights: elsewhere, only those of an extension may.
  select 'function', p.oid::regprocedure::text, 'outside', concat_ws(', ', case when p.proleakproof then 'leakproof' end, case when p.prosecdef then 'security definer' end,
    'owner ' || audit.role_name(p.proowner), pg_get_functiondef(p.oid))
  from pg_proc p
  where p.oid >= 16384 and not p.pronamespace = any ((select audit.our_schemas())::oid[]) and p.prokind <> 'a' and p.pronamespace <> 'information_schema'::regnamespace
    and (p.proleakproof or p.prosecdef or p.pronamespace = 'pg_catalog'::regnamespace)
    and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
  union all
  -- Objects of other owners that were opened to our roles or to PUBLIC.
  select 'relation', c.oid::regclass::text, g.aspect, g.fact
  from pg_class c
  cross join lateral (
    select x.* from audit.grants_of('', '', c.relacl, 'r', c.relowner, '') x where c.relacl is not null
    union all
    select x.* from pg_attribute a, audit.grants_of('', '', a.attacl, 'c', c.relowner, format(' (%s)', a.attname)) x where a.attrelid = c.oid and a.attacl is not null
  ) g
  where c.oid >= 16384 and not c.relnamespace = any ((select audit.our_schemas())::oid[]) and g.aspect ~ '^grant to (llm_|public)'
    and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
  union all
  -- Our objects outside our schemas.
  select i.type, i.identity, 'owner', audit.role_name(d.refobjid)
  from pg_shdepend d cross join pg_identify_object(d.classid, d.objid, d.objsubid) i
  where d.dbid = (select oid from pg_database where datname = current_database()) and d.deptype = 'o' and d.refclassid = 'pg_authid'::regclass
    and d.refobjid in (select oid from pg_roles where audit.role_is_ours(rolname))
    and not (d.classid = 'pg_namespace'::regclass and d.objid = any ((select audit.our_schemas())::oid[]))
    and not (d.classid = 'pg_class'::regclass and (select relnamespace from pg_class where oid = d.objid) = any ((select audit.our_schemas())::oid[]))
    and not (d.classid = 'pg_proc'::regclass and (select pronamespace from pg_proc where oid = d.objid) = any ((select audit.our_schemas())::oid[]))
    and not (d.classid = 'pg_type'::regclass and (select typnamespace from pg_type where oid = d.objid) = any ((select audit.our_schemas())::oid[]))
    and not (d.classid = 'pg_default_acl'::regclass)
  union all
  select 'large object', lomowner::regrole::text, 'grants', count(*)::text from pg_largeobject_metadata m
  where lomowner in (select oid from pg_roles where audit.role_is_ours(rolname))
    or exists (select from aclexplode(m.lomacl) where grantee = 0 or grantee in (select oid from pg_roles where audit.role_is_ours(rolname)))
  group by 2
  union all
  select 'default privileges', concat_ws(' ', audit.role_name(d.defaclrole), 'in ' || nullif(d.defaclnamespace, 0)::regnamespace, 'for', d.defaclobjtype),
    'grant to ' || coalesce(audit.role_name(a.grantee), 'nobody else'), coalesce(string_agg(lower(a.privilege_type), ', ' order by a.privilege_type), '')
  from pg_default_acl d
  left join lateral (select * from aclexplode(d.defaclacl) where grantee <> d.defaclrole) a on true
  where d.defaclnamespace = 0 or d.defaclnamespace = any ((select audit.our_schemas())::oid[])
  group by 2, audit.role_name(a.grantee)
  union all
  select 'security label', coalesce((select identity from pg_identify_object(l.classoid, l.objoid, l.objsubid)), ''), l.provider, l.label from pg_seclabel l
  union all
  select 'parameter', p.parname, g.aspect, g.fact from pg_parameter_acl p, audit.grants_of('', '', p.paracl, 'p', 10, '') g
  where g.aspect ~ '^grant to (llm_|public)'
$$;
