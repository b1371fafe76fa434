import { Effect, Metric, type Scope } from "effect"

const open = Metric.gauge("http_streams", { description: "Streams that are open." })

/** Counts a stream as open while the scope is. */
export const openStream: Effect.Effect<void, never, Scope.Scope> = Effect.asVoid(
  Effect.acquireRelease(Metric.modify(open, 1), () => Metric.modify(open, -1))
)
