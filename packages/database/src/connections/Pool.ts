import type { Unavailable } from "@llm-saas/domain/Refusal"
import type { PgConnection } from "@effect/sql-pg"
import { Context, Duration, Effect, Layer, type Redacted, Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { driverOptions } from "../logins/DatabaseUrl.ts"
import { outageOrBug, unavailable } from "../PostgresError.ts"
import { type Connection, Lease } from "./Session.ts"
import * as Sessions from "./Sessions.ts"
import { realTime } from "./Sessions.ts"
import * as SharedSessions from "./SharedSessions.ts"
import { type Turn, Turns } from "./FairTurns.ts"

/** Limits of the pool. */
export interface PoolOptions {
  readonly url: Redacted.Redacted
  /** Most connections. A quarter of them is for single statements, see {@link Pool.query}; at least one of each kind. */
  readonly size: number
  /** How long a request waits for a connection (its turn and the opening together) before it is refused. */
  readonly acquireTimeout: Duration.Input
  /** How many requests may wait at once, a quarter of them in one line; one more is refused at once. */
  readonly waiting: number
  /**
   * How long the server may be silent on a statement before the connection is given up. Longer than the login's `statement_timeout`, after
   * which the server itself ends a statement: only a lost server is silent for longer. Default: 17 seconds.
   */
  readonly statementTimeout?: Duration.Input | undefined
  /**
   * Whether the server parses a statement once per connection, or every time it is sent. A pooler in transaction mode must track prepared
   * statements: PgBouncer does from 1.21 on, with `max_prepared_statements`. Default: true.
   */
  readonly prepare?: boolean | undefined
}

/** Requests that may always wait in one line, however small the total limit. */
const WAITING_PER_LINE = 20

/** The line a request waits in: each tenant has its own line, and work without a tenant has other lines. */
export type Line = string
const SHARED: Line = "shared"

/**
 * Connections to PostgreSQL, each lent to one borrower at a time. A lent connection pipelines: statements submitted in one turn of the
 * event loop leave in one write, in order. So BEGIN and the statements after it travel together, and no other tenant's statement can come
 * between.
 * However a borrower ends (success, failure, interruption, defect), its connection serves another one only if the server last reported
 * "idle" and no statement of the borrower is under way; else it is discarded. This is decided here and nowhere else.
 */
export class Pool extends Context.Service<
  Pool,
  {
    /** Lends a connection for as long as `work` runs. Waits for one in `line`: for a limited time, and refused if too many wait. */
    readonly use: <A, E, R>(
      work: (connection: Connection) => Effect.Effect<A, E, R>,
      line?: Line
    ) => Effect.Effect<A, E | SqlError | Unavailable, R>
    /**
     * One statement that is a transaction of its own, on a shared connection: several are under way at once, and each ends before the next
     * begins. Only for statements that never wait for a lock, since all statements behind would wait too. An interrupted one may still run.
     */
    readonly query: (
      sql: string,
      params: ReadonlyArray<unknown>,
      line?: Line
    ) => Effect.Effect<PgConnection.Result, SqlError | Unavailable>
    /** One statement on a connection of its own, which may wait for a lock; `rows` reads its rows. A row that does not fit is a defect. */
    readonly call: <A, I>(
      sql: string,
      params: ReadonlyArray<unknown>,
      rows: Schema.Codec<A, I>,
      line?: Line
    ) => Effect.Effect<A, Unavailable>
    /** Number of lent connections and of waiting requests, for metrics. */
    readonly load: () => { readonly lent: number; readonly waiting: number; readonly size: number }
  }
>()("@llm-saas/database/connections/Pool") {
  static readonly layer = (options: PoolOptions) =>
    Layer.effect(
      Pool,
      Effect.gen(function* () {
        const { acquireTimeout, prepare = true, size, statementTimeout = "17 seconds", url } = options
        const config: PgConnection.Config = {
          ...driverOptions(url),
          // Makes a connection pipeline.
          multiplex: true,
          applicationName: "llm-saas",
          prepare,
          connectTimeout: "5 seconds",
          keepAlive: "5 seconds"
        }
        const scope = yield* Effect.scope
        const sessions = yield* Sessions.make(config, Duration.toMillis(Duration.fromInputUnsafe(statementTimeout)))
        const sharing = Math.max(1, Math.floor(size / 4))
        const rooms: Lane<Lease> = {
          turns: new Turns(Math.max(1, size - sharing)),
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
        const statements: Lane<SharedSessions.Place> = {
          turns: new Turns(sharing * SharedSessions.STATEMENTS_PER_SESSION),
          ...(yield* SharedSessions.make(sessions, sharing))
        }
        const patienceMs = Duration.toMillis(Duration.fromInputUnsafe(acquireTimeout))
        const waiting = () => rooms.turns.waiting + statements.turns.waiting
        const perLine = Math.max(Math.min(WAITING_PER_LINE, options.waiting), Math.floor(options.waiting / 4))

        /** Waits for the turn and the connection together, no longer than allowed. */
        const wait = <Seat>({ now, open, turns }: Lane<Seat>, turn: Turn<Line>, keep: (seat: Seat) => void) =>
          Effect.suspend(() => {
            if (!turn.taken && (waiting() >= options.waiting || turns.waitingIn(turn.line) >= perLine))
              return Effect.fail(unavailable())
            const began = performance.now()
            const opened = Effect.suspend(() => {
              const seat = now()
              if (seat !== undefined) return Effect.sync(() => keep(seat))
              const left = patienceMs - (performance.now() - began)
              return realTime(
                Effect.timeoutOrElse(open(keep), { duration: left, orElse: () => Effect.fail(unavailable()) })
              )
            })
            return turn.taken
              ? opened
              : Effect.flatMap(turns.take(turn, patienceMs), (taken) => (taken ? opened : Effect.fail(unavailable())))
          })

        /** `work` is uninterruptible except for what it restores. Its connection is taken back however it and the waiting end. */
        const lend = <Seat, A, E, R>(
          lane: Lane<Seat>,
          line: Line,
          work: (seat: Seat, restore: Restore) => Effect.Effect<A, E, R>
        ) =>
          Effect.uninterruptibleMask((restore) => {
            const turn = { line, taken: false }
            const giveTurn = () => lane.turns.give(turn)
            // Nearly always a connection is free, and then waiting costs nothing.
            let seat = lane.turns.tryTake(turn) ? lane.now() : undefined
            const lent: Effect.Effect<A, E | SqlError | Unavailable, R> =
              seat === undefined
                ? Effect.flatMap(restore(wait(lane, turn, (found) => (seat = found))), () =>
                    seat === undefined ? Effect.die("no connection") : work(seat, restore)
                  )
                : work(seat, restore)
            return Effect.onExitPrimitive(lent, () => (seat === undefined ? giveTurn() : lane.done(seat, giveTurn)))
          })

        const use: Pool["Service"]["use"] = (work, line = SHARED) =>
          lend(rooms, line, (lease, restore) => restore(Effect.suspend(() => work(lease))))
        const query: Pool["Service"]["query"] = (sql, params, line = SHARED) =>
          lend(statements, line, ({ session }, restore): Effect.Effect<PgConnection.Result, SqlError | Unavailable> =>
            session === undefined ? Effect.fail(unavailable()) : restore(session.query(sql, params, prepare))
          )

        const call: Pool["Service"]["call"] = (sql, params, rows, line) =>
          use((connection) => connection.query(sql, params), line).pipe(
            Effect.catchTag("SqlError", outageOrBug),
            Effect.flatMap((result) => Effect.orDie(Schema.decodeUnknownEffect(rows)(result.rows)))
          )

        return Pool.of({
          use,
          query,
          call,
          load: () => ({ lent: rooms.turns.held + statements.turns.held, waiting: waiting(), size })
        })
      })
    )
}

/** How connections of one kind are lent. */
interface Lane<Seat> {
  readonly turns: Turns<Line>
  /** An open one. The caller has the turn. */
  readonly now: () => Seat | undefined
  /** One that may have to be opened; it is given to `keep`, even if the caller no longer waits. */
  readonly open: (keep: (seat: Seat) => void) => Effect.Effect<void, SqlError>
  /**
   * Takes it back, and passes the turn on as soon as the connection is free. Returns the remaining cleanup, which the caller does not wait
   * for.
   */
  readonly done: (seat: Seat, giveTurn: () => undefined) => Effect.Effect<void> | undefined
}

type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
