import { Deferred, Effect } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { Turns } from "./FairTurns.ts"
import type { ConnectionKind } from "./Lending.ts"
import type { Session } from "./Session.ts"
import type { Sessions } from "./Sessions.ts"

/** Most statements under way on one shared session. PostgreSQL runs them one after the other: more would only wait there. */
const STATEMENTS_PER_SESSION = 8

/** The place of one session that several statements share. */
export interface Place {
  session: Session | undefined
  opening: Deferred.Deferred<void, SqlError> | undefined
  /** Statements assigned to this place. */
  load: number
}

/** Sessions for statements that are transactions of their own, `count` at most. Each is opened when it is first needed. */
export const make = Effect.fnUntraced(function* (sessions: Sessions, count: number) {
  const scope = yield* Effect.scope
  const places = Array.from({ length: count }, (): Place => ({ session: undefined, opening: undefined, load: 0 }))

  const leastLoaded = () => places.reduce((least, place) => (place.load < least.load ? place : least))

  const placeOf = ({ together }: { readonly together?: number | undefined }) =>
    (together === undefined ? undefined : places[together % count]) ?? leastLoaded()

  /** A place with an open session, if the least loaded one has one. */
  const now: ConnectionKind<Place>["now"] = (turn) => {
    const place = placeOf(turn)
    if (place.session?.alive !== true) return undefined
    place.load++
    return place
  }

  /** Opens a session at a place for `keep`. One opening serves all callers that wait there, and goes on when they no longer wait. */
  const open: ConnectionKind<Place>["open"] = (keep, turn) =>
    Effect.suspend(() => {
      const place = placeOf(turn)
      place.load++
      keep(place)
      if (place.session?.alive === true) return Effect.void
      if (place.opening !== undefined) return Deferred.await(place.opening)
      const opening = Deferred.makeUnsafe<void, SqlError>()
      place.opening = opening
      const opened = Effect.flatMap(Effect.exit(sessions.open((session) => (place.session = session))), (exit) => {
        place.opening = undefined
        return Deferred.done(opening, exit)
      })
      return Effect.andThen(Effect.forkIn(opened, scope), Deferred.await(opening))
    })

  /** A statement ended there. When none is under way, the session is checked and kept or closed. */
  const done: ConnectionKind<Place>["done"] = (place, giveTurn) => {
    place.load--
    giveTurn()
    const { session } = place
    if (session === undefined || session.busy || session.idle) return undefined
    const check = Effect.suspend(() => {
      if (session.busy || session.idle) return Effect.void
      if (place.session === session) place.session = undefined
      return sessions.discard(session)
    })
    return session.left ? Effect.asVoid(Effect.forkIn(Effect.andThen(session.quiet, check), scope)) : check
  }

  const kind: ConnectionKind<Place> = { turns: new Turns(count * STATEMENTS_PER_SESSION), now, open, done }
  return kind
})
