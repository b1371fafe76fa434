import type { PgConnection } from "@effect/sql-pg"
import { Effect, Schema } from "effect"
import { MigrationFailed } from "./MigrationFailed.ts"
import { everyRole, Roles } from "./Roles.ts"
import { rows } from "./Script.ts"

// What else lives in the database and in its server. Schemas belong to a database, roles to all databases of a server: nothing of
// another program's, or of another installation's, is changed.

const SCHEMAS = ["app", "auth", "work", "tracking", "audit", "lint", "meta"]

const occupied = (detail: string) => new MigrationFailed({ reason: "occupied", detail })

const decodeSchemas = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ name: Schema.String, owner: Schema.String, prefix: Schema.NullOr(Schema.String) }))
)

/** Fails where one of our schemas is there and somebody else's. */
export const checkSchemas = Effect.fnUntraced(function* (connection: PgConnection.PgConnection) {
  const { owner, prefix } = yield* Roles
  const found = yield* rows(
    connection,
    `select n.nspname::text as name, r.rolname::text as owner,
       case when to_regclass('meta.migrations') is not null then substring(r.rolname from '^(.*_)owner$') end as prefix
     from pg_namespace n join pg_roles r on r.oid = n.nspowner
     where n.nspname = any ($1::text[]) and r.rolname <> $2::text order by 1`,
    [SCHEMAS, owner]
  )
  const [theirs] = yield* Effect.orDie(decodeSchemas(found))
  if (theirs === undefined) return
  return yield* occupied(
    theirs.prefix === null
      ? `schema ${theirs.name} of this database belongs to ${theirs.owner}, and this program makes schemas called ${SCHEMAS.join(", ")}: give it a database of its own (create database …). Nothing was changed`
      : `this database was made with DATABASE_ROLE_PREFIX=${theirs.prefix}, and not with ${prefix}: set it to that. Nothing was changed`
  )
})

const decodeNames = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ name: Schema.String })))

/** The other databases of the server in which a role owns something or may do something, or to which it may connect. */
const otherDatabases = Effect.fnUntraced(function* (connection: PgConnection.PgConnection, role: string) {
  const found = yield* rows(
    connection,
    `select distinct d.datname::text as name
     from pg_shdepend s
     join pg_database d on d.oid = case when s.dbid = 0 and s.classid = 'pg_database'::regclass then s.objid else s.dbid end
     where s.refclassid = 'pg_authid'::regclass and s.refobjid = (select oid from pg_roles where rolname = $1::text)
       and d.datname <> current_database()
     order by 1`,
    [role]
  )
  return (yield* Effect.orDie(decodeNames(found))).map(({ name }) => name)
})

const WAY_OUT =
  "set DATABASE_ROLE_PREFIX to a prefix of this installation's own, such as second_, and each keeps its own roles"

const named = ([first = "", ...more]: ReadonlyArray<string>) =>
  `database ${first}${more.length === 0 ? "" : ` and ${more.length} more of this server`}`

/** Fails where another database's installation logs in as this role: a password is the whole server's. */
export const checkPasswordIsOurs = Effect.fnUntraced(function* (connection: PgConnection.PgConnection, role: string) {
  const others = yield* otherDatabases(connection, role)
  if (others.length === 0) return
  return yield* occupied(
    `the role ${role} has another password, and ${named(others)} uses it. For two installations in one server ${WAY_OUT}; `
      + "for one that is in two databases use the same SECRET_KEY or the same URLs, or change the password with psql"
  )
})

/** Whatever a role is to all databases of a server: its attributes, its settings, what it may become. */
const shared = Effect.fnUntraced(function* (connection: PgConnection.PgConnection) {
  const { prefix } = yield* Roles
  return JSON.stringify(
    yield* rows(
      connection,
      `select r.rolname::text, r.rolcanlogin, r.rolinherit, r.rolconnlimit, r.rolconfig::text,
         array(
           select g.rolname from pg_auth_members m join pg_roles g on g.oid = m.roleid where m.member = r.oid order by 1
         )::text as member_of
       from pg_roles r where r.rolname = any ($1::text[]) order by 1`,
      [everyRole(prefix)]
    )
  )
})

/**
 * Runs `change`, which makes the roles. For a database that is new here, fails if it changed one that another database's installation
 * uses: of two versions of this program in one server, each with its own limits, the last would win every time.
 */
export const sparingOthers = <A, E, R>(
  connection: PgConnection.PgConnection,
  change: Effect.Effect<A, E, R>
): Effect.Effect<A, E | MigrationFailed, R> =>
  Effect.gen(function* () {
    const { owner, prefix } = yield* Roles
    const others = yield* otherDatabases(connection, owner)
    if (others.length === 0) return yield* change
    const before = yield* shared(connection)
    const made = yield* change
    if ((yield* shared(connection)) === before) return made
    return yield* occupied(
      `the roles ${prefix}… of this server are those of ${named(others)}, an installation with other limits than this program's: ${WAY_OUT}. Nothing was changed`
    )
  })
