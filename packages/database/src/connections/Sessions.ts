import { dependency } from "@llm-saas/domain/Dependency"
import { repeat } from "@llm-saas/domain/Loop"
import type { PgConnection } from "@effect/sql-pg"
import { Clock, Effect, Exit } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { causeOf, isAway, NoAnswer, sqlState } from "../PostgresError.ts"
import { type Observe, Session } from "./Session.ts"

/** How often (ms) sessions are checked for silence, or for not being needed any more. */
const CHECK_MS = 250
/** A check later (ms) than this may find unread answers that arrived long ago: the process slept, and the next check decides. */
const LATE_MS = 4 * CHECK_MS
/** Ms after which a session without a borrower is closed. */
const UNUSED_MS = 300_000

/** Ms of silence after which a new connection asks whether the server is there at all: a slow statement is no reason to give up. */
const SUSPECT_MS = 3000

/** Sockets need the real time, whatever clock the program is given. */
export const realTime = Effect.provideService(Clock.Clock, Clock.Clock.defaultValue())

/**
 * The open sessions of a pool, lent or not. A session that is silent for longer while it owes an answer is given up.
 */
export const make = Effect.fnUntraced(function* (config: PgConnection.Config, timeoutMs: number) {
  const postgres = yield* dependency("postgresql")
  const all = new Set<Session>()
  // The one used last is at the end, and is used next.
  const unused: Array<Session> = []

  const note = (error: SqlError) => (isAway(error) ? postgres.failed(causeOf(error)) : undefined)
  const observe: Observe = (exit) => {
    if (Exit.isSuccess(exit)) return postgres.outage === undefined ? undefined : postgres.worked
    const reason = exit.cause.reasons[0]
    return reason?._tag === "Fail" ? note(reason.error) : undefined
  }

  /** Opens a session for `keep`. */
  const open = (keep: (session: Session) => void): Effect.Effect<void, SqlError> =>
    Session.open(config, observe, (session) => {
      all.add(session)
      keep(session)
    }).pipe(
      Effect.tap(() => postgres.worked),
      Effect.tapError((error) => note(error) ?? Effect.void)
    )

  const discard = (session: Session) =>
    Effect.suspend(() => {
      all.delete(session)
      return session.close
    })

  /** A session that is idle. */
  const pop = (): Session | undefined => {
    for (let session = unused.pop(); session !== undefined; session = unused.pop()) if (session.idle) return session
    return undefined
  }

  /** A session that is idle, or a new one, for `keep`. */
  const take = (keep: (session: Session) => void): Effect.Effect<void, SqlError> =>
    Effect.suspend(() => {
      const session = pop()
      if (session === undefined) return open(keep)
      keep(session)
      return Effect.void
    })

  /** Keeps the session for the next borrower, if it is idle. */
  const keep = (session: Session): boolean => {
    if (!session.idle) return false
    session.unusedSince = performance.now()
    unused.push(session)
    return true
  }
  const keepOrDiscard = (session: Session): Effect.Effect<void> =>
    Effect.suspend(() => (keep(session) ? Effect.void : discard(session)))

  /** Gives up sessions that are silent for longer than `limitMs`, and unused ones not heard of since then. */
  const giveUp = (limitMs: number, now: number) =>
    Effect.suspend(() => {
      let since = Number.NEGATIVE_INFINITY
      for (const session of all) {
        const silence = session.silence(now)
        if (silence <= limitMs) continue
        since = Math.max(since, now - silence)
        session.fail(new NoAnswer(silence))
      }
      // Where one connection died silently, the others likely did too, and each would cost a request as much time.
      const gone = unused.filter(
        (session) => !session.idle || session.heardAt < since || now - session.unusedSince > UNUSED_MS
      )
      for (const session of gone) unused.splice(unused.indexOf(session), 1)
      for (const session of all) if (!session.alive && !gone.includes(session)) gone.push(session)
      return Effect.forEach(gone, discard, { discard: true })
    })

  /** Whether the server is there. A refusal is an answer too. */
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
      onSuccess: () => Effect.void,
      onFailure: (error) =>
        sqlState(error) === undefined
          ? Effect.andThen(
              note(error) ?? Effect.void,
              Effect.suspend(() => giveUp(SUSPECT_MS, performance.now()))
            )
          : Effect.void
    })
  )

  const scope = yield* Effect.scope
  let lookedAt = performance.now()
  let probing = false
  const look = Effect.suspend(() => {
    const now = performance.now()
    const late = now - lookedAt > LATE_MS
    lookedAt = now
    if (late) return Effect.void
    if (probing || ![...all].some((session) => session.silence(now) > SUSPECT_MS)) return giveUp(timeoutMs, now)
    probing = true
    const asked = Effect.ensuring(
      Effect.andThen(probe, Effect.sleep(SUSPECT_MS)),
      Effect.sync(() => (probing = false))
    )
    return Effect.andThen(giveUp(timeoutMs, now), Effect.asVoid(Effect.forkIn(asked, scope)))
  })
  yield* realTime(repeat({ name: "the look after connections", every: CHECK_MS, late: "10 seconds" }, look))
  yield* Effect.addFinalizer(() => Effect.forEach([...all], discard, { discard: true }))
  return { open, take, discard, pop, keep, keepOrDiscard }
})

export type Sessions = Effect.Success<ReturnType<typeof make>>
