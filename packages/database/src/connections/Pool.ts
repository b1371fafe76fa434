import type { Unavailable } from "@llm-saas/domain/Refusal"
import type { PgConnection } from "@effect/sql-pg"
import { Context, Duration, Effect, Layer, type Redacted, Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { driverOptions } from "../logins/DatabaseUrl.ts"
import { outageOrBug, unavailable } from "../PostgresError.ts"
import * as ExclusiveSessions from "./ExclusiveSessions.ts"
import type { Turns } from "./FairTurns.ts"
import { lending, type Line } from "./Lending.ts"
import type { Connection } from "./Session.ts"
import { Sessions } from "./Sessions.ts"
import * as SharedSessions from "./SharedSessions.ts"

/** Limits of the pool. */
export interface PoolOptions {
  readonly url: Redacted.Redacted
  /**
   * Most connections. A quarter of them is for {@link Pool.query}, at least one; of eight and more, another quarter for {@link Pool.write}; the
   * rest, at least one, is lent.
   */
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

const SHARED: Line = "shared"

/**
 * Connections to PostgreSQL, each lent to one borrower at a time. A lent connection pipelines: statements submitted in one turn of the
 * event loop leave in one write, in order. So BEGIN and the statements after it travel together, and no other tenant's statement can come
 * between.
 * However a borrower ends (success, failure, interruption, defect), its connection serves another one only if the server last reported
 * "idle" and no statement of the borrower is under way; else it is discarded. `Session.idle` decides this, and nothing else does.
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
    /**
     * As {@link query}, for statements that write: each is committed before the next begins, and readers would wait for that on their
     * connections. One that is under way is not interrupted. Those sent in one turn of the event loop leave in one write, which is the
     * greatest part of what they cost the program. Those with the same `together` follow each other on one connection: they would find the
     * rows locked that they need.
     */
    readonly write: (
      sql: string,
      params: ReadonlyArray<unknown>,
      line?: Line,
      together?: number
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
        const sessions = yield* Sessions.make(config, millis(statementTimeout))
        const sharing = Math.max(1, Math.floor(size / 4))
        const shared = yield* SharedSessions.make(sessions, sharing)
        const writing = size < 8 ? shared : yield* SharedSessions.make(sessions, sharing)
        const kinds = new Set([shared, writing])
        const exclusive = yield* ExclusiveSessions.make(sessions, Math.max(1, size - kinds.size * sharing))
        const total = (of: (turns: Turns<Line>) => number) =>
          [...kinds].reduce((sum, { turns }) => sum + of(turns), of(exclusive.turns))
        const waiting = () => total((turns) => turns.waiting)
        const limits = {
          timeoutMs: millis(acquireTimeout),
          waiting: options.waiting,
          waitingPerLine: Math.max(Math.min(WAITING_PER_LINE, options.waiting), Math.floor(options.waiting / 4))
        }
        const lend = lending(limits, waiting)

        const use: Pool["Service"]["use"] = (work, line = SHARED) =>
          lend(exclusive, line, (lease, restore) => restore(Effect.suspend(() => work(lease))))
        const query: Pool["Service"]["query"] = (sql, params, line = SHARED) =>
          lend(shared, line, ({ session }, restore): Statement =>
            session === undefined ? Effect.fail(unavailable()) : restore(session.queryTogether(sql, params, prepare))
          )
        const write: Pool["Service"]["write"] = (sql, params, line = SHARED, together) =>
          lend(
            writing,
            line,
            ({ session }): Statement =>
              session === undefined ? Effect.fail(unavailable()) : session.queryTogether(sql, params, prepare),
            together
          )
        const call: Pool["Service"]["call"] = (sql, params, rows, line) =>
          use((connection) => connection.query(sql, params), line).pipe(
            Effect.catchTag("SqlError", outageOrBug),
            Effect.flatMap((result) => Effect.orDie(Schema.decodeUnknownEffect(rows)(result.rows)))
          )

        return Pool.of({
          use,
          query,
          write,
          call,
          load: () => ({ lent: total((turns) => turns.held), waiting: waiting(), size })
        })
      })
    )
}

type Statement = Effect.Effect<PgConnection.Result, SqlError | Unavailable>

const millis = (duration: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(duration))
