import { Clock, Context, Duration, Effect } from "effect"

/** An outage of a dependency that is not over yet. */
export interface Outage {
  /** The first failure's code, such as `ECONNREFUSED` or `SQLSTATE 57P03`. No secret, no address, no text of a statement. */
  readonly cause: string
  /** When the first failure was seen, on the monotonic clock (ns). */
  readonly since: bigint
  readonly failures: number
}

/** Time without a failure until one success counts as a recovery: a server that takes every other request has not recovered. */
const SETTLED_NS = 1_000_000_000n

/** Each dependency: the label of its metric, and its name in the log. */
const NAMES = { postgresql: "PostgreSQL", provider: "The model's provider", mlflow: "MLflow", mail: "The mail server" }
export type DependencyLabel = keyof typeof NAMES

/**
 * An external service: PostgreSQL, the model's provider, MLflow, the mail server. The one place where an outage is logged: its cause once, and the recovery
 * once, with the outage's duration and number of failures.
 */
export class Dependency {
  readonly label: DependencyLabel
  readonly name: string
  #outage: { readonly cause: string; readonly since: bigint; failures: number; failedAt: bigint } | undefined

  constructor(label: DependencyLabel) {
    this.label = label
    this.name = NAMES[label]
  }

  /** Undefined while no outage is known. */
  get outage(): Outage | undefined {
    return this.#outage
  }

  /** Records a failure. The first one of an outage is logged, by `log` where it is given. */
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

  /** Records a success. Costs nothing while there is no outage. */
  get worked(): Effect.Effect<void> {
    return this.#outage === undefined ? Effect.void : this.#recovered
  }

  readonly #recovered = Effect.flatMap(Clock.monotonicTimeNanos, (now) => {
    const outage = this.#outage
    if (outage === undefined || now - outage.failedAt < SETTLED_NS) return Effect.void
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

/** The dependency with this label: one instance per process. */
export const dependency = (label: DependencyLabel): Effect.Effect<Dependency> =>
  Effect.map(Dependencies, (all) => {
    const found = all.get(label) ?? new Dependency(label)
    all.set(label, found)
    return found
  })
