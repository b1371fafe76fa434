import type { PgConnection } from "@effect/sql-pg"
import { Effect, Predicate, type Redacted, Schema } from "effect"
import { adopt, checkSchemas, isBare, sparingOthers } from "../logins/Installation.ts"
import { type Comparison, compare, readHistory } from "./MigrationHistory.ts"
import { nameOf } from "../catalogue/Drift.ts"
import { drifted, driftOf, repairSchema, reclaim } from "../catalogue/SchemaRepair.ts"
import { MigrationFailed } from "../MigrationFailed.ts"
import { Roles } from "../logins/Roles.ts"
import { loadPrices } from "./PriceSeed.ts"
import { connect, rows, run, transaction } from "../connections/Script.ts"
import { type Migration, readSqlFiles, type SqlFiles } from "../SqlFiles.ts"

export interface MigrationOptions {
  /** Where the `.sql` files are; `sql/` of this repository unless said otherwise. */
  readonly directory?: string | undefined
  /**
   * What to do about new objects in the server around the database that could bypass the wall (a superuser, a publication, an extension):
   * `report` them and go on, the default; `refuse` them; or `accept` them from now on.
   */
  readonly foreign?: "refuse" | "report" | "accept" | undefined
}

/** The result of a migration. */
export interface Report {
  /** The schema's version now. */
  readonly version: number
  readonly applied: ReadonlyArray<Pick<Migration, "version" | "name">>
  /** Whether functions, policies, grants and lints were built again. */
  readonly rebuilt: boolean
  /** What differed from the files, and was repaired. */
  readonly mended: ReadonlyArray<string>
  /** What is new in the server around the database, where it was not refused. */
  readonly foreign: ReadonlyArray<string>
}

/**
 * Brings a database to the state of the files: pending migrations, then roles, functions, policies, grants, then every lint, all in one
 * transaction. Of two processes at once, one waits and finds nothing to do. Needs a superuser, or the database's owner with CREATEROLE.
 */
export const migrate = Effect.fn("Migrations.migrate")(function* (
  adminUrl: Redacted.Redacted,
  options: MigrationOptions = {}
) {
  const files = yield* readSqlFiles(options.directory)
  const connection = yield* connect(adminUrl)
  yield* checkSchemas(connection)
  const before = compare(yield* readHistory(connection), files)
  if (before.state === "current" && options.foreign !== "accept") {
    const drift = yield* driftOf(connection, files)
    if (!(yield* isBare(connection)) && drift.every(({ whose }) => whose === "server")) {
      if (drift.length > 0 && options.foreign === "refuse") return yield* drifted(drift)
      return { ...nothing(before), foreign: drift.map(nameOf) }
    }
  }
  return yield* Effect.retry(transaction(connection, apply(connection, files, options)), {
    times: 3,
    while: isCollision
  })
}, Effect.scoped)

/** How a database and the files compare. Needs no more than the API's login. */
export const status = Effect.fn("Migrations.status")(function* (
  url: Redacted.Redacted,
  options: MigrationOptions = {}
) {
  const files = yield* readSqlFiles(options.directory)
  return compare(yield* readHistory(yield* connect(url)), files)
}, Effect.scoped)

/** The same on a connection, in its transaction: invisible to others until it is committed. */
export const apply = Effect.fnUntraced(function* (
  connection: PgConnection.PgConnection,
  files: SqlFiles,
  { foreign = "report" }: MigrationOptions
) {
  yield* lock(connection)
  const now = compare(yield* readHistory(connection), files)
  // A difference in a database that has all of this: it was changed by hand, and is rebuilt.
  const before = now.state === "current" ? yield* driftOf(connection, files) : []
  switch (now.state) {
    case "current":
      // Another process repaired it while this one waited for the lock. What a restored dump lacks is built as after any change.
      if (before.length === 0 && foreign !== "accept" && !(yield* isBare(connection))) return nothing(now)
      break
    case "behind":
      break
    case "changed":
      return yield* history(
        `an applied migration must stay as it is, and a new one comes last: ${now.changed.join(", ")}`
      )
    case "ahead":
    case "incompatible":
      return yield* history(
        `newer code migrated this database (version ${now.version}, this code knows ${now.codeVersion})`
      )
  }
  yield* asAdministrator(connection)
  yield* reclaim(connection)
  const roles = Effect.forEach(files.roles, (file) =>
    Effect.andThen(Effect.andThen(asAdministrator(connection), adopt(connection)), run(connection, file))
  )
  yield* now.version === 0 ? sparingOthers(connection, roles) : roles
  yield* asOwner(connection)
  yield* run(connection, files.clean)
  // Behind FORCE the owner sees no row: a migration of data then fails, where it would silently change nothing.
  yield* rows(connection, "set local row_security = off")
  for (const migration of now.pending) {
    yield* asOwner(connection)
    yield* run(connection, migration)
    yield* asOwner(connection)
    yield* rows(
      connection,
      "insert into meta.migrations (version, name, checksum, breaking) values ($1::integer, $2::text, $3::text, $4::boolean)",
      [migration.version, migration.name, migration.checksum, migration.breaking]
    )
  }
  yield* rows(connection, "set local row_security = on")
  // Again: a policy, function or grant belongs in its own file, and one made by a migration would not outlive the next run.
  for (const file of [files.clean, ...files.rebuilt]) {
    yield* asOwner(connection)
    yield* run(connection, file)
  }
  yield* asOwner(connection)
  yield* loadPrices(connection, files)
  const mending = repairSchema(connection, files, foreign)
  const after = yield* now.version === 0 ? sparingOthers(connection, mending) : mending
  yield* lint(connection)
  yield* rows(connection, "delete from meta.repeatables")
  yield* rows(connection, "insert into meta.repeatables (hash) values ($1::text)", [files.hash])
  const report: Report = {
    version: now.codeVersion,
    applied: now.pending.map(({ name, version }) => ({ name, version })),
    rebuilt: true,
    mended: [...before, ...after.mended].filter(({ whose }) => whose === "ours").map(nameOf),
    foreign: after.foreign.map(nameOf)
  }
  return report
})

const Finding = Schema.Struct({ rule: Schema.String, object: Schema.String, detail: Schema.String })

const lint = Effect.fnUntraced(function* (connection: PgConnection.PgConnection) {
  yield* asOwner(connection)
  const found = yield* rows(connection, "select rule, object, detail from lint.findings()")
  const findings = yield* Effect.orDie(Schema.decodeUnknownEffect(Schema.Array(Finding))(found))
  if (findings.length === 0) return
  const lines = findings.map(({ detail, object, rule }) => `${rule}: ${object}: ${detail}`)
  return yield* new MigrationFailed({
    reason: "lint",
    detail: ["the schema breaks its own rules", ...lines].join("\n  ")
  })
})

/**
 * One at a time, for as long as the transaction lasts: another migration waits for the history as long as it takes. Requests read it
 * meanwhile. In an empty database there is no history yet; two that begin there at once collide at the first schema, and one begins again.
 */
export const lock = Effect.fnUntraced(function* (connection: PgConnection.PgConnection) {
  yield* rows(connection, "set local statement_timeout = 0")
  yield* rows(connection, "set local lock_timeout = 0")
  yield* rows(connection, "set local search_path = pg_catalog, pg_temp")
  const { owner } = yield* Roles
  // In a dump restored by another role the table may exist without its owner.
  const [found] = yield* rows(
    connection,
    `select coalesce(pg_has_role(to_regrole($1::text), 'member'), false) and c.relowner = to_regrole($1::text) as owned,
       has_schema_privilege(n.oid, 'USAGE') and has_table_privilege(c.oid, 'UPDATE') as writable
     from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'meta' and c.relname = 'migrations'`,
    [owner]
  )
  const isOwned = Predicate.hasProperty(found, "owned") && found.owned === true
  if (isOwned || (Predicate.hasProperty(found, "writable") && found.writable === true)) {
    if (isOwned) yield* asOwner(connection)
    yield* rows(connection, "lock table meta.migrations in share row exclusive mode")
    yield* asAdministrator(connection)
  }
  // A table lock is different: every request queues behind a migration that waits for one.
  yield* rows(connection, "set local lock_timeout = '10s'")
})

export const asOwner = (connection: PgConnection.PgConnection) =>
  Effect.flatMap(Roles, ({ owner }) => rows(connection, `set local role ${owner}`))

const asAdministrator = (connection: PgConnection.PgConnection) => rows(connection, "set local role none")

const nothing = ({ version }: Comparison): Report => ({
  version,
  applied: [],
  rebuilt: false,
  mended: [],
  foreign: []
})

export const history = (detail: string) => new MigrationFailed({ reason: "history", detail })

// Roles belong to the whole cluster and the lock to one database: two databases that are migrated at once can meet at a role.
// XX000 "tuple concurrently updated", 23505 both create it, 42710 it exists by now, 40P01 both wait.
const COLLISION = /^(?:XX000|23505|42710|40P01)$/u

const isCollision = (error: MigrationFailed) =>
  error.state !== undefined
  && COLLISION.test(error.state)
  && (error.file === undefined || error.file.startsWith("roles/"))
