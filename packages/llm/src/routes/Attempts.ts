import type { Attempt, KeySource } from "@llm-saas/domain/Attempt"
import type { Pricing } from "@llm-saas/domain/Pricing"
import type { Usage } from "@llm-saas/domain/Usage"
import type { Asking } from "@llm-saas/engine/generations/Llm"
import { type Effect, Exit, Option, type Redacted } from "effect"
import type { ProviderFailure } from "../ProviderFailure.ts"
import type { Call } from "../Provider.ts"

/** What an answer says about itself, as far as the record of its request needs it. */
export interface Told {
  readonly usage?: Usage | undefined
  readonly model?: string | undefined
}

/** Who is asked, and with whose key. */
export interface Asked {
  readonly provider: string
  readonly model: string
  readonly key: Redacted.Redacted | undefined
  readonly keySource: KeySource
  readonly pricing: Pricing
}

/** The records of the requests of one call of a provider: one, or more where an upstream refused a parameter. */
export class Attempts {
  readonly call: Call
  readonly #moment: () => number
  #open: Attempt | undefined = undefined

  constructor({ key, keySource, model, pricing, provider }: Asked, asking: Asking, begun: Effect.Effect<void>) {
    this.#moment = asking.moment
    this.call = {
      key,
      begun,
      moment: asking.moment,
      attempt: () => {
        this.#close()
        const record: Attempt = { provider, model, keySource, pricing, startedAt: asking.moment() }
        this.#open = record
        asking.attempt(record)
        return record
      }
    }
  }

  /** The call is over: so is its last request. One that was interrupted ends with what is known of it. */
  end(exit: Exit.Exit<Told, ProviderFailure>): void {
    const record = this.#open
    if (record === undefined) return
    const failed = Exit.isSuccess(exit) ? undefined : Option.getOrUndefined(Exit.findErrorOption(exit))
    const { model, usage } = Exit.isSuccess(exit) ? exit.value : { model: undefined, usage: failed?.usage }
    record.usage ??= usage
    record.responseModel ??= model
    record.status ??= failed?.status
    record.failure ??= failed?.reason
    this.#close()
  }

  #close(): void {
    if (this.#open !== undefined) this.#open.endedAt ??= this.#moment()
    this.#open = undefined
  }
}
