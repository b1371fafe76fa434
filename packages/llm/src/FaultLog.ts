import { Effect } from "effect"
import type { ProviderFailure } from "./ProviderFailure.ts"

/** Maximum number of unknown forms that are remembered. */
const SHAPES = 100

/**
 * Log of a provider's failures: each cause is a warning once until the provider answers again, and each unknown form once. Repetitions
 * have level debug. It contains no text of the provider or the user.
 */
export class FaultLog {
  readonly #model: string
  readonly #names: Names
  readonly #causes = new Set<string>()
  readonly #shapes = new Set<string>()

  constructor(model: string, names: Names) {
    this.#model = model
    this.#names = names
  }

  report(failed: ProviderFailure): Effect.Effect<void> {
    const { code, reason, shape, status } = failed
    if (shape !== undefined) return this.#unknown(shape)
    const about = {
      model: this.#model,
      reason,
      ...(status === undefined ? {} : { status }),
      ...(code === undefined ? {} : { code })
    }
    const cause = `${reason} ${status} ${code}`
    const known = this.#causes.has(cause) || isAskers(failed)
    this.#causes.add(cause)
    return known
      ? Effect.logDebug("the model's provider failed", about)
      : Effect.logWarning(`the model's provider failed${hint(failed, this.#names)}`, about)
  }

  /** The provider answered. */
  readonly over: Effect.Effect<void> = Effect.sync(() => this.#causes.clear())

  #unknown(shape: string): Effect.Effect<void> {
    const known = this.#shapes.has(shape)
    if (this.#shapes.size < SHAPES) this.#shapes.add(shape)
    const about = { model: this.#model, shape }
    return known
      ? Effect.logDebug("an answer of the model's provider is not understood", about)
      : Effect.logWarning("an answer of the model's provider is not understood", about)
  }
}

/** Refused questions are the user's to change, so they are not a warning for the operator. */
const isAskers = ({ reason }: ProviderFailure): boolean =>
  reason === "content_filtered" || reason === "context_too_long" || reason === "prompt_rejected"

/** What the operator calls the settings of a provider. */
export interface Names {
  readonly key: string
  readonly model: string
  readonly address: string
}

/** A hint for the operator. */
const hint = ({ reason, status }: ProviderFailure, { address, key, model }: Names): string => {
  if (reason === "model_unauthorized") return `: it refuses ${key}`
  if (status === 404) return `: it does not know ${model}, or ${address} is not its address`
  if (status === 402) return ": the account has no money"
  if (status === 407) return ": the proxy on the way refuses its login"
  return reason === "model_rejected" ? ": it refuses how it is asked" : ""
}
