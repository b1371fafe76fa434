import { lateLoops } from "@llm-saas/domain/Loop"
import type { Unavailable } from "@llm-saas/domain/Refusal"
import { Context, Effect, Layer, Schema } from "effect"
import type { MigrationFailed } from "../MigrationFailed.ts"
import { outageOrBug, unavailable } from "../PostgresError.ts"
import { Pool } from "./Pool.ts"
import { realTime } from "./RealTime.ts"
import { readSqlFiles } from "../SqlFiles.ts"

const MIGRATIONS = "select version, breaking from meta.migrations"
const LINE = "readiness"
/** A database that takes longer for this check cannot serve requests in time. */
const CHECK_TIMEOUT = "5 seconds"

const decode = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ version: Schema.Int, breaking: Schema.Boolean }))
)

/**
 * Whether requests can be served just now: the database answers, has every migration this program knows, and no breaking one that it does
 * not know; and the loops of this process are running. So a migration under running programs makes the old ones unready, and only where it
 * must.
 */
export class Readiness extends Context.Service<Readiness, { readonly check: Effect.Effect<void, Unavailable> }>()(
  "@llm-saas/database/connections/Readiness"
) {
  static readonly layer: Layer.Layer<Readiness, MigrationFailed, Pool> = Layer.effect(
    Readiness,
    Effect.gen(function* () {
      const pool = yield* Pool
      const { migrations } = yield* readSqlFiles()
      const known = new Set(migrations.map(({ version }) => version))
      const check = Effect.gen(function* () {
        // By both ways that requests use, in a line of its own.
        const [{ rows }] = yield* Effect.all(
          [pool.query(MIGRATIONS, [], LINE), pool.use((connection) => connection.query(MIGRATIONS, []), LINE)],
          { concurrency: "unbounded" }
        )
        const late = yield* lateLoops
        if (late.length > 0) {
          yield* Effect.logWarning(`not ready: ${late.join(", ")} is late`)
          return yield* Effect.fail(unavailable())
        }
        const applied = yield* Effect.orDie(decode(rows))
        const here = new Set(applied.map(({ version }) => version))
        const missing = [...known].filter((version) => !here.has(version))
        const foreign = applied.filter(({ breaking, version }) => breaking && !known.has(version))
        if (missing.length === 0 && foreign.length === 0) return
        yield* Effect.logWarning(
          missing.length > 0
            ? `not ready: the database lacks migration ${missing.join(", ")}`
            : `not ready: migration ${foreign.map(({ version }) => version).join(", ")} is for newer programs only`
        )
        return yield* Effect.fail(unavailable())
      }).pipe(
        Effect.timeoutOrElse({ duration: CHECK_TIMEOUT, orElse: () => Effect.fail(unavailable()) }),
        realTime,
        Effect.catchTag("SqlError", outageOrBug)
      )
      return Readiness.of({ check })
    })
  )
}
