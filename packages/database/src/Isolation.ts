import { Actor } from "@llm-saas/domain/Actor"
import { IsolationReport } from "@llm-saas/domain/Isolation"
import type { Unavailable } from "@llm-saas/domain/Refusal"
import { steadily } from "@llm-saas/domain/Time"
import { Clock, Context, DateTime, Effect, Exit, Layer, Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import type { Line } from "./connections/Lending.ts"
import { Pool } from "./connections/Pool.ts"
import type { Connection } from "./connections/Session.ts"
import { inspect } from "./isolation/DatabaseChecks.ts"
import { type Inspection, together } from "./isolation/Inspection.ts"
import { reused } from "./isolation/ReusedConnection.ts"
import { Roles } from "./logins/Roles.ts"
import { outageOrBug } from "./PostgresError.ts"

/** How long (ms) the tenants of one process share a report: it is about all of them, and costs a third of a second of database time. */
const REPORT_TTL_MS = 10_000

/**
 * Whether tenants are kept apart on the connections that serve requests, for any caller. The checks use the same connections as requests,
 * so they can do no more than a request can; what they write is rolled back.
 */
export class Isolation extends Context.Service<
  Isolation,
  {
    /**
     * Runs the checks at most every ten seconds. The check for what a connection keeps of a room runs each time, in the actor's own room.
     */
    readonly report: Effect.Effect<IsolationReport, Unavailable, Actor>
  }
>()("@llm-saas/database/Isolation") {
  static readonly layer = Layer.effect(
    Isolation,
    Effect.gen(function* () {
      const pool = yield* Pool
      const roles = yield* Roles
      const on = <A>(work: (connection: Connection) => Effect.Effect<A, SqlError>, line?: Line) =>
        Effect.catchTag(pool.use(work, line), "SqlError", outageOrBug)
      const clock = yield* Clock.Clock
      const at = Effect.provideService(DateTime.now, Clock.Clock, clock)
      const look = Effect.all({ at, about: on(about), inspection: on(inspect) }).pipe(
        Effect.provideService(Roles, roles)
      )
      const cached = yield* Effect.cachedWithTTL(look, (exit) => (Exit.isSuccess(exit) ? REPORT_TTL_MS : 0))
      const shared = steadily(cached)

      return Isolation.of({
        report: Effect.gen(function* () {
          const actor = yield* Actor
          const { about, at, inspection } = yield* shared
          const kept = yield* on((connection) => reused(connection, actor), actor.tenantId)
          return report(about, at, [inspection, kept])
        })
      })
    })
  )
}

/** Formats results as the report. */
export const report = (
  { login, schema_version, server_version }: About,
  checked_at: DateTime.Utc,
  inspections: ReadonlyArray<Inspection>
) => {
  const { checks, findings, notes } = together(inspections)
  return new IsolationReport({
    ok: findings.length === 0,
    checked_at,
    server_version,
    schema_version,
    login,
    checks,
    findings,
    notes
  })
}

type About = typeof AboutRow.Type

const AboutRow = Schema.Struct({ login: Schema.String, server_version: Schema.String, schema_version: Schema.Int })

/** The database, and the login. */
export const about = Effect.fnUntraced(function* (connection: Connection): Effect.fn.Return<About, SqlError> {
  const { rows } = yield* connection.query(
    `select session_user::text as login, current_setting('server_version') as server_version,
       coalesce((select max(version) from meta.migrations), 0)::int4 as schema_version`,
    []
  )
  return yield* Effect.orDie(Schema.decodeUnknownEffect(AboutRow)(rows[0]))
})
