import type { Dependency } from "@llm-saas/domain/Dependency"
import { monotonicMillis } from "@llm-saas/domain/Time"
import { type Clock, Effect, Exit, Option } from "effect"
import { Breaker, type Change, type Pass } from "./Breaker.ts"
import { type ProviderFailure, saysNothing } from "./ProviderFailure.ts"

/** What the questions to one target show about its provider: they settle the breaker, and an outage is reported as one of the process. */
export class ProviderHealth {
  readonly #breaker = new Breaker()
  readonly #clock: Clock.Clock
  readonly #model: string
  readonly #provider: Dependency

  constructor(parts: { readonly clock: Clock.Clock; readonly model: string; readonly provider: Dependency }) {
    this.#clock = parts.clock
    this.#model = parts.model
    this.#provider = parts.provider
  }

  /** A pass for one question, which must be settled; or how long (ms) to wait. */
  enter(partition: string): Pass | number {
    return this.#breaker.enter(partition, monotonicMillis(this.#clock))
  }

  /** The provider began to answer. */
  began(pass: Pass): Effect.Effect<void> {
    const change = pass.succeed(monotonicMillis(this.#clock))
    return Effect.andThen(this.#log(change), this.#provider.worked)
  }

  /** Settles the pass: refused questions, a refused key and cancelled questions show nothing about the provider. */
  settle(pass: Pass, exit: Exit.Exit<unknown, ProviderFailure>): Effect.Effect<void> {
    const failed = Exit.isSuccess(exit) ? undefined : Option.getOrUndefined(Exit.findErrorOption(exit))
    if (failed === undefined || saysNothing(failed)) return Effect.sync(() => pass.release())
    const now = monotonicMillis(this.#clock)
    const change = pass.fail(now, failed.waitMs)
    const { code, reason, status } = failed
    const cause = [reason, status, code].filter((part) => part !== undefined).join(" ")
    // One tenant's failures alone are not an outage while other tenants are answered.
    const isOut = this.#provider.outage !== undefined || (change !== undefined && this.#breaker.isQuiet(now))
    return Effect.andThen(this.#log(change), isOut ? this.#provider.failed(cause) : Effect.void)
  }

  /** Whether questions are sent now: of all tenants, and of how many they are not. */
  look(): ReturnType<Breaker["look"]> {
    return this.#breaker.look(monotonicMillis(this.#clock))
  }

  #log(change: Change | undefined): Effect.Effect<void> {
    const about = { model: this.#model }
    switch (change) {
      case undefined:
        return Effect.void
      case "closed for all":
        return Effect.logInfo("the model's provider answers again: all tenants' questions are sent", about)
      case "opened for all":
        return Effect.logWarning(
          "the model's provider fails for several tenants: no tenant's questions are sent for a while",
          about
        )
      case "opened for one":
        return Effect.logWarning(
          "the model's provider fails for one tenant: their questions are not sent for a while",
          about
        )
    }
  }
}
