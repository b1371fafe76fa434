import { dependency, type DependencyLabel } from "@llm-saas/domain/Dependency"
import { Context, Effect, Metric, type Scope } from "effect"

const registered = <Input, State>(
  metric: Metric.Metric<Input, State>,
  get: () => State
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(
    Effect.acquireRelease(
      Effect.sync(() => Metric.registerUnsafe(metric, Context.empty(), { get, update: () => {}, modify: () => {} })),
      (registration) => Effect.sync(() => registration.remove())
    )
  )

/** A value read at each scrape while the scope is open. */
export const gauge = (
  name: string,
  description: string,
  read: () => number,
  attributes: Readonly<Record<string, string>> = {}
) => registered(Metric.gauge(name, { description, attributes }), () => ({ value: read() }))

/** The same for a counter. */
export const total = (name: string, description: string, read: () => number) =>
  registered(Metric.counter(name, { description, incremental: true }), () => ({ count: read(), incremental: true }))

/** Whether a dependency of the program is available. */
export const availability = (label: DependencyLabel) =>
  Effect.flatMap(dependency(label), (found) =>
    gauge(
      "dependency_up",
      "Whether it is available, as far as is known: 0 or 1.",
      () => (found.outage === undefined ? 1 : 0),
      { dependency: label }
    )
  )
