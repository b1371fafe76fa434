import { Effect, identity, type Schedule } from "effect"

/** When something that failed is tried again. */
export interface Retries<E> {
  readonly schedule: Schedule.Schedule<unknown, E>
  /** Most tries after the first. */
  readonly times?: number
  readonly while?: (error: E) => boolean
  /** Around the further tries. */
  readonly around?: <A, E2, R>(tries: Effect.Effect<A, E2, R>) => Effect.Effect<A, E2, R>
}

/** As `Effect.retry`. What works at once pays for no schedule, which is a generator and a clock of its own. */
export const retried = <A, E, R>(
  work: Effect.Effect<A, E, R>,
  { around = identity, ...retries }: Retries<E>
): Effect.Effect<A, E, R> =>
  Effect.catch(work, (first) => {
    let failed = false
    const again = Effect.suspend(() => {
      if (failed) return work
      failed = true
      return Effect.fail(first)
    })
    return around(Effect.retry(again, retries))
  })
