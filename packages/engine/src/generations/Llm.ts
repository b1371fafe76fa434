import { FailureReason, type FinishReason, type Usage } from "@llm-saas/domain/Generation"
import type { Outside } from "@llm-saas/domain/Outside"
import { Context, type Effect, Schema } from "effect"

/** One turn of the prompt. */
export interface Turn {
  readonly role: "user" | "assistant"
  readonly content: string
}

/** The prompt: earlier turns first, the question last. Nothing else of a tenant or a user goes to a provider. */
export type Prompt = ReadonlyArray<Turn>

/** How the provider says the answer ended. */
export interface Completion {
  readonly finishReason: FinishReason
  /** Undefined where the provider did not say. */
  readonly usage: Usage | undefined
  /** The model that answered, where the provider says: often a dated version of the one asked. */
  readonly model: string | undefined
}

/** There is no whole answer. Contains nothing of what the provider said. */
export class LlmFailed extends Schema.TaggedError<LlmFailed>()("LlmFailed", {
  reason: FailureReason,
  /** Seconds until the provider may be asked again, where it said so. */
  retryAfter: Schema.optionalKey(Schema.Int),
  /** Tokens that the provider counted although it failed. */
  usage: Schema.optionalKey(Schema.Struct({ input: Schema.Int, output: Schema.Int }))
}) {}

/**
 * A model of a provider. Tokens are pushed and not pulled: a generation belongs to the server and never waits for its readers. One `Stream`
 * element per token would cost more than all the rest of the token's way (see the benchmark).
 */
export class Llm extends Context.Service<
  Llm,
  {
    /** The provider's name, as tracking shows it: `mock`, `openai`. */
    readonly provider: string
    /** The model that is asked. */
    readonly model: string
    /**
     * Answers `prompt`: `emit` is called for each piece of text, never with an empty one, and not after the effect ended. Interrupting
     * aborts the request to the provider. Retries happen inside, and only before the first piece. `partition` separates the failure counts
     * of tenants, so that one tenant's failures do not block another's questions; it is used for nothing else.
     */
    readonly generate: (
      prompt: Prompt,
      emit: (text: string) => void,
      partition: string
    ) => Effect.Effect<Completion, LlmFailed>
  }
>()("@llm-saas/engine/generations/Llm") {
  declare readonly outside: Outside["outside"]
}
