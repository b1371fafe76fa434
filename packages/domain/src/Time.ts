import type { Clock } from "effect"

// The wall clock says when something was, and may step: nothing is subtracted from it. How long something took, and whether a time has
// passed, is the monotonic clock's to say, which starts anywhere and goes on evenly.

/** Milliseconds on the monotonic clock, with fractions. Only to be compared with others of the same process. */
export const monotonicMillis = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

/**
 * Moments of one course of events, in ms since 1970: the wall clock's time at its start, and from there on what the monotonic clock says
 * has passed. Differences between them are durations, also where the wall clock steps meanwhile.
 */
export const momentsFrom = (clock: Clock.Clock): (() => number) => {
  const wall = clock.currentTimeMillisUnsafe()
  const start = clock.monotonicTimeNanosUnsafe()
  return () => wall + Math.floor(Number(clock.monotonicTimeNanosUnsafe() - start) / 1e6)
}
