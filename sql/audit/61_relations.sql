-- Tables, views, sequences: their properties, rights on them, and their policies.
create function audit.catalogue_relations() returns table (kind text, object text, aspect text, fact text)
  language sql stable set search_path = pg_catalog, pg_temp set jit = off
as $$
  with ours as (
    select c.*, c.oid::regclass::text as place,
      case c.relkind when 'r' then 'table' when 'p' then 'partitioned table' when 'v' then 'view' when 'm' then 'materialized view'
        when 'f' then 'foreign table' when 'S' then 'sequence' when 'c' then 'type' else 'relation' end as kind
    from pg_class c
    where c.relnamespace = any ((select audit.our_schemas())::oid[]) and c.relkind not in ('i', 'I', 't')
      and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
  ), verbs as (
    -- Of tables and of columns, one line per role.
    select o.kind, o.place, e.grantee, concat(lower(e.privilege_type), case when e.is_grantable then ' with grant option' end) as verb, '' as part
    from ours o, aclexplode(o.relacl) e where e.grantee <> o.relowner
    union all
    select o.kind, o.place, e.grantee, concat(lower(e.privilege_type), case when e.is_grantable then ' with grant option' end),
      format(' (%s)', string_agg(a.attname, ', ' order by a.attname collate "C"))
    from ours o join pg_attribute a on a.attrelid = o.oid, aclexplode(a.attacl) e where e.grantee <> o.relowner group by 1, 2, 3, 4
  )
  select kind, place, 'owner', audit.role_name(relowner) from ours
  union all
  select kind, place, 'row security', concat_ws(', ', case when relrowsecurity then 'enabled' end, case when relforcerowsecurity then 'forced' end)
  from ours where relrowsecurity or relforcerowsecurity
  union all
  select kind, place, 'storage', concat_ws(', ', nullif(relpersistence::text, 'p'), 'replica identity ' || nullif(nullif(relreplident::text, 'd'), 'n'),
    nullif((select amname from pg_am where oid = relam), 'heap'), array_to_string(reloptions, ', '), 'of type ' || nullif(reloftype, 0)::regtype::text,
    case when relispartition then 'partition' end)
  from ours
  union all
  select kind, place, 'definition', pg_get_viewdef(oid) from ours where relkind in ('v', 'm')
  union all
  select kind, place, 'inherits from ' || p.inhparent::regclass::text, '' from ours join pg_inherits p on p.inhrelid = oid
  union all
  select kind, place, 'inherited by ' || p.inhrelid::regclass::text, '' from ours join pg_inherits p on p.inhparent = oid
  union all
  select kind, place, 'grant to ' || audit.role_name(grantee), string_agg(verb || part, ', ' order by verb collate "C", part collate "C") from verbs group by kind, place, grantee
  union all
  select o.kind, o.place, g.aspect, g.fact from ours o,
    audit.grants_of('', '', o.relacl, case o.relkind when 'S' then 's'::"char" else 'r'::"char" end, o.relowner, '') g
  where g.aspect = 'taken from its owner' and g.fact <> 'maintain'
  union all
  select kind, place, 'column ' || a.attname, concat_ws(' ', format_type(a.atttypid, a.atttypmod), case when a.attnotnull then 'not null' end,
    'collate ' || case when a.attcollation <> t.typcollation then a.attcollation::regcollation::text end,
    case a.attgenerated when '' then 'default ' else format('generated (%s) ', a.attgenerated) end || pg_get_expr(d.adbin, d.adrelid),
    'identity ' || nullif(a.attidentity::text, ''), 'statistics ' || case when ours.relkind in ('r', 'p', 'f') then coalesce(nullif(a.attstattarget, -1), 100) end,
    array_to_string(a.attoptions, ', '), array_to_string(a.attfdwoptions, ', '))
  from ours
  join pg_attribute a on a.attrelid = ours.oid and a.attnum > 0 and not a.attisdropped
  join pg_type t on t.oid = a.atttypid
  left join pg_attrdef d on d.adrelid = ours.oid and d.adnum = a.attnum
  where relkind not in ('S', 'v', 'm')
  union all
  -- From 18 on NOT NULL is a constraint too; the column says so already.
  select kind, place, 'constraint ' || k.conname, concat_ws(' ', pg_get_constraintdef(k.oid), case when not k.convalidated and k.contype = 'n' then 'not valid' end)
  from ours join pg_constraint k on k.conrelid = ours.oid where k.contype <> 'n' or not k.convalidated
  union all
  select kind, place, 'policy ' || p.polname, format('%s for %s to %s using (%s) with check (%s)', case when p.polpermissive then 'permissive' else 'restrictive' end,
    case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
    (select string_agg(audit.role_name(role), ', ' order by audit.role_name(role) collate "C") from unnest(p.polroles) role),
    coalesce(pg_get_expr(p.polqual, p.polrelid), 'none'), coalesce(pg_get_expr(p.polwithcheck, p.polrelid), 'none'))
  from ours join pg_policy p on p.polrelid = ours.oid
  union all
  select kind, place, 'trigger ' || t.tgname, concat_ws(' ', pg_get_triggerdef(t.oid), 'fires ' || nullif(t.tgenabled::text, 'O'))
  from ours join pg_trigger t on t.tgrelid = ours.oid and not t.tgisinternal
  union all
  select kind, place, 'trigger of constraint ' || coalesce((select conname from pg_constraint where oid = t.tgconstraint), t.tgname), 'fires ' || t.tgenabled::text
  from ours join pg_trigger t on t.tgrelid = ours.oid and t.tgisinternal and t.tgenabled <> 'O' group by 1, 2, 3, 4
  union all
  select kind, place, 'rule ' || r.rulename, concat_ws(' ', pg_get_ruledef(r.oid), 'fires ' || nullif(r.ev_enabled::text, 'O'))
  from ours join pg_rewrite r on r.ev_class = ours.oid where r.rulename <> '_RETURN' or r.ev_enabled <> 'O'
  union all
  select 'index', i.indexrelid::regclass::text, 'definition', concat_ws(' ', pg_get_indexdef(i.indexrelid), case when not i.indisvalid then 'invalid' end,
    case when not i.indisready then 'not ready' end, case when i.indisclustered then 'clustered' end, case when i.indisreplident then 'replica identity' end,
    (select string_agg(format('statistics of %s: %s', a.attnum, coalesce(nullif(a.attstattarget, -1), 100)), ', ' order by a.attnum) from pg_attribute a
      where a.attrelid = i.indexrelid and i.indkey[a.attnum - 1] = 0))
  from ours join pg_index i on i.indrelid = ours.oid
  union all
  select 'sequence', place, 'definition', format('%s from %s by %s, %s to %s%s', s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, case when s.seqcycle then ', cycles' end)
  from ours join pg_sequence s on s.seqrelid = ours.oid
  union all
  select 'statistics', format('%I.%I', s.stxnamespace::regnamespace, s.stxname), 'definition', pg_get_statisticsobjdef(s.oid)
  from ours join pg_statistic_ext s on s.stxrelid = ours.oid
$$;
