import { Effect, type Exit } from "effect"

/** Milliseconds between two moments at which logins are answered. A login takes 20 to 40 ms of work, and people do not notice 250. */
export const ANSWER_INTERVAL_MS = 250
/** Milliseconds reserved for settling: storing the result. */
export const SETTLING_MS = 75

/**
 * Runs `find`, and answers a whole number of {@link ANSWER_INTERVAL_MS} after the start. The moment is chosen before the result is settled,
 * so that the time of the answer reveals neither the result nor how long storing it took. Applies to success and refusal alike, unless
 * `waits` says which; a failure of `find` is answered at once. Measured with the monotonic clock.
 */
export const answerAtInterval = <A, E, R, B, E2, R2>(
  find: Effect.Effect<A, E, R>,
  settle: (found: A) => Effect.Effect<B, E2, R2>,
  waits: (exit: Exit.Exit<B, E2>) => boolean = () => true
): Effect.Effect<B, E | E2, R | R2> =>
  Effect.clockWith((clock) => {
    const start = clock.monotonicTimeNanosUnsafe()
    const took = () => Number(clock.monotonicTimeNanosUnsafe() - start) / 1e6
    const boundary = (ms: number) => Math.max(1, Math.ceil(ms / ANSWER_INTERVAL_MS)) * ANSWER_INTERVAL_MS
    return Effect.flatMap(find, (found) => {
      const chosen = boundary(took() + SETTLING_MS)
      return Effect.flatMap(Effect.exit(settle(found)), (exit) => {
        const now = took()
        if (!waits(exit)) return exit
        return Effect.andThen(Effect.sleep(Math.max(chosen, boundary(now)) - now), exit)
      })
    })
  })
