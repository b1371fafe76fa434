import { dependency } from "@llm-saas/domain/Dependency"
import type { PgConnection } from "@effect/sql-pg"
import { Effect, Exit } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { causeOf, isAway, sqlState } from "../PostgresError.ts"
import { type Observe, Session } from "./Session.ts"

/** Opens sessions with one server. */
export interface SessionOpener {
  /** Opens a session for `keep`. */
  readonly open: (keep: (session: Session) => void) => Effect.Effect<void, SqlError>
  /** Whether the server answers a new connection. A refusal is an answer too. */
  readonly probe: Effect.Effect<boolean>
}

/** What goes wrong and well on the sessions is an outage of the dependency "postgresql", and its end. */
export const makeOpener = Effect.fnUntraced(function* (config: PgConnection.Config) {
  const postgres = yield* dependency("postgresql")

  const note = (error: SqlError) => (isAway(error) ? postgres.failed(causeOf(error)) : undefined)
  const observe: Observe = (exit) => {
    if (Exit.isSuccess(exit)) return postgres.outage === undefined ? undefined : postgres.worked
    const reason = exit.cause.reasons[0]
    return reason?._tag === "Fail" ? note(reason.error) : undefined
  }

  const open: SessionOpener["open"] = (keep) =>
    Session.open(config, observe, keep).pipe(
      Effect.tap(() => postgres.worked),
      Effect.tapError((error) => note(error) ?? Effect.void)
    )

  const probe = Effect.scoped(
    Effect.acquireRelease(
      Effect.suspend(() => {
        let opened: Session | undefined
        return Effect.map(
          Session.open(config, observe, (session) => (opened = session)),
          () => opened
        )
      }),
      (opened) => opened?.close ?? Effect.void,
      { interruptible: true }
    )
  ).pipe(
    Effect.matchEffect({
      onSuccess: () => Effect.succeed(true),
      onFailure: (error) =>
        sqlState(error) === undefined ? Effect.as(note(error) ?? Effect.void, false) : Effect.succeed(true)
    })
  )

  const opener: SessionOpener = { open, probe }
  return opener
})
