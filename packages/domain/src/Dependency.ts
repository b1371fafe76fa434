import { Clock, Context, Duration, Effect } from "effect"

/** How a dependency was found when it was last asked. */
export interface Outage {
  /** What was seen first: a code such as `ECONNREFUSED` or `SQLSTATE 57P03`. Nothing secret, no address, no text of a statement. */
  readonly cause: string
  /** When it was seen, by the monotonic clock (ns). */
  readonly since: bigint
  readonly failures: number
}

/** Ns without a failure until one success counts as a recovery: a server that takes every other request has not recovered. */
const SETTLED = 1_000_000_000n

/** What this program depends on: the label of its metric, and its name in the log. */
const NAMES = { postgresql: "PostgreSQL", provider: "The model's provider", mlflow: "MLflow" }
export type DependencyLabel = keyof typeof NAMES

/**
 * Something this program cannot do without, or only with less: PostgreSQL, the model's provider, MLflow. The one place where an outage is
 * logged: once its cause, and once the recovery with how long it took and how much failed meanwhile.
 */
export class Dependency {
  readonly label: DependencyLabel
  readonly name: string
  #outage: { readonly cause: string; readonly since: bigint; failures: number; failedAt: bigint } | undefined

  constructor(label: DependencyLabel) {
    this.label = label
    this.name = NAMES[label]
  }

  /** Undefined: it works, as far as is known. */
  get outage(): Outage | undefined {
    return this.#outage
  }

  /** It could not be reached, or could not do what it is there for. `log` says so in words of its own, the first time. */
  failed(cause: string, log?: Effect.Effect<void>): Effect.Effect<void> {
    return Effect.flatMap(Clock.monotonicTimeNanos, (now) => {
      if (this.#outage !== undefined) {
        this.#outage.failures++
        this.#outage.failedAt = now
        return Effect.void
      }
      this.#outage = { cause, since: now, failures: 1, failedAt: now }
      return (log ?? Effect.logError(`${this.name} is not available: ${cause}`)).pipe(
        Effect.annotateLogs({ dependency: this.label, cause })
      )
    })
  }

  /** It did what it was asked. Costs nothing while there is no outage. */
  get worked(): Effect.Effect<void> {
    return this.#outage === undefined ? Effect.void : this.#recovered
  }

  readonly #recovered = Effect.flatMap(Clock.monotonicTimeNanos, (now) => {
    const outage = this.#outage
    if (outage === undefined || now - outage.failedAt < SETTLED) return Effect.void
    this.#outage = undefined
    const lasted = Duration.nanos(now - outage.since)
    return Effect.logInfo(
      `${this.name} is available again, after ${Duration.toSeconds(lasted).toFixed(1)} s and ${outage.failures} failures`
    ).pipe(
      Effect.annotateLogs({
        dependency: this.label,
        cause: outage.cause,
        failures: outage.failures,
        outage_ms: Math.round(Duration.toMillis(lasted))
      })
    )
  })
}

/** Every dependency of this process. */
export const Dependencies = Context.Reference<Map<DependencyLabel, Dependency>>("@llm-saas/domain/Dependencies", {
  defaultValue: () => new Map()
})

/** The dependency of this label, the same for all who ask. */
export const dependency = (label: DependencyLabel): Effect.Effect<Dependency> =>
  Effect.map(Dependencies, (all) => {
    const found = all.get(label) ?? new Dependency(label)
    all.set(label, found)
    return found
  })
