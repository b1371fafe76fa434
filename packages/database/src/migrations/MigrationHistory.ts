import type { PgConnection } from "@effect/sql-pg"
import { Effect, Schema } from "effect"
import { rows } from "../connections/Script.ts"
import type { Migration, SqlFiles } from "../SqlFiles.ts"

/** A migration as the database remembers it. */
export const Applied = Schema.Struct({
  version: Schema.Int,
  name: Schema.String,
  checksum: Schema.String,
  breaking: Schema.Boolean,
  applied_at: Schema.Date
})
export type Applied = typeof Applied.Type

/** The applied migrations. `hash` identifies the roles, functions, policies, grants and lints in force. */
export interface History {
  readonly applied: ReadonlyArray<Applied>
  readonly hash: string | undefined
}

/**
 * How a database and the files compare.
 * - `current`: the same.
 * - `behind`: there is something to migrate.
 * - `ahead`: newer code migrated it; this code does not know some migration, and none of those is breaking.
 * - `incompatible`: newer code applied a migration marked `-- breaking`.
 * - `changed`: a migration was edited after it was applied, or numbered below one that was applied.
 */
export interface Comparison {
  readonly state: "current" | "behind" | "ahead" | "incompatible" | "changed"
  /** The highest version applied; 0 in an empty database. */
  readonly version: number
  /** The highest version the files know. */
  readonly codeVersion: number
  readonly applied: ReadonlyArray<Applied>
  readonly pending: ReadonlyArray<Migration>
  readonly unknown: ReadonlyArray<Applied>
  /** Paths of the migrations that make it `changed`. */
  readonly changed: ReadonlyArray<string>
  /** Whether the roles, functions, policies, grants and lints in force are those of other files. */
  readonly repeatablesDiffer: boolean
}

const decodeApplied = Schema.decodeUnknownEffect(Schema.Array(Applied))
const decodeHash = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ hash: Schema.String })))

/** Reads it; empty where there is none yet. Needs no more rights than llm_api has. */
export const readHistory = Effect.fnUntraced(function* (connection: PgConnection.PgConnection) {
  const there = yield* rows(
    connection,
    "select from pg_tables where schemaname = 'meta' and tablename in ('migrations', 'repeatables')"
  )
  const none: History = { applied: [], hash: undefined }
  if (there.length < 2) return none
  const applied = yield* rows(
    connection,
    "select version, name, checksum, breaking, applied_at from meta.migrations order by version"
  )
  const [repeatable] = yield* Effect.orDie(decodeHash(yield* rows(connection, "select hash from meta.repeatables")))
  const history: History = { applied: yield* Effect.orDie(decodeApplied(applied)), hash: repeatable?.hash }
  return history
})

/** Compares a database with the files. */
export const compare = ({ applied, hash }: History, files: SqlFiles): Comparison => {
  const version = Math.max(0, ...applied.map((step) => step.version))
  const codeVersion = Math.max(0, ...files.migrations.map((migration) => migration.version))
  const pending = files.migrations.filter((migration) => !applied.some((step) => step.version === migration.version))
  const unknown = applied.filter((step) => !files.migrations.some((migration) => migration.version === step.version))
  const edited = files.migrations.filter((migration) =>
    applied.some((step) => step.version === migration.version && step.checksum !== migration.checksum)
  )
  const late = pending.filter((migration) => migration.version < version)
  const changed = [...edited, ...late].map((migration) => migration.path)
  const repeatablesDiffer = hash !== files.hash
  const state =
    changed.length > 0
      ? "changed"
      : unknown.some((step) => step.breaking)
        ? "incompatible"
        : unknown.length > 0
          ? "ahead"
          : pending.length > 0 || repeatablesDiffer
            ? "behind"
            : "current"
  return { state, version, codeVersion, applied, pending, unknown, changed, repeatablesDiffer }
}
