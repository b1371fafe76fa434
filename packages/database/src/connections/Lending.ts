import type { Unavailable } from "@llm-saas/domain/Refusal"
import { Effect } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { unavailable } from "../PostgresError.ts"
import type { Turn, Turns } from "./FairTurns.ts"
import { realTime } from "./RealTime.ts"

/** The line a request waits in: each tenant has its own line, and work without a tenant has other lines. */
export type Line = string

/** How connections of one kind are lent. `Lent` is what a borrower gets. */
export interface ConnectionKind<Lent> {
  readonly turns: Turns<Line>
  /** An open one. The caller has the turn. */
  readonly now: (turn: Turn<Line>) => Lent | undefined
  /** One that may have to be opened; it is given to `keep`, even if the caller no longer waits. */
  readonly open: (keep: (lent: Lent) => void, turn: Turn<Line>) => Effect.Effect<void, SqlError>
  /**
   * Takes it back, and passes the turn on as soon as the connection is free. Returns the remaining cleanup, which the caller does not wait
   * for.
   */
  readonly done: (lent: Lent, giveTurn: () => undefined) => Effect.Effect<void> | undefined
}

/** How long a request waits, and how many may wait. */
export interface WaitingLimits {
  /** Ms for its turn and the opening of a connection together. */
  readonly timeoutMs: number
  /** How many may wait at once, for connections of every kind. */
  readonly waiting: number
  /** How many of them in one line. */
  readonly waitingPerLine: number
}

/** Lends connections within these limits; `waiting` counts who waits now. */
export const lending = (limits: WaitingLimits, waiting: () => number) => {
  /** Waits for the turn and the connection together, no longer than allowed. */
  const wait = <Lent>({ now, open, turns }: ConnectionKind<Lent>, turn: Turn<Line>, keep: (lent: Lent) => void) =>
    Effect.suspend(() => {
      if (!turn.taken && (waiting() >= limits.waiting || turns.waitingIn(turn.line) >= limits.waitingPerLine))
        return Effect.fail(unavailable())
      const began = performance.now()
      const opened = Effect.suspend(() => {
        const lent = now(turn)
        if (lent !== undefined) return Effect.sync(() => keep(lent))
        const left = limits.timeoutMs - (performance.now() - began)
        return realTime(
          Effect.timeoutOrElse(open(keep, turn), { duration: left, orElse: () => Effect.fail(unavailable()) })
        )
      })
      return turn.taken
        ? opened
        : Effect.flatMap(turns.take(turn, limits.timeoutMs), (taken) => (taken ? opened : Effect.fail(unavailable())))
    })

  /** `work` is uninterruptible except for what it restores. Its connection is taken back however it and the waiting end. */
  return <Lent, A, E, R>(
    kind: ConnectionKind<Lent>,
    line: Line,
    work: (lent: Lent, restore: Restore) => Effect.Effect<A, E, R>,
    together?: number
  ) =>
    Effect.uninterruptibleMask((restore) => {
      const turn = { line, taken: false, together }
      const giveTurn = () => kind.turns.give(turn)
      // Nearly always a connection is free, and then waiting costs nothing.
      let lent = kind.turns.tryTake(turn) ? kind.now(turn) : undefined
      const done: Effect.Effect<A, E | SqlError | Unavailable, R> =
        lent === undefined
          ? Effect.flatMap(restore(wait(kind, turn, (found) => (lent = found))), () =>
              lent === undefined ? Effect.die("no connection") : work(lent, restore)
            )
          : work(lent, restore)
      return Effect.onExitPrimitive(done, () => (lent === undefined ? giveTurn() : kind.done(lent, giveTurn)))
    })
}

type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
