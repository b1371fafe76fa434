import type { Unavailable } from "@llm-saas/domain/Refusal"
import { type PgConnection, PgPool } from "@effect/sql-pg"
import { Context, type Duration, Effect, Layer, type Redacted } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { unavailable } from "./Outage.ts"

/** How the pool is dimensioned. */
export interface PoolOptions {
  readonly url: Redacted.Redacted
  /** Connections at most. A quarter of them is for single statements, see {@link Pool.query}; at least one for each kind. */
  readonly size: number
  /** How long a request waits for a free connection before it is told to come back. */
  readonly acquireTimeout: Duration.Input
  /** How many requests may wait at once; one more is told to come back at once. */
  readonly waiting: number
  /**
   * Whether the server parses a statement once for each connection, or every time it is sent. A pooler in transaction mode in between
   * has to follow: PgBouncer does from 1.21 on, with `max_prepared_statements`. Default: true.
   */
  readonly prepare?: boolean | undefined
}

/** Statements under way on one shared connection. PostgreSQL works at one after the other: more would only wait there. */
const DEPTH = 8

/**
 * Connections to PostgreSQL, each lent to one borrower at a time. A lent connection pipelines: statements submitted in one turn
 * of the event loop leave in one write, in order. So BEGIN and what follows travel together, and no other tenant's statement can
 * come between.
 */
export class Pool extends Context.Service<
  Pool,
  {
    /** Lends a connection for as long as `work` runs. Waits a bounded time in a bounded queue for one. */
    readonly use: <A, E, R>(
      work: (connection: PgConnection.PgConnection) => Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | SqlError | Unavailable, R>
    /**
     * One statement that is a transaction of its own. It shares a connection: several are under way at once, and each ends before the
     * next begins. For what never waits for a lock, since whatever is behind it would wait along. One that is interrupted may still run.
     */
    readonly query: (
      sql: string,
      params: ReadonlyArray<unknown>
    ) => Effect.Effect<PgConnection.Result, SqlError | Unavailable>
    /** Takes a connection out of circulation whose state cannot be known any more. */
    readonly discard: (connection: PgConnection.PgConnection) => Effect.Effect<void>
    /** How many are lent and how many wait, for metrics. */
    readonly load: () => { readonly lent: number; readonly waiting: number; readonly size: number }
  }
>()("@llm-saas/database/Pool") {
  static readonly layer = (options: PoolOptions) =>
    Layer.effect(
      Pool,
      Effect.gen(function* () {
        const sharing = Math.max(1, Math.floor(options.size / 4))
        const open = (connections: number, multiplexConcurrency: number) =>
          PgPool.make({
            url: options.url,
            maxConnections: connections,
            // What makes a connection pipeline.
            multiplex: true,
            multiplexConcurrency,
            applicationName: "llm-saas",
            prepare: options.prepare ?? true,
            connectTimeout: "5 seconds",
            keepAlive: "30 seconds",
            idleTimeout: "5 minutes"
          })
        const alone = yield* open(Math.max(1, options.size - sharing), 1)
        const shared = yield* open(sharing, DEPTH)
        let waiting = 0

        /** Lends connections of a pool that has `capacity` places, and keeps count. */
        const lender = (pool: PgPool.PgPool, capacity: number) => {
          let lent = 0
          const lend = Effect.sync(() => void lent++)
          const giveBack = Effect.sync(() => void lent--)
          const use: Pool["Service"]["use"] = (work) => {
            const lending = (connection: PgConnection.PgConnection) =>
              Effect.ensuring(Effect.andThen(lend, work(connection)), giveBack)
            return Effect.suspend(() => {
              // The timer and the scope are paid for only when the pool is full.
              if (lent < capacity) return pool.use(lending)
              if (waiting >= options.waiting) return Effect.fail(unavailable())
              waiting++
              const acquire = pool.get.pipe(
                Effect.timeoutOrElse({ duration: options.acquireTimeout, orElse: () => Effect.fail(unavailable()) }),
                Effect.ensuring(Effect.sync(() => void waiting--))
              )
              return Effect.scoped(Effect.flatMap(acquire, lending))
            })
          }
          return { use, lent: () => lent }
        }
        const rooms = lender(alone, Math.max(1, options.size - sharing))
        const statements = lender(shared, sharing * DEPTH)
        return Pool.of({
          use: rooms.use,
          query: (sql, params) => statements.use((connection) => connection.query(sql, params)),
          discard: alone.invalidate,
          load: () => ({ lent: rooms.lent() + statements.lent(), waiting, size: options.size })
        })
      })
    )
}
