import type { FailureReason, UpstreamRefusal } from "@llm-saas/domain/Generation"
import type { Usage } from "@llm-saas/domain/Usage"
import { LlmFailed } from "@llm-saas/engine/generations/Llm"
import { Data } from "effect"

/** Why one request to a provider got no whole answer. It contains no text of the provider, but for `said`. */
export class ProviderFailure extends Data.TaggedError("ProviderFailure")<{
  readonly reason: FailureReason
  /** Whether a retry may help, if nothing of the answer was shown yet. */
  readonly retryable: boolean
  /** Milliseconds the provider asked to wait, if it did. */
  readonly waitMs?: number | undefined
  /** The response's status, for the log; undefined without a response. */
  readonly status?: number | undefined
  /** For the log: Node's code of a failed connection (`ECONNREFUSED`), or a provider's code from our list. */
  readonly code?: string | undefined
  /** For the log: our description of the answer's unknown form. */
  readonly shape?: string | undefined
  /** For the client: what is wrong with the request, where it is at fault. Redacted; quotes nothing else of the provider. */
  readonly said?: UpstreamRefusal | undefined
  /** Tokens counted despite the failure. */
  readonly usage?: Usage | undefined
}> {}

export const unavailable = (code: string | undefined) =>
  new ProviderFailure({ reason: "model_unavailable", retryable: true, code })
export const malformed = new ProviderFailure({ reason: "model_malformed", retryable: false })
/** The answer has an unknown form. Not retryable: a second answer would have the same form. */
export const unknownShape = (shape: string, usage?: Usage) =>
  new ProviderFailure({ reason: "model_malformed", retryable: false, shape, usage })
export const cut = new ProviderFailure({ reason: "model_cut", retryable: true })
export const internal = new ProviderFailure({ reason: "internal", retryable: false })
/** Not retryable: the user has waited long enough. */
export const tooLate = new ProviderFailure({ reason: "model_timeout", retryable: false })
/** The provider reports a timeout. */
export const overTime = new ProviderFailure({ reason: "model_timeout", retryable: true })
/** No connection in time: the next one may reach another machine. */
export const noConnection = new ProviderFailure({ reason: "model_timeout", retryable: true })

/** Whether a failure shows nothing about the provider's health. */
export const saysNothing = ({ reason }: ProviderFailure): boolean =>
  reason === "model_rejected"
  || reason === "model_unauthorized"
  || reason === "content_filtered"
  || reason === "context_too_long"
  || reason === "prompt_rejected"
  || reason === "internal"

/** Longest `retryAfter`: a day. */
const LONGEST_SECONDS = 86_400

/** The failure for the engine. */
export const toLlmFailed = ({ reason, said, usage, waitMs }: ProviderFailure): LlmFailed =>
  new LlmFailed({
    reason,
    ...(waitMs === undefined ? {} : { retryAfter: Math.min(LONGEST_SECONDS, Math.max(1, Math.ceil(waitMs / 1000))) }),
    ...(usage === undefined ? {} : { usage }),
    ...(said === undefined ? {} : { said })
  })
