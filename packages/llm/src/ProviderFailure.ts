import type { FailureReason, Usage } from "@llm-saas/domain/Generation"
import { LlmFailed } from "@llm-saas/engine/generations/Llm"
import { Data } from "effect"

/** Why one request to a provider came to no whole answer. Nothing the provider said is in here. */
export class ProviderFailure extends Data.TaggedError("ProviderFailure")<{
  readonly reason: FailureReason
  /** Whether asking again in a moment may help, as long as nothing of an answer was shown. */
  readonly retryable: boolean
  /** Milliseconds after which the provider wants to be asked again, where it said so. */
  readonly wait?: number | undefined
  /** The status of the response, for the log; undefined where none came. */
  readonly status?: number | undefined
  /** For the log: Node's name for what went wrong with a connection (`ECONNREFUSED`), or a provider's code of a list of ours. */
  readonly code?: string | undefined
  /** For the log: what of the answer's form was not understood, in words of ours. */
  readonly shape?: string | undefined
  /** Tokens that were counted all the same. */
  readonly usage?: Usage | undefined
}> {}

export const unavailable = (code: string | undefined) =>
  new ProviderFailure({ reason: "model_unavailable", retryable: true, code })
export const malformed = new ProviderFailure({ reason: "model_malformed", retryable: false })
/** An answer of a form that we do not know: asked again, it would have the same. */
export const unknownShape = (shape: string, usage?: Usage) =>
  new ProviderFailure({ reason: "model_malformed", retryable: false, shape, usage })
export const cut = new ProviderFailure({ reason: "model_cut", retryable: true })
export const internal = new ProviderFailure({ reason: "internal", retryable: false })
/** Not asked again: whoever waits has waited long enough. */
export const tooLate = new ProviderFailure({ reason: "model_timeout", retryable: false })
/** The provider says itself that it ran out of time. */
export const overTime = new ProviderFailure({ reason: "model_timeout", retryable: true })
/** No connection in time: the next one may get another machine. */
export const noConnection = new ProviderFailure({ reason: "model_timeout", retryable: true })

/** Whose fault a failure is, as far as a provider's health is concerned: these say nothing about it. */
export const saysNothing = ({ reason }: ProviderFailure): boolean =>
  reason === "model_rejected"
  || reason === "model_unauthorized"
  || reason === "content_filtered"
  || reason === "context_too_long"
  || reason === "prompt_rejected"
  || reason === "internal"

/** A day: what a caller is told at most. */
const LONGEST = 86_400

/** As the engine hears it. */
export const toLlmFailed = ({ reason, usage, wait }: ProviderFailure): LlmFailed =>
  new LlmFailed({
    reason,
    ...(wait === undefined ? {} : { retryAfter: Math.min(LONGEST, Math.max(1, Math.ceil(wait / 1000))) }),
    ...(usage === undefined ? {} : { usage })
  })
