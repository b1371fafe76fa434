import { Clock, Effect } from "effect"

// The wall clock gives points in time, and may step: nothing is subtracted from it, and nothing waits for it. Durations and timeouts
// use the monotonic clock, which has an arbitrary start and never steps.
// `packages/testing/test/clocks.test.ts` lists the files that may read the wall clock.

/** Milliseconds on the monotonic clock, with fractions. Comparable only within one process. */
export const monotonicMillis = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

/** Milliseconds since 1970 on the wall clock: for times that are shown, or compared with another wall clock. */
export const wallMillis = (clock: Clock.Clock): number => clock.currentTimeMillisUnsafe()

/**
 * Milliseconds since 1970 as nanoseconds, to a microsecond. A bigint: a float cannot hold today's time in nanoseconds.
 */
export const nanosecondsOf = (milliseconds: number): bigint => BigInt(Math.round(milliseconds * 1000)) * 1000n

/**
 * Timestamps of one operation, in ms since 1970: the wall clock's time at its start plus the time since then on the monotonic clock.
 * Their differences are durations even if the wall clock steps meanwhile.
 */
export const momentsFrom = (clock: Clock.Clock): (() => number) => {
  const wall = wallMillis(clock)
  const start = clock.monotonicTimeNanosUnsafe()
  return () => wall + Math.floor(Number(clock.monotonicTimeNanosUnsafe() - start) / 1e6)
}

/**
 * Runs `work` with the monotonic clock as its wall clock, for library code that measures durations with the wall clock
 * (`Effect.cachedWithTTL`, `Schedule.upTo`, `Cache`). `work` cannot read the real wall clock.
 */
export const steadily = <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.clockWith((clock) => Effect.provideService(work, Clock.Clock, steady(clock)))

const steady = (clock: Clock.Clock): Clock.Clock => {
  const currentTimeMillisUnsafe = () => monotonicMillis(clock)
  const currentTimeNanosUnsafe = () => clock.monotonicTimeNanosUnsafe()
  return {
    currentTimeMillisUnsafe,
    currentTimeMillis: Effect.sync(currentTimeMillisUnsafe),
    currentTimeNanosUnsafe,
    currentTimeNanos: clock.monotonicTimeNanos,
    monotonicTimeNanosUnsafe: currentTimeNanosUnsafe,
    monotonicTimeNanos: clock.monotonicTimeNanos,
    sleep: (duration) => clock.sleep(duration)
  }
}
