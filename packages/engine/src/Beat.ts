import { Effect } from "effect"

/** Milliseconds. More than five verifications of a password take (20 to 30 ms each), less than people notice. */
export const BEAT = 250

/**
 * Fails on the beat: a whole number of {@link BEAT}s after the start, however long the work took. What it found on the way (nobody of
 * that name, one account to compare with or five, an event to write down) cannot be told from the time of the refusal. Waiting costs
 * nothing, where a constant number of comparisons would cost five logins' CPU for each. Success is not held up.
 */
export const failOnTheBeat = <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.clockWith((clock) => {
    const from = clock.currentTimeMillisUnsafe()
    return Effect.tapError(work, () =>
      Effect.suspend(() => {
        const took = clock.currentTimeMillisUnsafe() - from
        return Effect.sleep(Math.max(1, Math.ceil(took / BEAT)) * BEAT - took)
      })
    )
  })
