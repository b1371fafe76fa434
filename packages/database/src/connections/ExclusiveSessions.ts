import { Effect } from "effect"
import { Turns } from "./FairTurns.ts"
import type { ConnectionKind } from "./Lending.ts"
import { Lease } from "./Session.ts"
import type { Sessions } from "./Sessions.ts"

/** Sessions lent to one borrower at a time, `count` at most. */
export const make = Effect.fnUntraced(function* (sessions: Sessions, count: number) {
  const scope = yield* Effect.scope
  const kind: ConnectionKind<Lease> = {
    turns: new Turns(count),
    now: () => {
      const session = sessions.pop()
      return session === undefined ? undefined : new Lease(session)
    },
    open: (keep) => sessions.take((session) => keep(new Lease(session))),
    done: (lease, giveTurn) => {
      const { session } = lease
      lease.end()
      if (sessions.keep(session)) return giveTurn()
      // A statement under way keeps its turn until it ends, but the caller does not wait for it.
      const settled = Effect.andThen(session.quiet, sessions.keepOrDiscard(session))
      return Effect.asVoid(Effect.forkIn(Effect.ensuring(settled, Effect.sync(giveTurn)), scope))
    }
  }
  return kind
})
