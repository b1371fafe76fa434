import type { Attempt } from "@llm-saas/domain/Attempt"
import type { EmbeddingAnswer, EmbeddingRequest } from "@llm-saas/domain/Embedding"
import { FailureReason, type FinishReason, type UpstreamRefusal } from "@llm-saas/domain/Generation"
import type { ModelPiece } from "@llm-saas/domain/ModelEvent"
import type { ModelRequest } from "@llm-saas/domain/ModelRequest"
import type { TargetHealth } from "@llm-saas/domain/Operator"
import type { Pricing } from "@llm-saas/domain/Pricing"
import type { Outside } from "@llm-saas/domain/Outside"
import type { Usage } from "@llm-saas/domain/Usage"
import { Context, type Effect, type Redacted, Schema } from "effect"

/** How the provider says the answer ended. */
export interface Completion {
  readonly finishReason: FinishReason
  /** Undefined where the provider did not say. */
  readonly usage: Usage | undefined
  /** The model that answered, where the provider says: often a dated version of the one asked. */
  readonly model: string | undefined
}

/** There is no whole answer. Contains nothing of what the provider said, but for {@link UpstreamRefusal}. */
export class LlmFailed extends Schema.TaggedError<LlmFailed>()("LlmFailed", {
  reason: FailureReason,
  /** Seconds until the provider may be asked again, where it said so. */
  retryAfter: Schema.optionalKey(Schema.Int),
  /** Tokens that the provider counted although it failed. */
  usage: Schema.optionalKey(Schema.declare((value): value is Usage => typeof value === "object")),
  /** What the provider says is wrong with the request, where the request is at fault. */
  said: Schema.optionalKey(Schema.declare((value): value is UpstreamRefusal => typeof value === "object"))
}) {}

/** A model as clients name it. */
export interface ModelInfo {
  readonly id: string
  readonly kind: "chat" | "embeddings"
  /** The provider that is asked first. */
  readonly provider: string
  /** Tokens of input and output together; undefined: not known. */
  readonly contextWindow?: number | undefined
  readonly maxOutputTokens?: number | undefined
  /** Seconds since 1970. */
  readonly createdAt?: number | undefined
  /** Whom its answers may be paid to, where the installation pays. */
  readonly pricing?: ReadonlyArray<Pricing> | undefined
}

/** Tokens of a request before it is answered. */
export interface Estimate {
  readonly input: number
  readonly inputAtMost: number
  readonly outputAtMost: number
}

/** What a question brings beside the request. */
export interface Asking {
  /** Separates the failure counts of tenants, so that one tenant's failures do not block another's questions; used for nothing else. */
  readonly partition: string
  /**
   * The tenant's own key at a provider, for a model as clients name it. Undefined: it has none. `unusable`: it has one that cannot be
   * decrypted; `unavailable`: it is not known now. Then the installation's is not used instead.
   */
  readonly keyFor?:
    | ((provider: string, model: string) => Effect.Effect<Redacted.Redacted | "unusable" | "unavailable" | undefined>)
    | undefined
  /** Takes each call of a provider when it begins; the call completes its record in place. */
  readonly attempt: (attempt: Attempt) => void
  /** Milliseconds since 1970. */
  readonly moment: () => number
}

/**
 * The models of the providers. Pieces are pushed and not pulled: a generation belongs to the server and never waits for its readers. One
 * `Stream` element per token would cost more than all the rest of the token's way (see the benchmark).
 */
export class Llm extends Context.Service<
  Llm,
  {
    /** The model that is asked where a question names none. */
    readonly defaultModel: string
    /** Whether the answers of the default model are made up: no model is behind it. */
    readonly isMadeUp: () => boolean
    /** The model of this name; undefined: there is none. */
    readonly find: (model: string) => ModelInfo | undefined
    /** All models, in the order of the configuration. */
    readonly models: () => ReadonlyArray<ModelInfo>
    /**
     * Answers `request`, whose model exists: `emit` is called for each piece, never with an empty text, and not after the effect ended.
     * Interrupting aborts the request to the provider. Retries happen inside, and only before the first piece.
     */
    readonly generate: (
      request: ModelRequest,
      emit: (piece: ModelPiece) => void,
      asking: Asking
    ) => Effect.Effect<Completion, LlmFailed>
    /** Tokens of a request, whose model exists, and of its answer; exact where the provider knows before. Cheap, and without effects. */
    readonly estimate: (request: ModelRequest) => Estimate
    /** What this process's calls so far showed of each target. */
    readonly health: () => ReadonlyArray<TargetHealth>
    /** Whether there is a provider of this name that may be asked with a tenant's own key. */
    readonly takesKeys: (provider: string) => boolean
    /** Embeds texts. */
    readonly embed: (request: EmbeddingRequest, asking: Asking) => Effect.Effect<EmbeddingAnswer, LlmFailed>
    /**
     * The tokens of the request's input, by the provider's own count; undefined where it does not count before it answers.
     */
    readonly countTokens: (request: ModelRequest, asking: Asking) => Effect.Effect<number | undefined, LlmFailed>
  }
>()("@llm-saas/engine/generations/Llm") {
  declare readonly outside: Outside["outside"]
}
