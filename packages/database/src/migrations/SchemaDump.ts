import { Effect, type Redacted, Schema } from "effect"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { type CatalogueFile, writeCatalogueFile } from "../catalogue/CatalogueFile.ts"
import { readLive } from "../catalogue/Drift.ts"
import { failedStatement, MigrationFailed } from "../MigrationFailed.ts"
import type { MigrationOptions } from "./Migrations.ts"
import { DEFAULT_PREFIX, everyRole } from "../logins/Roles.ts"
import { connect, rows } from "../connections/Script.ts"
import { DIRECTORY, readSqlFiles } from "../SqlFiles.ts"

const Part = Schema.Array(Schema.Struct({ line: Schema.String }))

/**
 * The schema as PostgreSQL has it, as text: roles, schemas, tables with their constraints, indexes, policies, triggers and grants,
 * functions, views, lints. For reading in a diff, not for running: bodies of functions and views are in their own files. Every PostgreSQL
 * from 15 on gives the same text.
 */
export const dumpSchema = Effect.fn("SchemaDump.dump")(function* (adminUrl: Redacted.Redacted) {
  const connection = yield* connect(adminUrl)
  // Names are written in full whatever the login's search_path; this connection has no other user.
  yield* rows(connection, "set search_path = pg_catalog")
  const parts = yield* Effect.forEach(SECTIONS, ({ query, title }) =>
    rows(connection, query).pipe(
      Effect.flatMap((found) => Effect.orDie(Schema.decodeUnknownEffect(Part)(found))),
      Effect.map((lines) => `-- ${title}\n\n${lines.map(({ line }) => line).join("\n")}\n`)
    )
  )
  return [HEADER, ...parts].join("\n")
}, Effect.scoped)

/** Writes it to `sql/schema.sql`, and the facts that every isolation report compares to `sql/catalogue.tsv`; returns the paths. */
export const writeSchema = Effect.fn("SchemaDump.write")(function* (
  adminUrl: Redacted.Redacted,
  options: MigrationOptions = {}
) {
  const path = join(options.directory ?? DIRECTORY, "schema.sql")
  const text = yield* dumpSchema(adminUrl)
  yield* Effect.tryPromise({
    try: () => writeFile(path, text),
    catch: () => new MigrationFailed({ reason: "files", detail: `cannot write ${path}` })
  })
  return [path, yield* writeCatalogueFile(yield* dumpCatalogue(adminUrl, options), options.directory)]
})

/** The content of `sql/catalogue.tsv`, read from a database just made from these files. */
export const dumpCatalogue = Effect.fn("SchemaDump.catalogue")(function* (
  adminUrl: Redacted.Redacted,
  options: MigrationOptions = {}
) {
  const { content } = yield* readSqlFiles(options.directory)
  const connection = yield* connect(adminUrl)
  const live = yield* Effect.mapError(readLive(connection), (error) => failedStatement(error))
  const file: CatalogueFile = {
    content,
    facts: live.facts.flatMap(([kind, object, aspect, fact, , accepted]) =>
      accepted ? [] : [{ kind, object, aspect, fact }]
    )
  }
  return file
}, Effect.scoped)

const HEADER = `-- The schema that sql/ makes, read back from PostgreSQL's catalogue. Written by \`npm run db:schema\`, compared by a test.\n`

// The file shows the default installation.
const ours = everyRole(DEFAULT_PREFIX)
  .map((name) => `'${name}'`)
  .join(", ")

const ROLES = `
  select format('create role %s %s %s connection limit %s%s;', r.rolname, case when r.rolcanlogin then 'login' else 'nologin' end,
      case when r.rolinherit then 'inherit' else 'noinherit' end, r.rolconnlimit,
      concat(case when r.rolsuper then ' superuser' end, case when r.rolbypassrls then ' bypassrls' end,
        case when r.rolcreaterole then ' createrole' end, case when r.rolcreatedb then ' createdb' end))
    || coalesce((select string_agg(format(E'\\n  grant %s to %s;', pg_get_userbyid(m.roleid), r.rolname), '' order by pg_get_userbyid(m.roleid)::text collate "C")
        from pg_auth_members m where m.member = r.oid), '')
    || coalesce((select string_agg(format(E'\\n  alter role %s set %s;', r.rolname, setting), '' order by setting collate "C")
        from unnest(r.rolconfig) setting), '') as line
  from pg_roles r where r.rolname in (${ours})
  order by r.rolname collate "C"`

const SCHEMAS = `
  select format('create schema %s authorization %s;', n.nspname, pg_get_userbyid(n.nspowner))
    || coalesce((select string_agg(format(E'\\n  grant %s to %s;', verbs, grantee), '' order by grantee collate "C") from (
        select case a.grantee when 0 then 'public' else pg_get_userbyid(a.grantee)::text end as grantee,
          string_agg(lower(a.privilege_type), ', ' order by a.privilege_type) as verbs
        from aclexplode(n.nspacl) a where a.grantee <> n.nspowner group by 1
      ) g), '') as line
  from pg_namespace n where n.nspname in ('app', 'auth', 'work', 'tracking', 'operator', 'audit', 'lint', 'meta')
  order by n.nspname collate "C"`

const TABLES = `
  select format(E'create table %s (\\n%s\\n);', place, (
      select string_agg('  ' || item, E',\\n' order by kind, item_order, item collate "C") from (
        select 1 as kind, a.attnum as item_order, concat(a.attname, ' ', format_type(a.atttypid, a.atttypmod),
          case when a.attnotnull then ' not null' end, ' default ' || pg_get_expr(d.adbin, d.adrelid)) as item
        from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        union all
        -- From 18 on NOT NULL is a constraint too; the column says so already.
        select case k.contype when 'p' then 2 when 'u' then 3 when 'f' then 4 else 5 end, 0, format('constraint %s %s', k.conname, pg_get_constraintdef(k.oid))
        from pg_constraint k where k.conrelid = c.oid and k.contype <> 'n'
      ) items))
    || format(E'\\nalter table %s owner to %s%s%s;', place, pg_get_userbyid(c.relowner),
        case when c.relrowsecurity then ', enable row level security' end, case when c.relforcerowsecurity then ', force row level security' end)
    || coalesce((select string_agg(format(E'\\n%s;', pg_get_indexdef(i.indexrelid)), '' order by i.indexrelid::regclass::text collate "C")
        from pg_index i where i.indrelid = c.oid and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))), '')
    || coalesce((select string_agg(format(E'\\ncreate policy %s on %s as %s for %s to %s%s%s;', p.polname, place,
          case when p.polpermissive then 'permissive' else 'restrictive' end,
          case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
          (select string_agg(case role when 0 then 'public' else pg_get_userbyid(role)::text end, ', ' order by role::regrole::text collate "C") from unnest(p.polroles) role),
          E'\\n  using ' || pg_get_expr(p.polqual, p.polrelid), E'\\n  with check ' || pg_get_expr(p.polwithcheck, p.polrelid)),
          '' order by p.polpermissive, p.polname collate "C")
        from pg_policy p where p.polrelid = c.oid), '')
    || coalesce((select string_agg(format(E'\\n%s;', pg_get_triggerdef(t.oid)), '' order by t.tgname collate "C")
        from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal), '')
    || coalesce((select string_agg(format(E'\\ngrant %s on %s to %s;', verbs, place, grantee), '' order by grantee collate "C") from (
        select grantee, string_agg(concat(verb, columns), ', ' order by verb collate "C", columns collate "C") as verbs from (
          select case a.grantee when 0 then 'public' else pg_get_userbyid(a.grantee)::text end as grantee, lower(a.privilege_type) as verb, '' as columns
          from aclexplode(c.relacl) a where a.grantee <> c.relowner
          union all
          select case a.grantee when 0 then 'public' else pg_get_userbyid(a.grantee)::text end, lower(a.privilege_type), format(' (%s)', string_agg(t.attname, ', ' order by t.attnum))
          from pg_attribute t, aclexplode(t.attacl) a where t.attrelid = c.oid and a.grantee <> c.relowner group by 1, 2
        ) verbs group by grantee
      ) grants), '')
    || E'\\n' as line
  from pg_class c cross join lateral (select c.oid::regclass::text) as named (place)
  where c.relnamespace in (select oid from pg_namespace where nspname in ('app', 'operator', 'meta')) and c.relkind in ('r', 'p')
  order by place collate "C"`

const FUNCTIONS = `
  select format('create function %s returns %s language %s%s%s%s;', p.oid::regprocedure, pg_get_function_result(p.oid), l.lanname,
      case p.provolatile when 'i' then ' immutable' when 's' then ' stable' else '' end,
      case when p.prosecdef then ' security definer' end,
      (select string_agg(' set ' || setting, '' order by setting) from unnest(p.proconfig) setting))
    || format(E'\\n  alter function %s owner to %s;', p.oid::regprocedure, pg_get_userbyid(p.proowner))
    || coalesce((select string_agg(E'\\n  ' || format('grant execute to %s;', grantee), '' order by grantee collate "C") from (
        select case a.grantee when 0 then 'public' else pg_get_userbyid(a.grantee)::text end as grantee
        from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee <> p.proowner
      ) g), '') as line
  from pg_proc p join pg_language l on l.oid = p.prolang join pg_namespace n on n.oid = p.pronamespace
  where n.nspname in ('app', 'auth', 'work', 'tracking', 'operator', 'audit', 'meta', 'lint') and p.proowner in (select oid from pg_roles where rolname in (${ours}))
  order by p.oid::regprocedure::text collate "C"`

const VIEWS = `
  select format(E'create view %s (\\n%s\\n)%s;', c.oid::regclass,
      (select string_agg(format('  %s %s', a.attname, format_type(a.atttypid, a.atttypmod)), E',\\n' order by a.attnum)
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0),
      ' with (' || array_to_string(c.reloptions, ', ') || ')')
    || coalesce((select string_agg(format(E'\\n  grant %s to %s;', lower(a.privilege_type), pg_get_userbyid(a.grantee)), '' order by a.grantee::regrole::text collate "C")
        from aclexplode(c.relacl) a where a.grantee <> c.relowner), '') as line
  from pg_class c where c.relnamespace = 'audit'::regnamespace and c.relkind = 'v'
  order by c.relname collate "C"`

const LINTS = `select '-- lint.' || relname as line from pg_class where relnamespace = 'lint'::regnamespace and relkind = 'v' order by relname collate "C"`

const SECTIONS = [
  { title: "Roles", query: ROLES },
  { title: "Schemas", query: SCHEMAS },
  { title: "Tables", query: TABLES },
  { title: "Functions", query: FUNCTIONS },
  { title: "Views for auditors", query: VIEWS },
  { title: "Rules that are checked on every migration", query: LINTS }
]
