import { Schema } from "effect"
import { HttpApiError } from "effect/http-api"
import { members, problem, type ProblemCode } from "./Problem.ts"
import { uuid } from "./Text.ts"

/** Names one answer of the model, from question to end. A UUIDv7, made by us; any UUID is read. */
export const GenerationId = Schema.String.check(uuid).pipe(Schema.brand("GenerationId"))
export type GenerationId = typeof GenerationId.Type

/** The place of a token in its answer, from 1 on. 0 stands before the first. */
export const Seq = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2_147_483_647 })).pipe(Schema.brand("Seq"))
export type Seq = typeof Seq.Type

/**
 * A question that waits for its turn has no row yet, and no status. From `streaming` a generation goes to one of the other four, once:
 *
 * - `streaming`: the model answers.
 * - `completed`: the model came to an end by itself; `finish_reason` says which.
 * - `failed`: the model or the way to it failed; `failure` says how. What came before is kept.
 * - `cancelled`: somebody asked it to stop, or its last reader left for longer than the grace.
 * - `interrupted`: the process that ran it ended, and its partial text is kept.
 */
export const GenerationStatus = Schema.Literals(["streaming", "completed", "failed", "cancelled", "interrupted"])
export type GenerationStatus = typeof GenerationStatus.Type

/** Why the model stopped by itself; `other` is a provider's own reason. */
export const FinishReason = Schema.Literals(["stop", "length", "content_filter", "tool_calls", "other"])
export type FinishReason = typeof FinishReason.Type

/** Why there is no whole answer, in words for programs. What the provider said is never part of it. */
export const FailureReason = Schema.Literals([
  /** The provider refuses our credentials. */
  "model_unauthorized",
  /** The provider has too many of our requests. */
  "model_rate_limited",
  /** The provider cannot be reached, or was found broken a moment ago. */
  "model_unavailable",
  /** The provider failed: 5xx. */
  "model_error",
  /** The provider does not take how it is asked: an unknown model, a parameter. */
  "model_rejected",
  /** The provider's content filter refused the question, or all of the answer. */
  "content_filtered",
  /** The question, with the conversation before it, is longer than the model takes. */
  "context_too_long",
  /** The provider does not take the question's text. */
  "prompt_rejected",
  /** What came is not what the protocol says: HTML, garbage. */
  "model_malformed",
  /** Nothing came, or nothing more, for too long. */
  "model_timeout",
  /** The connection ended in the middle of the answer. */
  "model_cut",
  /** The answer grew past what we keep. */
  "answer_too_long",
  /** We stopped: a shutdown. */
  "shutdown",
  /** The process that ran it is gone. */
  "process_lost",
  /** A defect of ours. */
  "internal"
])
export type FailureReason = typeof FailureReason.Type

/** Which door a question came through. */
export const Source = Schema.Literals(["messages", "messages.stream", "rpc"])
export type Source = typeof Source.Type

/** Tokens as the provider counted them. */
export interface Usage {
  readonly input: number
  readonly output: number
}

/** How a generation ended. */
export type Ending =
  | { readonly status: "completed"; readonly finishReason: FinishReason }
  | { readonly status: "failed"; readonly failure: FailureReason; readonly retryAfter?: number | undefined }
  | { readonly status: "cancelled" }
  | { readonly status: "interrupted"; readonly failure: "shutdown" | "process_lost" }

/** Where a generation is in its life. */
export type GenerationState =
  | { readonly status: "streaming"; readonly seq: number }
  | (Ending & { readonly seq: number })

/** What can happen to a generation. */
export type GenerationEvent =
  | { readonly event: "appended"; readonly tokens: number }
  | { readonly event: "ended"; readonly ending: Ending }

/** The life of a generation. Ended is absorbing: whatever comes later changes nothing. */
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

/** Whether the status is one that nothing follows. */
export const isEnded = (status: GenerationStatus): boolean => status !== "streaming"

/** A generation as its reader sees it: how far it is, and the text so far. */
export class Generation extends Schema.Class<Generation>("Generation")({
  id: GenerationId,
  message_id: Schema.String.check(uuid),
  status: GenerationStatus,
  finish_reason: Schema.NullOr(FinishReason),
  failure: Schema.NullOr(FailureReason),
  /** The text so far; the whole answer once it is completed. */
  text: Schema.String,
  /** The last token's place: what to resume after. */
  seq: Seq,
  created_at: Schema.DateTimeUtcFromString
}) {}

/** The generation does not exist, or is not the caller's: the two answer alike. */
export class GenerationNotFound extends HttpApiError.Problem<GenerationNotFound>()(
  "GenerationNotFound",
  problem("generation_not_found"),
  members("generation_not_found")
) {}

const failed = <const Code extends ProblemCode>(code: Code) => ({
  ...members(code),
  /** A {@link FailureReason}. */
  reason: FailureReason,
  /** Under this id the question, and what came of the answer, are kept. */
  generation_id: Schema.optionalKey(GenerationId)
})

/** The model's provider failed, refused us, or answered what nobody can read. */
export class ModelFailed extends HttpApiError.Problem<ModelFailed>()(
  "ModelFailed",
  problem("model_failed"),
  failed("model_failed")
) {}

/** The provider's content filter refused the question, or all of the answer: the asker can say it otherwise. */
export class ContentFiltered extends HttpApiError.Problem<ContentFiltered>()(
  "ContentFiltered",
  problem("content_filtered"),
  failed("content_filtered")
) {}

/** The question, with the conversation before it, is longer than the model takes. */
export class ContextTooLong extends HttpApiError.Problem<ContextTooLong>()(
  "ContextTooLong",
  problem("context_too_long"),
  failed("context_too_long")
) {}

/** The provider does not take the question's text. */
export class PromptRejected extends HttpApiError.Problem<PromptRejected>()(
  "PromptRejected",
  problem("prompt_rejected"),
  failed("prompt_rejected")
) {}

/** The model cannot be had just now: too busy, or not reachable. `retry_after` is in seconds. */
export class ModelUnavailable extends HttpApiError.Problem<ModelUnavailable>()(
  "ModelUnavailable",
  problem("model_unavailable"),
  { ...failed("model_unavailable"), retry_after: Schema.Int }
) {}

/** The model did not answer in time. */
export class ModelTimedOut extends HttpApiError.Problem<ModelTimedOut>()(
  "ModelTimedOut",
  problem("model_timed_out"),
  failed("model_timed_out")
) {}

/** The answer was stopped before its end, by `POST /generations/{id}/cancel` or because the question was deleted. */
export class GenerationCancelled extends HttpApiError.Problem<GenerationCancelled>()(
  "GenerationCancelled",
  problem("generation_cancelled"),
  { ...members("generation_cancelled"), generation_id: Schema.optionalKey(GenerationId) }
) {}

/** Every way in which a question that was taken can come to no whole answer. */
export type GenerationFailed = InstanceType<(typeof generationFailures)[number]>

/** As above, for the contract. */
export const generationFailures = [
  ModelFailed,
  ModelUnavailable,
  ModelTimedOut,
  ContentFiltered,
  ContextTooLong,
  PromptRejected,
  GenerationCancelled
] as const

/** Seconds a client is asked to wait when nobody said how long. */
const RETRY_AFTER = 5

/**
 * What an ending means to somebody who asked and waits for the whole answer; undefined: it is whole. `replayed`: it is an old ending, and
 * stays what it is however often it is asked for, so that nobody is told to come back.
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
        : new ModelUnavailable({ reason: ending.failure, generation_id, retry_after: RETRY_AFTER })
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
                retry_after: ending.retryAfter ?? RETRY_AFTER
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
