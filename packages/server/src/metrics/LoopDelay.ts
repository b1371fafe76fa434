import { Effect } from "effect"
import { gauge } from "./Gauge.ts"

const { monitorEventLoopDelay } = process.getBuiltinModule("node:perf_hooks")

/** Milliseconds between two samples. Each measured value includes it; it is no delay. */
const RESOLUTION_MS = 10
/**
 * Milliseconds after which one of two histograms is reset: the reported delay covers the last 30 to 60 seconds, at any scrape interval.
 */
const SPAN_MS = 30_000

/**
 * How late turns of the event loop are. All tenants share it: work that blocks it delays every request. A few milliseconds are usual; 50
 * and more at the 99th percentile mean that something runs too long at a time.
 */
export const loopDelay = Effect.gen(function* () {
  const histogram = Effect.acquireRelease(
    Effect.sync(() => {
      const made = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
      made.enable()
      return made
    }),
    (made) => Effect.sync(() => made.disable())
  )
  let [older, newer] = [yield* histogram, yield* histogram]
  yield* Effect.forkScoped(
    Effect.forever(
      Effect.delay(
        Effect.sync(() => {
          older.reset()
          ;[older, newer] = [newer, older]
        }),
        SPAN_MS
      )
    )
  )
  const told = (name: string, description: string, read: (delay: ReturnType<typeof monitorEventLoopDelay>) => number) =>
    gauge(name, description, () => Math.max(0, (older.count === 0 ? 0 : read(older)) / 1e9 - RESOLUTION_MS / 1000))
  yield* told(
    "nodejs_eventloop_lag_p50_seconds",
    "How late half of the turns of the event loop were, at most.",
    (delay) => delay.percentile(50)
  )
  yield* told(
    "nodejs_eventloop_lag_p99_seconds",
    "How late 99 of 100 turns of the event loop were, at most.",
    (delay) => delay.percentile(99)
  )
  yield* told(
    "nodejs_eventloop_lag_max_seconds",
    "How late the latest turn of the event loop was.",
    (delay) => delay.max
  )
})
