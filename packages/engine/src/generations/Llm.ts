import { FailureReason, type FinishReason, type Usage } from "@llm-saas/domain/Generation"
import type { Outside } from "@llm-saas/domain/Outside"
import { Context, type Effect, Schema } from "effect"

/** One turn of what the model is told. */
export interface Turn {
  readonly role: "user" | "assistant"
  readonly content: string
}

/** What the model is asked: earlier turns first, the question last. Nothing else of a tenant or a user goes to a provider. */
export type Prompt = ReadonlyArray<Turn>

/** How an answer came to its end, as the provider says. */
export interface Completion {
  readonly finishReason: FinishReason
  /** Undefined where the provider did not say. */
  readonly usage: Usage | undefined
  /** The model that answered, where the provider says: often a dated version of the one asked. */
  readonly model: string | undefined
}

/** There is no whole answer. Nothing of what the provider said is in here. */
export class LlmFailed extends Schema.TaggedError<LlmFailed>()("LlmFailed", {
  reason: FailureReason,
  /** Seconds after which the provider wants to be asked again, where it said so. */
  retryAfter: Schema.optionalKey(Schema.Int),
  /** Tokens that the provider counted all the same. */
  usage: Schema.optionalKey(Schema.Struct({ input: Schema.Int, output: Schema.Int }))
}) {}

/**
 * A model behind its provider. Tokens are pushed and not pulled: a generation belongs to the server and never waits for its readers,
 * and a `Stream` element a token costs more than the whole rest of its way (see the benchmark).
 */
export class Llm extends Context.Service<
  Llm,
  {
    /** The provider's name, as tracking shows it: `mock`, `openai`. */
    readonly provider: string
    /** The model that is asked. */
    readonly model: string
    /**
     * Answers `prompt`: `emit` is called for each piece of text as it comes, never with an empty one, and not after the effect ended.
     * Interrupting it aborts the request to the provider. Retries happen inside, and only before the first piece. `partition` tells
     * tenants apart where failures are counted, so that one's do not keep another's questions back; it goes nowhere else.
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
