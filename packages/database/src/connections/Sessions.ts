import { dependency } from "@llm-saas/domain/Dependency"
import { repeat } from "@llm-saas/domain/Loop"
import type { PgConnection } from "@effect/sql-pg"
import { Clock, Effect, Exit } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { causeOf, isAway, NoAnswer, sqlState } from "../PostgresError.ts"
import { type Observe, Session } from "./Session.ts"

/** How often (ms) it is looked for sessions that are silent, or not needed any more. */
const TICK = 250
/** A look that comes later (ms) than this finds answers unread that have long come: the process slept, and the next look decides. */
const LATE = 4 * TICK
/** Ms after which a session that nobody borrowed is closed. */
const UNUSED = 300_000

/** Ms of silence after which it is asked, on a new connection, whether the server is there at all: a slow statement is no reason to give up. */
const SUSPECT = 3000

/** Sockets live in the real time, whatever time the program is told. */
export const realTime = Effect.provideService(Clock.Clock, Clock.Clock.defaultValue())

/** The open sessions of a pool, in use or not. `timeout` is in ms: one that is silent for longer while it owes an answer is given up. */
export const make = Effect.fnUntraced(function* (config: PgConnection.Config, timeout: number) {
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

  /** Gives up what is silent for longer than `limit` ms, and what is not in use and was not heard of since. */
  const giveUp = (limit: number, now: number) =>
    Effect.suspend(() => {
      let since = Number.NEGATIVE_INFINITY
      for (const session of all) {
        const silence = session.silence(now)
        if (silence <= limit) continue
        since = Math.max(since, now - silence)
        session.fail(new NoAnswer(silence))
      }
      // Where one died silently, the others likely did too, and each would cost a request as much time.
      const gone = unused.filter(
        (session) => !session.idle || session.heardAt < since || now - session.unusedSince > UNUSED
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
              Effect.suspend(() => giveUp(SUSPECT, performance.now()))
            )
          : Effect.void
    })
  )

  const scope = yield* Effect.scope
  let lookedAt = performance.now()
  let probing = false
  const look = Effect.suspend(() => {
    const now = performance.now()
    const late = now - lookedAt > LATE
    lookedAt = now
    if (late) return Effect.void
    if (probing || ![...all].some((session) => session.silence(now) > SUSPECT)) return giveUp(timeout, now)
    probing = true
    const asked = Effect.ensuring(
      Effect.andThen(probe, Effect.sleep(SUSPECT)),
      Effect.sync(() => (probing = false))
    )
    return Effect.andThen(giveUp(timeout, now), Effect.asVoid(Effect.forkIn(asked, scope)))
  })
  yield* realTime(repeat({ name: "the look after connections", every: TICK, late: "10 seconds" }, look))
  yield* Effect.addFinalizer(() => Effect.forEach([...all], discard, { discard: true }))
  return { open, take, discard, pop, keep, keepOrDiscard }
})

export type Sessions = Effect.Success<ReturnType<typeof make>>
