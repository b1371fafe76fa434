import type { PgConnection } from "@effect/sql-pg"
import { Effect, type Redacted, Schema } from "effect"
import { compare, readHistory } from "./MigrationHistory.ts"
import { MigrationFailed } from "../MigrationFailed.ts"
import { asOwner, history, lock, type MigrationOptions } from "./Migrations.ts"
import { Roles } from "../logins/Roles.ts"
import { connect, rows, run, transaction } from "../connections/Script.ts"
import { type Migration, readSqlFiles, type SqlFiles } from "../SqlFiles.ts"

export interface RollbackOptions extends MigrationOptions {
  /** Even if data is lost with it. */
  readonly yes?: boolean | undefined
  /** Even if programs are connected, whose requests then fail. */
  readonly force?: boolean | undefined
}

/** The effects of one step back. */
export interface RollbackPlan {
  readonly migration: Pick<Migration, "version" | "name">
  /** The data that is lost, from the down file's first line `-- loses: …`. */
  readonly loses: string | undefined
  /** Connections of the program's logins to this database; undefined where this administrator may not see them. */
  readonly connections: number | undefined
}

/** What {@link rollback} would do just now. */
export const planRollback = Effect.fn("Rollback.plan")(function* (
  adminUrl: Redacted.Redacted,
  options: MigrationOptions = {}
) {
  const files = yield* readSqlFiles(options.directory)
  const connection = yield* connect(adminUrl)
  return (yield* plan(connection, files)).plan
}, Effect.scoped)

/**
 * Takes the latest migration back with its down file, and with it the functions, policies and grants, which fit the current files: no login
 * can reach a table until the next `migrate` builds them again, with code that fits. Returns what was undone. Fails, having changed
 * nothing, where it breaks running programs or loses data and the caller did not allow that.
 */
export const rollback = Effect.fn("Rollback.rollback")(function* (
  adminUrl: Redacted.Redacted,
  options: RollbackOptions = {}
) {
  const files = yield* readSqlFiles(options.directory)
  const connection = yield* connect(adminUrl)
  return yield* transaction(
    connection,
    Effect.gen(function* () {
      yield* lock(connection)
      const { down, last, plan: planned } = yield* plan(connection, files)
      const refusal = refusalOf(planned, options, yield* Roles)
      if (refusal !== undefined) return yield* new MigrationFailed({ reason: "occupied", detail: refusal })
      yield* asOwner(connection)
      yield* run(connection, files.clean)
      // As going forward: what the owner cannot see behind FORCE fails, and does not silently change nothing.
      yield* rows(connection, "set local row_security = off")
      yield* run(connection, down)
      yield* asOwner(connection)
      yield* rows(connection, "delete from meta.migrations where version = $1::integer", [last.version])
      yield* rows(connection, "delete from meta.repeatables")
      return last
    })
  )
}, Effect.scoped)

const plan = Effect.fnUntraced(function* (connection: PgConnection.PgConnection, files: SqlFiles) {
  const { changed, unknown, version } = compare(yield* readHistory(connection), files)
  const last = files.migrations.find((migration) => migration.version === version)
  if (unknown.length > 0) return yield* history("newer code migrated this database: roll back with that code")
  if (changed.length > 0) return yield* history(`changed since it was applied: ${changed.join(", ")}`)
  if (last === undefined) return yield* history("there is nothing to roll back")
  const { down } = last
  if (down === undefined) {
    return yield* new MigrationFailed({ reason: "files", file: last.path, detail: "has no .down.sql beside it" })
  }
  const found: RollbackPlan = {
    migration: { version: last.version, name: last.name },
    loses: /^-- loses: (.+)/u.exec(down.text)?.[1],
    connections: yield* connections(connection)
  }
  return { last, down, plan: found }
})

const refusalOf = (
  { connections, loses, migration }: RollbackPlan,
  { force = false, yes = false }: RollbackOptions,
  { api, jobs }: { readonly api: string; readonly jobs: string }
) =>
  connections === undefined && !force
    ? `whether programs are connected this administrator may not know: stop them, and say --force`
    : connections !== undefined && connections > 0 && !force
      ? `programs are running: ${connections} connection${connections === 1 ? "" : "s"} of ${api} and ${jobs}. Their requests would fail until code that fits has migrated. Stop them first, or say --force`
      : loses !== undefined && !yes
        ? `undoing ${migration.version} ${migration.name} loses ${loses}. Make a backup, and say --yes`
        : undefined

const decodeOne = Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ connections: Schema.NullOr(Schema.Int) })]))

const connections = Effect.fnUntraced(function* (connection: PgConnection.PgConnection) {
  const { api, jobs } = yield* Roles
  const mayLook = yield* rows(connection, "select where has_table_privilege('pg_catalog.pg_stat_activity', 'select')")
  if (mayLook.length === 0) return undefined
  const found = yield* rows(
    connection,
    `select count(*)::int4 as connections from pg_catalog.pg_stat_activity
     where datname = current_database() and usename = any ($1::text[])`,
    [[api, jobs]]
  )
  const [{ connections }] = yield* Effect.orDie(decodeOne(found))
  return connections ?? undefined
})
