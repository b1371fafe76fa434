import { PgConnection } from "@effect/sql-pg"
import { Effect, Exit, Predicate, Scope } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { Duplex } from "node:stream"
import { ofLogin } from "../logins/LoginCheck.ts"
import { ServerMessages } from "./ServerMessages.ts"

/** The operations of a borrower on a connection. */
export type Connection = Pick<PgConnection.PgConnection, "query">

/** Receives the exit of a statement. Undefined: nothing to do. */
export type Observe = (exit: Exit.Exit<unknown, SqlError>) => Effect.Effect<void> | undefined

/**
 * A session with the server, and whether it is idle: the server last reported so, and no statement of ours is under way. All state of a
 * session is here, so that one place decides whether it may serve another borrower.
 */
export class Session {
  readonly #connection: PgConnection.PgConnection
  readonly #socket: Duplex
  readonly #scope: Scope.Closeable
  readonly #observe: Observe
  readonly #messages = new ServerMessages()
  /** Statements that have not ended here. */
  #running = 0
  /** Whether a caller left a statement before its end: it may still be under way. */
  #left = false
  /** Since when (`performance.now()`) there is something to wait for. */
  #since: number | undefined = undefined
  #stopped = () => {}
  /** Since when (`performance.now()`) it has no borrower. */
  unusedSince = performance.now()

  private constructor(connection: PgConnection.PgConnection, socket: Duplex, scope: Scope.Closeable, observe: Observe) {
    this.#connection = connection
    this.#socket = socket
    this.#scope = scope
    this.#observe = observe
    // Before the driver: a caller that the driver tells of an answer finds it read here.
    socket.prependListener("data", (chunk: Uint8Array) => this.#messages.read(chunk))
  }

  /** Opens one, and hands it to `keep`, even if the caller no longer waits. Bounded by the driver's `connectTimeout`. */
  static readonly open = (
    config: PgConnection.Config,
    observe: Observe,
    keep: (session: Session) => void
  ): Effect.Effect<void, SqlError> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Scope.make(), (scope) =>
        restore(Scope.provide(Effect.tap(PgConnection.make(config), ofLogin), scope)).pipe(
          Effect.flatMap((connection) =>
            Effect.map(socketOf(connection), (socket) => keep(new Session(connection, socket, scope, observe)))
          ),
          Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
        )
      )
    )

  get alive(): boolean {
    return !this.#socket.destroyed && this.#socket.writable && !this.#messages.broken
  }

  /** Whether a statement is under way. */
  get busy(): boolean {
    return this.#running > 0
  }

  /** Whether a caller left a statement that may still be under way. See {@link quiet}. */
  get left(): boolean {
    return this.#left
  }

  /** Whether it can serve another borrower. */
  get idle(): boolean {
    return this.alive && this.#running === 0 && !this.#left && this.#messages.status === "I" && !this.#messages.changed
  }

  /** When (`performance.now()`) the server last said something. */
  get heardAt(): number {
    return this.#messages.readyAt
  }

  /** How long (ms) an answer has been awaited. */
  silence(now: number): number {
    return this.#since === undefined ? 0 : now - Math.max(this.#since, this.#messages.readyAt)
  }

  readonly query: Connection["query"] = (sql, params, prepare) => Effect.suspend(() => this.send(sql, params, prepare))

  /**
   * As {@link query}, for one of several callers: what they send in one turn of the event loop leaves in one write at its end. The driver
   * alone writes once for each request that is read from a socket, and a write costs more than all else in sending a statement.
   */
  readonly queryTogether: Connection["query"] = (sql, params, prepare) =>
    Effect.suspend(() => {
      if (this.#socket.writableCorked === 0) {
        this.#socket.cork()
        setImmediate(() => this.#socket.uncork())
      }
      return this.send(sql, params, prepare)
    })

  /** As {@link query}, for callers that are being run: it counts from now on. */
  send(sql: string, params: ReadonlyArray<unknown> | undefined, prepare: boolean | undefined) {
    this.#running++
    this.#since ??= performance.now()
    return Effect.onExitPrimitive(this.#connection.query(sql, params, prepare), this.#ended)
  }

  readonly #ended = (exit: Exit.Exit<unknown, SqlError>): Effect.Effect<void> | undefined => {
    this.#running--
    if (Exit.hasInterrupts(exit)) this.#left = true
    if (this.#running === 0) {
      if (!this.#left) this.#since = undefined
      this.#stopped()
    }
    return this.#observe(exit)
  }

  /** Waits until no statement is under way. Bounded by {@link fail}, which the pool calls on a session that stays silent. */
  get quiet(): Effect.Effect<void> {
    const running = Effect.callback<void>((resume) => {
      if (this.#running === 0) return resume(Effect.void)
      this.#stopped = () => resume(Effect.void)
    })
    // A pin waits for all statements on the connection, of any caller.
    return Effect.andThen(running, Effect.scoped(this.#connection.pin)).pipe(
      Effect.andThen(
        Effect.sync(() => {
          this.#left = false
          this.#since = undefined
          this.#stopped = () => {}
        })
      )
    )
  }

  /** Gives it up: callers that wait for an answer fail, as with a lost connection. */
  fail(error: Error): void {
    this.#socket.destroy(error)
  }

  /** Sends Terminate and closes. */
  get close(): Effect.Effect<void> {
    return Scope.close(this.#scope, Exit.void)
  }
}

/** A session for as long as it is lent. Later calls never reach the session. */
export class Lease implements Connection {
  readonly session: Session
  #over = false

  constructor(session: Session) {
    this.session = session
  }

  readonly query: Connection["query"] = (sql, params, prepare) =>
    Effect.suspend(() =>
      this.#over ? Effect.die("a statement outlived its lease") : this.session.send(sql, params, prepare)
    )

  end(): void {
    this.#over = true
  }
}

/** The driver does not expose it; a version of the driver that hides it better fails at the first connection. */
const socketOf = (connection: PgConnection.PgConnection): Effect.Effect<Duplex> => {
  const session = Predicate.hasProperty(connection, "session") ? connection.session : undefined
  const socket = Predicate.hasProperty(session, "socket") ? session.socket : undefined
  return socket instanceof Duplex ? Effect.succeed(socket) : Effect.die("this driver does not show its socket")
}
