import type { TenantId } from "@llm-saas/domain/Tenant"
import { Effect, Exit, Fiber, Semaphore } from "effect"

/** How long a question waits for a budget that is reserved for answers that run, and how often it looks. */
const PATIENCE_MS = 10_000
const LOOK_MS = 100

interface Line {
  readonly turn: Semaphore.Semaphore
  waiting: number
}

interface Stored {
  readonly row: { readonly outcome: string }
}

/**
 * Questions that would fit a budget if answers under way cost less than was reserved for them. They wait for those to end, instead of being
 * refused: one question of each tenant looks, and the others stand in line behind it.
 */
export class Reserving {
  readonly #lines = new Map<TenantId, Line>()

  /** Runs `store` until its outcome is another than `reserved`, for some seconds at most. */
  admitted<A extends Stored, E, R>(tenantId: TenantId, store: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.flatMap(store, (first) =>
      first.row.outcome === "reserved" ? this.#wait(tenantId, first, store) : Effect.succeed(first)
    )
  }

  #wait<A extends Stored, E, R>(tenantId: TenantId, first: A, store: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.suspend(() => {
      const line = this.#lines.get(tenantId) ?? { turn: Semaphore.makeUnsafe(1), waiting: 0 }
      this.#lines.set(tenantId, line)
      line.waiting++
      let latest = first
      // Never interrupted: a question that was stored must be answered.
      const look = Effect.uninterruptible(Effect.map(store, (stored) => (latest = stored)))
      const looking = Effect.repeat(
        Effect.tap(look, ({ row }) => (row.outcome === "reserved" ? Effect.sleep(LOOK_MS) : Effect.void)),
        { while: ({ row }) => row.outcome === "reserved" }
      )
      return Effect.forkChild(Effect.interruptible(line.turn.withPermits(1)(looking))).pipe(
        Effect.flatMap((fiber) =>
          Effect.timeoutOption(Fiber.await(fiber), PATIENCE_MS).pipe(
            // What is being stored at this moment is waited for.
            Effect.andThen(Fiber.interrupt(fiber)),
            Effect.andThen(Fiber.await(fiber))
          )
        ),
        Effect.flatMap((exit) => (Exit.hasInterrupts(exit) ? Effect.succeed(latest) : exit)),
        Effect.ensuring(
          Effect.sync(() => {
            line.waiting--
            if (line.waiting === 0) this.#lines.delete(tenantId)
          })
        )
      )
    })
  }
}
