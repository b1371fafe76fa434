import type { Unavailable } from "@llm-saas/domain/Refusal"
import { type PgConnection, PgPool } from "@effect/sql-pg"
import { Context, type Duration, Effect, Layer, type Redacted } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { unavailable } from "./Outage.ts"

/** How the pool is dimensioned. */
export interface PoolOptions {
  readonly url: Redacted.Redacted
  /** Connections at most. */
  readonly size: number
  /** How long a request waits for a free connection before it is told to come back. */
  readonly acquireTimeout: Duration.Input
  /** How many requests may wait at once; one more is told to come back at once. */
  readonly waiting: number
}

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
        const pool = yield* PgPool.make({
          url: options.url,
          maxConnections: options.size,
          // One borrower a connection; `multiplex` is what makes a connection pipeline.
          multiplex: true,
          multiplexConcurrency: 1,
          applicationName: "llm-saas",
          connectTimeout: "5 seconds",
          keepAlive: "30 seconds",
          idleTimeout: "5 minutes"
        })
        let lent = 0
        let waiting = 0
        const lend = Effect.sync(() => void lent++)
        const giveBack = Effect.sync(() => void lent--)

        const use: Pool["Service"]["use"] = (work) => {
          const lending = (connection: PgConnection.PgConnection) =>
            Effect.ensuring(Effect.andThen(lend, work(connection)), giveBack)
          return Effect.suspend(() => {
            // The timer and the scope are paid for only when the pool is full.
            if (lent < options.size) return pool.use(lending)
            if (waiting >= options.waiting) return Effect.fail(unavailable())
            waiting++
            const acquire = pool.get.pipe(
              Effect.timeoutOrElse({ duration: options.acquireTimeout, orElse: () => Effect.fail(unavailable()) }),
              Effect.ensuring(Effect.sync(() => void waiting--))
            )
            return Effect.scoped(Effect.flatMap(acquire, lending))
          })
        }
        return Pool.of({ use, discard: pool.invalidate, load: () => ({ lent, waiting, size: options.size }) })
      })
    )
}
