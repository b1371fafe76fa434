import { repeat } from "@llm-saas/domain/Loop"
import { Effect } from "effect"
import { NoAnswer } from "../PostgresError.ts"
import { realTime } from "./RealTime.ts"
import type { Session } from "./Session.ts"
import type { SessionOpener } from "./SessionOpener.ts"

/** How often (ms) sessions are checked for silence, or for not being needed any more. */
const CHECK_MS = 250
/** A check later (ms) than this may find unread answers that arrived long ago: the process slept, and the next check decides. */
const LATE_MS = 4 * CHECK_MS
/** Ms after which a session without a borrower is closed. */
const UNUSED_MS = 300_000

/** Ms of silence after which a new connection asks whether the server is there at all: a slow statement is no reason to give up. */
const SUSPECT_MS = 3000

/** The open sessions, as far as the watch uses them. */
interface OpenSessions extends Iterable<Session> {
  readonly some: (is: (session: Session) => boolean) => boolean
  /** Discards unused sessions for which this is true, and lost ones. */
  readonly discardWhere: (is: (session: Session) => boolean) => Effect.Effect<void>
}

/** Until the scope closes, gives up sessions that owe an answer for longer than `timeoutMs`, and closes those not needed any more. */
export const watchSilence = Effect.fnUntraced(function* (
  sessions: OpenSessions,
  opener: SessionOpener,
  timeoutMs: number
) {
  const scope = yield* Effect.scope
  let checkedAt = performance.now()
  let probing = false

  /** Where the server does not answer a new connection, silent sessions are given up before their time. */
  const probe = Effect.flatMap(opener.probe, (answered) =>
    answered ? Effect.void : Effect.suspend(() => giveUp(sessions, SUSPECT_MS, performance.now()))
  )

  const check = Effect.suspend(() => {
    const now = performance.now()
    const late = now - checkedAt > LATE_MS
    checkedAt = now
    if (late) return Effect.void
    if (probing || !sessions.some((session) => session.silence(now) > SUSPECT_MS))
      return giveUp(sessions, timeoutMs, now)
    probing = true
    const probed = Effect.ensuring(
      Effect.andThen(probe, Effect.sleep(SUSPECT_MS)),
      Effect.sync(() => (probing = false))
    )
    return Effect.andThen(giveUp(sessions, timeoutMs, now), Effect.asVoid(Effect.forkIn(probed, scope)))
  })
  yield* realTime(repeat({ name: "the look after connections", every: CHECK_MS, late: "10 seconds" }, check))
})

/** Gives up sessions that are silent for longer than `limitMs`, and unused ones not heard of since then. */
const giveUp = (sessions: OpenSessions, limitMs: number, now: number): Effect.Effect<void> =>
  Effect.suspend(() => {
    let since = Number.NEGATIVE_INFINITY
    for (const session of sessions) {
      const silence = session.silence(now)
      if (silence <= limitMs) continue
      since = Math.max(since, now - silence)
      session.fail(new NoAnswer(silence))
    }
    // Where one connection died silently, the others likely did too, and each would cost a request as much time.
    return sessions.discardWhere((session) => session.heardAt < since || now - session.unusedSince > UNUSED_MS)
  })
