import { Clock, Effect } from "effect"

// The wall clock says when something was, and may step: nothing is subtracted from it, and nothing waits for it. How long something
// took, and whether a time has passed, is the monotonic clock's to say, which starts anywhere and goes on evenly.
// `packages/testing/test/clocks.test.ts` lists who may read the wall clock.

/** Milliseconds on the monotonic clock, with fractions. Only to be compared with others of the same process. */
export const monotonicMillis = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

/** Milliseconds since 1970, by the wall clock: for what is shown or compared with what another wall clock said. */
export const wallMillis = (clock: Clock.Clock): number => clock.currentTimeMillisUnsafe()

/**
 * Moments of one course of events, in ms since 1970: the wall clock's time at its start, and from there on what the monotonic clock says
 * has passed. Differences between them are durations, also where the wall clock steps meanwhile.
 */
export const momentsFrom = (clock: Clock.Clock): (() => number) => {
  const wall = wallMillis(clock)
  const start = clock.monotonicTimeNanosUnsafe()
  return () => wall + Math.floor(Number(clock.monotonicTimeNanosUnsafe() - start) / 1e6)
}

/**
 * Gives library code that measures with the wall clock (`Effect.cachedWithTTL`, `Schedule.upTo`, `Cache`) the monotonic one. What it runs
 * sees no other: a wall clock's time has to be read outside of it.
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
