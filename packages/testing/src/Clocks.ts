import { type Clock, Effect } from "effect"

/** The current clock, whose wall time can be moved forward or back while its monotonic time goes on evenly. */
export const stepping = Effect.clockWith((clock) => {
  let off = 0
  const currentTimeMillisUnsafe = () => clock.currentTimeMillisUnsafe() + off
  const currentTimeNanosUnsafe = () => clock.currentTimeNanosUnsafe() + BigInt(off) * 1_000_000n
  const stepped: Clock.Clock = {
    currentTimeMillisUnsafe,
    currentTimeMillis: Effect.sync(currentTimeMillisUnsafe),
    currentTimeNanosUnsafe,
    currentTimeNanos: Effect.sync(currentTimeNanosUnsafe),
    monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: clock.monotonicTimeNanos,
    sleep: (duration) => clock.sleep(duration)
  }
  return Effect.succeed({ clock: stepped, step: (ms: number) => void (off += ms) })
})
