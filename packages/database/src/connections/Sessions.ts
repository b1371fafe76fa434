import type { PgConnection } from "@effect/sql-pg"
import { Effect, type Scope } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import type { Session } from "./Session.ts"
import { makeOpener, type SessionOpener } from "./SessionOpener.ts"
import { watchSilence } from "./SilenceWatch.ts"

/** The open sessions of a pool, lent or not. */
export class Sessions {
  readonly #opener: SessionOpener
  readonly #all = new Set<Session>()
  /** Sessions without a borrower. The one used last is at the end, and is used next. */
  #unused: Array<Session> = []

  private constructor(opener: SessionOpener) {
    this.#opener = opener
  }

  /** None at first. Those that are silent for `timeoutMs` while they owe an answer are given up. All are closed with the scope. */
  static readonly make = Effect.fnUntraced(function* (
    config: PgConnection.Config,
    timeoutMs: number
  ): Effect.fn.Return<Sessions, never, Scope.Scope> {
    const opener = yield* makeOpener(config)
    const sessions = new Sessions(opener)
    yield* watchSilence(sessions, opener, timeoutMs)
    yield* Effect.addFinalizer(() => Effect.forEach([...sessions], sessions.discard, { discard: true }))
    return sessions
  })

  /** Opens a session for `keep`. */
  readonly open = (keep: (session: Session) => void): Effect.Effect<void, SqlError> =>
    this.#opener.open((session) => {
      this.#all.add(session)
      keep(session)
    })

  /** A session that is idle. */
  pop(): Session | undefined {
    for (let session = this.#unused.pop(); session !== undefined; session = this.#unused.pop())
      if (session.idle) return session
    return undefined
  }

  /** A session that is idle, or a new one, for `keep`. */
  readonly take = (keep: (session: Session) => void): Effect.Effect<void, SqlError> =>
    Effect.suspend(() => {
      const session = this.pop()
      if (session === undefined) return this.open(keep)
      keep(session)
      return Effect.void
    })

  /** Keeps the session for the next borrower, if it is idle. */
  keep(session: Session): boolean {
    if (!session.idle) return false
    session.unusedSince = performance.now()
    this.#unused.push(session)
    return true
  }

  readonly keepOrDiscard = (session: Session): Effect.Effect<void> =>
    Effect.suspend(() => (this.keep(session) ? Effect.void : this.discard(session)))

  readonly discard = (session: Session): Effect.Effect<void> =>
    Effect.suspend(() => {
      this.#all.delete(session)
      return session.close
    })

  /** Discards lost sessions, and of those without a borrower the ones that are not idle or that `unwanted` names. */
  discardWhere(unwanted: (session: Session) => boolean): Effect.Effect<void> {
    const gone = new Set(this.#unused.filter((session) => !session.idle || unwanted(session)))
    if (gone.size > 0) this.#unused = this.#unused.filter((session) => !gone.has(session))
    for (const session of this.#all) if (!session.alive) gone.add(session)
    return Effect.forEach(gone, this.discard, { discard: true })
  }

  [Symbol.iterator](): Iterator<Session> {
    return this.#all.values()
  }

  some(holds: (session: Session) => boolean): boolean {
    for (const session of this.#all) if (holds(session)) return true
    return false
  }
}
