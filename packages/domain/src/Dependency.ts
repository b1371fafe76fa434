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

/**
 * Something this program cannot do without, or only with less: PostgreSQL, the model's provider, MLflow. The one place where an outage is
 * logged: once its cause, and once the recovery with how long it took and how much failed meanwhile.
 */
export class Dependency {
  readonly name: string
  #outage: { readonly cause: string; readonly since: bigint; failures: number; failedAt: bigint } | undefined

  constructor(name: string) {
    this.name = name
  }

  /** Undefined: it works, as far as is known. */
  get outage(): Outage | undefined {
    return this.#outage
  }

  /** It could not be reached, or could not do what it is there for. */
  failed(cause: string): Effect.Effect<void> {
    return Effect.flatMap(Clock.monotonicTimeNanos, (now) => {
      if (this.#outage !== undefined) {
        this.#outage.failures++
        this.#outage.failedAt = now
        return Effect.void
      }
      this.#outage = { cause, since: now, failures: 1, failedAt: now }
      return Effect.logError(`${this.name} is not available: ${cause}`).pipe(
        Effect.annotateLogs({ dependency: this.name, cause })
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
        dependency: this.name,
        cause: outage.cause,
        failures: outage.failures,
        outage_ms: Math.round(Duration.toMillis(lasted))
      })
    )
  })
}

/** Every dependency of this process by its name, for the metrics. */
export const Dependencies = Context.Reference<Map<string, Dependency>>("@llm-saas/domain/Dependencies", {
  defaultValue: () => new Map()
})

/** The dependency of this name, the same for all who ask. */
export const dependency = (name: string): Effect.Effect<Dependency> =>
  Effect.map(Dependencies, (all) => {
    const found = all.get(name) ?? new Dependency(name)
    all.set(name, found)
    return found
  })
