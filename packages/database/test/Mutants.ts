import { Effect } from "effect"
import type { Session } from "./Session.ts"

/** One way to break the schema, made from the catalogue. */
export interface Mutant {
  readonly dimension: string
  readonly sql: string
}

/** A dimension of the catalogue: how many mutants to take of it, and the query that makes all possible ones, one statement per row. */
interface Dimension {
  readonly name: string
  readonly take: number
  readonly query: string
}

// Everything is read from the catalogue: tables, functions, policies and roles added later are broken too. Nothing here knows the rules
// that must notice.
const OURS = `(select oid, rolname from pg_roles where rolname ~ '^llm_[a-z]+(_content)?$')`
const GRANTEES = `(select rolname::text as role from ${OURS} r where rolname <> 'llm_owner' union all values ('public'), ('pg_monitor'))`
const PLACES = `(select oid, oid::regclass::text as place, relname, relkind, relacl, relowner from pg_class where relnamespace in ('app'::regnamespace, 'operator'::regnamespace, 'meta'::regnamespace) and relkind = 'r')`
const SCHEMAS = `(values ('app'), ('auth'), ('work'), ('tracking'), ('operator'), ('audit'), ('lint'), ('meta')) as s (schema)`
const ROUTINES = `(select p.*, p.oid::regprocedure::text as place from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname in ('app', 'auth', 'work', 'tracking', 'operator', 'audit', 'lint', 'meta') and p.prokind = 'f')`
const POLICIES = `(select p.*, p.polrelid::regclass::text as place, quote_ident(p.polname) as name from pg_policy p)`
const VIEWS = `(select oid, oid::regclass::text as place from pg_class where relkind = 'v' and relnamespace in ('audit'::regnamespace, 'lint'::regnamespace))`
const COLUMNS = `(select p.place, p.relname, a.*, quote_ident(a.attname) as name from ${PLACES} p join pg_attribute a on a.attrelid = p.oid and a.attnum > 0 and not a.attisdropped)`

/** The definition of a function with one replacement in it. */
const rewritten = (from: string, to: string) =>
  `select regexp_replace(pg_get_functiondef(oid), '(AS \\$.*?|ATOMIC.*?|RETURN.*?)${from}', '\\1${to}') as sql from ${ROUTINES} p
   where pg_get_functiondef(oid) <> regexp_replace(pg_get_functiondef(oid), '(AS \\$.*?|ATOMIC.*?|RETURN.*?)${from}', '\\1${to}')`

const DIMENSIONS: ReadonlyArray<Dimension> = [
  {
    name: "grants on tables",
    take: 8,
    query: `select format('grant %s on %s to %s', verb, place, role) as sql from ${PLACES} p, ${GRANTEES} g,
        unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) verb
      where not exists (select from aclexplode(p.relacl) a where a.grantee = coalesce(to_regrole(g.role)::oid, 0) and lower(a.privilege_type) = verb)`
  },
  {
    name: "grants on columns",
    take: 4,
    query: `select format('grant %s (%s) on %s to %s', verb, c.name, c.place, role) as sql from ${COLUMNS} c, ${GRANTEES} g, unnest(array['select', 'update', 'insert']) verb
      where not has_column_privilege(case role when 'public' then 'pg_monitor' else role end, c.attrelid, c.attnum, verb)`
  },
  {
    name: "grants taken away, or to be given on",
    take: 3,
    query: `select unnest(array[format('revoke %s on %s from %s', verb, place, role), format('grant %s on %s to %s with grant option', verb, place, role)]) as sql
      from (select p.place, lower(a.privilege_type) as verb, a.grantee::regrole::text as role from ${PLACES} p, aclexplode(p.relacl) a where a.grantee <> p.relowner) g`
  },
  {
    name: "grants on functions",
    take: 5,
    query: `select format('grant execute on function %s to %s', place, role) as sql from ${ROUTINES} p, ${GRANTEES} g
      where not exists (select from aclexplode(p.proacl) a where a.grantee = coalesce(to_regrole(g.role)::oid, 0))
      union all select format('revoke execute on function %s from %s', place, a.grantee::regrole) from ${ROUTINES} p, aclexplode(p.proacl) a where a.grantee <> p.proowner`
  },
  {
    name: "grants on schemas and the database",
    take: 4,
    query: `select format('grant %s on schema %I to %s', verb, schema, role) as sql from ${SCHEMAS}, ${GRANTEES} g, unnest(array['usage', 'create']) verb
      where not has_schema_privilege(case role when 'public' then 'pg_monitor' else role end, schema, verb)
      union all select format('grant %s on database %I to %s', verb, current_database(), role) from ${GRANTEES} g, unnest(array['connect', 'create', 'temporary']) verb
        where not (role in ('llm_api', 'llm_jobs') and verb = 'connect')`
  },
  {
    name: "default privileges",
    take: 3,
    query: `select format('alter default privileges for role %I %s grant %s to %s', r.rolname, coalesce('in schema ' || schema, ''), given, role) as sql
      from ${OURS} r, (select schema from ${SCHEMAS} union all select null) s, ${GRANTEES} g, unnest(array['select on tables', 'execute on functions', 'usage on sequences']) given
      where role <> r.rolname`
  },
  {
    name: "policies dropped or changed",
    take: 8,
    query: `select unnest(array[
        format('drop policy %s on %s', name, place),
        format('alter policy %s on %s to %s', name, place, case when 'llm_jobs'::regrole = any (polroles) then 'llm_api' else 'llm_jobs' end),
        format('alter policy %s on %s to public', name, place),
        case when polqual is not null and pg_get_expr(polqual, polrelid) <> 'true' then format('alter policy %s on %s using (true)', name, place) end,
        case when polwithcheck is not null and pg_get_expr(polwithcheck, polrelid) <> 'true' then format('alter policy %s on %s with check (true)', name, place) end,
        format('drop policy %1$s on %2$s; create policy %1$s on %2$s as %3$s to %4$s using (%5$s)', name, place,
          case when polpermissive then 'restrictive' else 'permissive' end, polroles[1]::regrole, coalesce(pg_get_expr(polqual, polrelid), 'true')),
        format('alter policy %s on %s rename to renamed', name, place)
      ]) as sql from ${POLICIES} p`
  },
  {
    name: "policies added",
    take: 2,
    query: `select format('create policy added on %s as %s for %s to %s using (true)', place, kind, verb, role) as sql
      from ${PLACES} p, ${GRANTEES} g, unnest(array['permissive', 'restrictive']) kind, unnest(array['all', 'select', 'delete']) verb`
  },
  {
    name: "attributes of functions",
    take: 8,
    query: `select unnest(array[
        case when not proleakproof then format('alter function %s leakproof', place) end,
        format('alter function %s security %s', place, case when prosecdef then 'invoker' else 'definer' end),
        format('alter function %s owner to postgres', place), format('alter function %s owner to llm_api', place),
        format('alter function %s %s', place, case provolatile when 'v' then 'stable' when 's' then 'immutable' else 'volatile' end),
        format('alter function %s %s', place, case when proisstrict then 'called on null input' else 'strict' end),
        format('alter function %s parallel %s', place, case proparallel when 's' then 'unsafe' else 'safe' end),
        case when proconfig is not null then format('alter function %s reset all', place) end,
        format('alter function %s set search_path = public, pg_catalog', place), format('alter function %s set row_security = off', place),
        format('alter function %s rename to renamed', place)
      ]) as sql from ${ROUTINES} p`
  },
  { name: "bodies of functions: a condition", take: 3, query: rewritten(" and ", " or ") },
  { name: "bodies of functions: a comparison", take: 3, query: rewritten(" = ", " <> ") },
  { name: "bodies of functions: a status", take: 2, query: rewritten("''active''", "''disabled''") },
  {
    name: "bodies of functions: enter without a check",
    take: 3,
    query: `select replace(pg_get_functiondef('app.enter'::regproc), gone, '') as sql
      from unnest(array[' and e.status = ''active''', E'\\n  where t.status = ''active''', 'e.tenant_id = p_tenant and ']) gone`
  },
  {
    name: "functions gone",
    take: 2,
    query: `select format('drop function %s cascade', place) as sql from ${ROUTINES} p where proname not in ('enter')`
  },
  {
    name: "views",
    take: 4,
    query: `select unnest(array[
        format('create or replace view %s as select * from (%s) changed limit 0', place, rtrim(pg_get_viewdef(oid), ';')),
        format('alter view %s set (security_barrier = true)', place), format('alter view %s owner to llm_tenant', place),
        format('alter view %s rename to renamed', place), format('drop view %s cascade', place),
        case when place like 'audit.%' then format('alter view %s reset (security_invoker)', place) end
      ]) as sql from ${VIEWS} v`
  },
  {
    name: "tables",
    take: 8,
    query: `select unnest(array[
        format('alter table %s no force row level security', place), format('alter table %s disable row level security', place),
        format('alter table %s owner to llm_tenant', place), format('alter table %s owner to postgres', place),
        format('alter table %s replica identity full', place), format('alter table %s set (autovacuum_enabled = false)', place),
        format('alter table %s add column added text', place), format('alter table %s disable trigger all', place),
        format('create table public.child () inherits (%s)', place), format('alter table %s rename to renamed', place),
        format('create rule added as on delete to %s do instead nothing', place),
        format('create trigger added before insert on %s for each row execute function app.append_only()', place),
        format('create statistics app.added on %s from %s', (select string_agg(quote_ident(attname), ', ') from (
          select attname from pg_attribute where attrelid = p.oid and attnum > 0 and not attisdropped order by attnum limit 2) two), place)
      ]) as sql from ${PLACES} p where (select relrowsecurity from pg_class where oid = p.oid)`
  },
  {
    name: "columns",
    take: 7,
    query: `select unnest(array[
        case when attnotnull and not attrelid in (select indrelid from pg_index where indisprimary and attnum = any (indkey)) then format('alter table %s alter column %s drop not null', place, name) end,
        case when not attnotnull then format('alter table %s alter column %s set not null', place, name) end,
        case when atthasdef then format('alter table %s alter column %s drop default', place, name) end,
        case when atttypid = 'text'::regtype then format('alter table %s alter column %s set default ''x''', place, name) end,
        case when atttypid = 'uuid'::regtype then format('alter table %s alter column %s set default gen_random_uuid()', place, name) end,
        format('alter table %s alter column %s set statistics 100', place, name), format('alter table %s alter column %s set (n_distinct = 5)', place, name),
        format('alter table %s rename column %s to renamed', place, name)
      ]) as sql from ${COLUMNS} c where relname not in ('accepted')`
  },
  {
    name: "constraints, indexes and triggers",
    take: 6,
    query: `select format('alter table %s drop constraint %I cascade', place, conname) as sql from ${PLACES} p join pg_constraint k on k.conrelid = p.oid where contype <> 'n'
      union all select format('alter table %s rename constraint %I to renamed', place, conname) from ${PLACES} p join pg_constraint k on k.conrelid = p.oid where contype in ('c', 'f')
      union all select format('alter table %s add constraint added check (true) not valid', place) from ${PLACES} p
      union all select format('drop index %s', indexrelid::regclass) from ${PLACES} p join pg_index i on i.indrelid = p.oid where not exists (select from pg_constraint where conindid = i.indexrelid)
      union all select format('create %s index added on %s (%s)', kind, c.place, c.name) from ${COLUMNS} c, unnest(array['unique', '']) kind where atttypid in ('text'::regtype, 'uuid'::regtype)
      union all select unnest(array[format('drop trigger %I on %s', tgname, place), format('alter table %s disable trigger %I', place, tgname), format('alter table %s enable always trigger %I', place, tgname)])
        from ${PLACES} p join pg_trigger t on t.tgrelid = p.oid where not tgisinternal`
  },
  {
    name: "attributes of roles",
    take: 8,
    query: `select format('alter role %I %s', rolname, attribute) as sql from ${OURS} o join pg_roles r using (oid, rolname), unnest(array['superuser', 'bypassrls', 'createrole', 'createdb',
        'replication', case when rolinherit then 'noinherit' else 'inherit' end, 'connection limit 7', 'valid until ''2100-01-01''', case when rolcanlogin then 'nologin' else 'login' end]) attribute`
  },
  {
    name: "settings of roles",
    take: 5,
    query: `select format('alter role %I %s set %s', rolname, place, setting) as sql from ${OURS} r,
        (select '' as place union all select format('in database %I', current_database())) p,
        unnest(array['row_security = off', 'app.tenant_id = ''x''', 'search_path = public', 'statement_timeout = 0', 'session_replication_role = replica', 'role = llm_tenant']) setting
      union all select format('alter role %I reset %s', rolname, split_part(setting, '=', 1)) from pg_roles r, unnest(rolconfig) setting where rolname ~ '^llm_[a-z]+$'
      union all select format('alter database %I set %s', current_database(), setting) from unnest(array['row_security = off', 'app.tenant_id = ''x''', 'search_path = public']) setting`
  },
  {
    name: "memberships",
    take: 6,
    query: `select format('grant %I to %I', b.rolname, a.rolname) as sql from ${OURS} a, ${OURS} b where a.oid <> b.oid and not pg_has_role(a.oid, b.oid, 'member') and not pg_has_role(b.oid, a.oid, 'member')
      union all select format('grant %I to %I', p.rolname, a.rolname) from ${OURS} a, pg_roles p where p.rolname in ('pg_read_all_data', 'pg_monitor', 'pg_execute_server_program', 'postgres', 'pg_signal_backend')
      union all select format('create role stranger %s; grant %I to stranger', attribute, a.rolname) from ${OURS} a, unnest(array['', 'login', 'login noinherit', 'createrole']) attribute
      union all select 'revoke llm_tenant from llm_api'
      union all select 'grant llm_tenant to llm_api with admin option'`
  },
  {
    name: "strangers",
    take: 5,
    query: `select unnest(array['create role stranger login superuser', 'create role stranger login bypassrls', 'create role stranger login replication', 'create role stranger login; grant pg_execute_server_program to stranger',
        'create role stranger login; grant pg_read_server_files to stranger', 'create role llm_auditor_stranger login in role llm_auditor',
        'create role llm_stranger login', format('create role stranger login; grant connect on database %I to stranger', current_database()),
        format('create role llm_reader_0123456789ab login inherit valid until ''2100-01-01'' connection limit 3 in role llm_reader; grant connect on database %I to llm_reader_0123456789ab', current_database()),
        'create role stranger; grant select on app.users to stranger', 'create schema stranger; grant usage on schema stranger to llm_tenant']) as sql`
  },
  {
    name: "things added to our schemas",
    take: 9,
    query: `select replace(made, '$', schema) as sql from ${SCHEMAS}, unnest(array['create table $.added (id int)', 'create unlogged table $.added (id int)', 'create view $.added as select 1 as one',
        'create materialized view $.added as select 1 as one', 'create sequence $.added', 'create function $.added() returns int language sql as ''select 1''',
        'create procedure $.added() language sql as ''select 1''', 'create aggregate $.added (int) (sfunc = int4pl, stype = int)', 'create type $.added as enum (''a'')',
        'create type $.added as (a int)', 'create domain $.added as text', 'create operator $.=== (leftarg = uuid, rightarg = uuid, function = uuid_eq)', 'create collation $.added from "C"',
        'create conversion $.added for ''LATIN1'' to ''UTF8'' from iso8859_1_to_utf8', 'create text search configuration $.added (copy = english)', 'create text search dictionary $.added (template = simple)',
        'create operator family $.added using btree', 'create table $.added (id int) partition by range (id)', 'create type $.added as range (subtype = int)']) made`
  },
  {
    name: "things added elsewhere",
    take: 8,
    query: `select unnest(array['create view public.added as select * from app.users', 'create schema stranger; create view stranger.added as select content from app.messages',
        'create schema stranger; create table stranger.copy as table app.users; grant select on stranger.copy to llm_tenant',
        'create schema stranger; create function stranger.spy(text) returns bool language sql leakproof as ''select true''',
        'create schema stranger; create function stranger.all() returns setof app.users language sql security definer as ''select * from app.users''',
        'create publication added for all tables', 'create publication added for table app.users', 'create foreign data wrapper added; create server added foreign data wrapper added; create foreign table app.added (id int) server added',
        'create foreign data wrapper added; create server added foreign data wrapper added; create user mapping for llm_api server added',
        'create cast (uuid as integer) with inout', 'create event trigger added on ddl_command_end execute function meta.no_ddl()',
        'select lo_create(4242); alter large object 4242 owner to llm_api', 'create function pg_catalog.added() returns int language sql as ''select 1''',
        'create schema stranger authorization llm_api', 'grant set on parameter session_replication_role to llm_api', 'create access method added type table handler heap_tableam_handler',
        'create trusted language added handler plpgsql_call_handler', 'alter schema app owner to llm_api']) as sql`
  },
  {
    name: "what a superuser revoked from PUBLIC",
    take: 5,
    query: `select format('grant execute on function %s to public', p.oid::regprocedure) as sql from pg_proc p where pronamespace = 'pg_catalog'::regnamespace and proname ~ '^(lo_|pg_(try_)?advisory|pg_(cancel|terminate)_backend|pg_lock_status|pg_stat_get_activity|pg_logical_emit_message|pg_notify|pg_export_snapshot)'
      union all select unnest(array['grant select on pg_stat_activity to public', 'grant select on pg_locks to llm_tenant', 'grant usage on language plpgsql to public', 'grant usage on language plpgsql to llm_api',
        'alter event trigger llm_no_ddl disable', 'drop event trigger llm_no_ddl', 'alter event trigger llm_no_ddl enable replica'])`
  },
  {
    name: "PostgreSQL's own tables and functions, opened",
    take: 5,
    query: `select format('grant select on %s to %s', c.oid::regclass, role) as sql from pg_class c, ${GRANTEES} g
        where c.relnamespace = 'pg_catalog'::regnamespace and c.relkind in ('r', 'v') and not exists (select from aclexplode(c.relacl) a where a.grantee in (0, coalesce(to_regrole(g.role)::oid, 0)))
      union all select format('grant select (stavalues1) on pg_statistic to %s', role) from ${GRANTEES} g
      union all select format('grant execute on function %s to %s', p.oid::regprocedure, role) from pg_proc p, ${GRANTEES} g
        where p.pronamespace = 'pg_catalog'::regnamespace and p.proacl is not null and not exists (select from aclexplode(p.proacl) a where a.grantee in (0, coalesce(to_regrole(g.role)::oid, 0)))`
  },
  {
    name: "PostgreSQL's own functions, changed",
    take: 5,
    query: `select unnest(array[
        case when not proleakproof then format('alter function %s leakproof', p.oid::regprocedure) end,
        format('alter function %s %s', p.oid::regprocedure, case provolatile when 'i' then 'stable' else 'immutable' end),
        format('alter function %s security definer', p.oid::regprocedure), format('alter function %s owner to llm_api', p.oid::regprocedure),
        format('alter function %s %s', p.oid::regprocedure, case when proisstrict then 'called on null input' else 'strict' end),
        format('alter function %s set search_path = public', p.oid::regprocedure)
      ]) as sql from pg_proc p where oid < 16384 and prokind = 'f' and prorettype <> 'trigger'::regtype and prorettype <> 'event_trigger'::regtype`
  },
  {
    name: "PostgreSQL's own functions, changed: those that policies stand on",
    take: 2,
    query: `select format('alter function %s %s', p.oid::regprocedure, how) as sql from pg_proc p, unnest(array['immutable', 'leakproof']) how
      where pronamespace = 'pg_catalog'::regnamespace and proname in ('current_setting', 'set_config', 'statement_timestamp', 'pg_has_role') and prokind = 'f'
        and not (how = 'immutable' and provolatile = 'i')`
  },
  {
    name: "who is to notice",
    take: 5,
    query: `select unnest(array[
        'create or replace function audit.catalogue() returns table (kind text, object text, aspect text, fact text, whose text, accepted boolean) language sql stable as ''select null::text, null::text, null::text, null::text, null::text, null::boolean where false''; grant select on app.users to public',
        'create or replace function audit.catalogue_relations() returns table (kind text, object text, aspect text, fact text) language sql stable as ''select null::text, null::text, null::text, null::text where false''; grant select on app.users to public',
        'insert into meta.accepted (kind, object, aspect, fact) values (''table'', ''app.users'', ''grant to public'', ''select''); grant select on app.users to public',
        'delete from meta.accepted where kind = ''hardened''; grant execute on function pg_advisory_lock(bigint) to public',
        'create or replace function lint.findings() returns table (rule text, object text, detail text) language sql stable as ''select null::text, null::text, null::text where false''',
        'revoke execute on function audit.catalogue() from llm_api', 'drop view lint.table_without_force',
        'alter function audit.role_name(oid) rename to renamed', 'delete from meta.accepted where kind = ''built-in''']) as sql`
  }
]

/** A sample of every dimension, the same for the same seed. */
export const mutants = (superuser: Session, seed: string) =>
  Effect.map(
    Effect.forEach(DIMENSIONS, ({ name, query, take }) =>
      Effect.map(
        superuser.rows(
          `select sql from (${query}) all_of_them where sql is not null order by sha256(convert_to($1 || sql, 'UTF8')) limit $2`,
          [seed, take]
        ),
        (rows) => rows.map(({ sql }): Mutant => ({ dimension: name, sql: String(sql) }))
      )
    ),
    (all) => all.flat()
  )
