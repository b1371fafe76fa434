import { Schema } from "effect"
import { Problem } from "./ProblemClass.ts"
import { uuid } from "./Text.ts"

/** The id of one answer of the model, from question to end. We generate UUIDv7; any UUID is accepted. */
export const GenerationId = Schema.String.check(uuid).pipe(Schema.brand("GenerationId"))
export type GenerationId = typeof GenerationId.Type

/** The position of a token in its answer, counted from 1. 0 is before the first. */
export const Seq = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2_147_483_647 })).pipe(Schema.brand("Seq"))
export type Seq = typeof Seq.Type

/**
 * A question that waits for its turn has no row and no status yet. From `streaming` a generation goes once to one of the final statuses:
 *
 * - `streaming`: the model is answering.
 * - `completed`: the model stopped by itself; `finish_reason` says why.
 * - `failed`: the provider or the connection to it failed; `failure` says how. The text so far is kept.
 * - `cancelled`: a client cancelled it, or its last reader was gone for longer than the grace period.
 * - `interrupted`: the process that ran it ended. The text so far is kept.
 */
export const GenerationStatus = Schema.Literals(["streaming", "completed", "failed", "cancelled", "interrupted"])
export type GenerationStatus = typeof GenerationStatus.Type

/** Why the model stopped by itself; `other` is a provider's own reason. */
export const FinishReason = Schema.Literals(["stop", "length", "content_filter", "tool_calls", "other"])
export type FinishReason = typeof FinishReason.Type

/** Why there is no whole answer, as a code. It never contains text of the provider. */
export const FailureReason = Schema.Literals([
  /** The provider refuses our credentials. */
  "model_unauthorized",
  /** The provider limits our rate of requests. */
  "model_rate_limited",
  /** The provider cannot be reached, or its circuit breaker is open. */
  "model_unavailable",
  /** The provider answered 5xx. */
  "model_error",
  /** The provider rejects the form of the request: an unknown model, a parameter. */
  "model_rejected",
  /** The provider's content filter refused the question, or all of the answer. */
  "content_filtered",
  /** The question, with the conversation before it, is longer than the model takes. */
  "context_too_long",
  /** The provider rejects the question's text. */
  "prompt_rejected",
  /** The provider's answer does not follow the protocol: HTML, garbage. */
  "model_malformed",
  /** The provider sent nothing, or nothing more, for too long. */
  "model_timeout",
  /** The connection ended in the middle of the answer. */
  "model_cut",
  /** The answer is larger than the limit we keep. */
  "answer_too_long",
  /** This process shut down. */
  "shutdown",
  /** The process that ran it died. */
  "process_lost",
  /** A defect of ours. */
  "internal"
])
export type FailureReason = typeof FailureReason.Type

/** The endpoint or transport a question arrived by. */
export const Source = Schema.Literals([
  "messages",
  "messages.stream",
  "rpc",
  "chat.completions",
  "responses",
  "anthropic.messages",
  "embeddings"
])
export type Source = typeof Source.Type

/** What a provider says is wrong with a request, without secrets: for the doors whose clients know the provider's words. Never stored. */
export interface UpstreamRefusal {
  readonly message: string
  readonly param?: string | undefined
  readonly code?: string | undefined
  readonly type?: string | undefined
}

/** How a generation ended. */
export type Ending =
  | { readonly status: "completed"; readonly finishReason: FinishReason }
  | {
      readonly status: "failed"
      readonly failure: FailureReason
      readonly retryAfter?: number | undefined
      readonly said?: UpstreamRefusal | undefined
    }
  | { readonly status: "cancelled" }
  | { readonly status: "interrupted"; readonly failure: "shutdown" | "process_lost" }

/** The state of a generation; see {@link GenerationStatus}. */
export type GenerationState =
  | { readonly status: "streaming"; readonly seq: number }
  | (Ending & { readonly seq: number })

/** What can happen to a generation. */
export type GenerationEvent =
  | { readonly event: "appended"; readonly tokens: number }
  | { readonly event: "ended"; readonly ending: Ending }

/** The end of a generation whose process is gone, or could not store another end. */
export const PROCESS_LOST: Ending = { status: "interrupted", failure: "process_lost" }

/** The next state of a generation. The ended states are final: later events change nothing. */
export const evolve = (state: GenerationState, event: GenerationEvent): GenerationState => {
  switch (state.status) {
    case "streaming":
      if (event.event === "appended") return { status: "streaming", seq: state.seq + event.tokens }
      return event.event === "ended" ? { ...event.ending, seq: state.seq } : state
    case "completed":
    case "failed":
    case "cancelled":
    case "interrupted":
      return state
  }
}

/** Whether the status is final. */
export const isEnded = (status: GenerationStatus): boolean => status !== "streaming"

/** A generation as its readers see it: its status and the text so far. */
export class Generation extends Schema.Class<Generation>("Generation")({
  id: GenerationId,
  message_id: Schema.String.check(uuid),
  status: GenerationStatus,
  finish_reason: Schema.NullOr(FinishReason),
  failure: Schema.NullOr(FailureReason),
  /** The text so far; the whole answer once it is completed. */
  text: Schema.String,
  /** The last token's position: resume after it. */
  seq: Seq,
  created_at: Schema.DateTimeUtcFromString
}) {}

/** The generation does not exist, or is not the caller's: both get the same answer. */
export class GenerationNotFound extends Problem<GenerationNotFound>()(
  "GenerationNotFound",
  "generation_not_found",
  {}
) {}

const failed = {
  /** A {@link FailureReason}. */
  reason: FailureReason,
  /** The question and the partial answer are kept under this id. */
  generation_id: Schema.optionalKey(GenerationId)
}

/** The model's provider failed, refused us, or sent an unreadable answer. */
export class ModelFailed extends Problem<ModelFailed>()("ModelFailed", "model_failed", failed) {}

/** The provider's content filter refused the question, or all of the answer: the user can rephrase the question. */
export class ContentFiltered extends Problem<ContentFiltered>()("ContentFiltered", "content_filtered", failed) {}

/** The question, with the conversation before it, is longer than the model takes. */
export class ContextTooLong extends Problem<ContextTooLong>()("ContextTooLong", "context_too_long", failed) {}

/** The provider rejects the question's text. */
export class PromptRejected extends Problem<PromptRejected>()("PromptRejected", "prompt_rejected", failed) {}

/** The model is too busy or cannot be reached. `retry_after` is in seconds. */
export class ModelUnavailable extends Problem<ModelUnavailable>()("ModelUnavailable", "model_unavailable", {
  ...failed,
  retry_after: Schema.Int
}) {}

/** The model did not answer in time. */
export class ModelTimedOut extends Problem<ModelTimedOut>()("ModelTimedOut", "model_timed_out", failed) {}

/** The answer was stopped before its end, by `POST /generations/{id}/cancel` or because the question was deleted. */
export class GenerationCancelled extends Problem<GenerationCancelled>()("GenerationCancelled", "generation_cancelled", {
  generation_id: Schema.optionalKey(GenerationId)
}) {}

/** Every error that a question can end with after it was accepted. */
export type GenerationFailed = InstanceType<(typeof generationFailures)[number]>

/** The same, as classes for the endpoints' definitions. */
export const generationFailures = [
  ModelFailed,
  ModelUnavailable,
  ModelTimedOut,
  ContentFiltered,
  ContextTooLong,
  PromptRejected,
  GenerationCancelled
] as const

/** How long a client is asked to wait when the provider did not say. */
const RETRY_AFTER_SECONDS = 5

/**
 * The error for a client that waits for the whole answer; undefined if the answer is whole. `replayed`: the ending is an old one, read by
 * its Idempotency-Key. Repeating the request cannot change it, so the client is not told to retry.
 */
export const failureOf = (
  ending: Ending,
  generation_id: GenerationId,
  replayed: boolean
): GenerationFailed | undefined => {
  switch (ending.status) {
    case "completed":
      return undefined
    case "cancelled":
      return new GenerationCancelled({ generation_id })
    case "interrupted":
      return replayed
        ? new ModelFailed({ reason: ending.failure, generation_id })
        : new ModelUnavailable({ reason: ending.failure, generation_id, retry_after: RETRY_AFTER_SECONDS })
    case "failed":
      switch (ending.failure) {
        case "model_rate_limited":
        case "model_unavailable":
        case "shutdown":
        case "process_lost":
          return replayed
            ? new ModelFailed({ reason: ending.failure, generation_id })
            : new ModelUnavailable({
                reason: ending.failure,
                generation_id,
                retry_after: ending.retryAfter ?? RETRY_AFTER_SECONDS
              })
        case "model_timeout":
          return new ModelTimedOut({ reason: ending.failure, generation_id })
        case "content_filtered":
          return new ContentFiltered({ reason: ending.failure, generation_id })
        case "context_too_long":
          return new ContextTooLong({ reason: ending.failure, generation_id })
        case "prompt_rejected":
          return new PromptRejected({ reason: ending.failure, generation_id })
        case "model_unauthorized":
        case "model_error":
        case "model_rejected":
        case "model_malformed":
        case "model_cut":
        case "answer_too_long":
        case "internal":
          return new ModelFailed({ reason: ending.failure, generation_id })
      }
  }
}
