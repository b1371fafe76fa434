import type { FailureReason } from "@llm-saas/domain/Generation"
import { ProviderFailure } from "./ProviderFailure.ts"
import { type ProviderError, says } from "./ProviderError.ts"

// The meaning of a provider's refusal. Codes decide; messages only if they do not quote the question. docs/providers.md has the table.

/** The refused request: its texts, and the maximum tokens of its answer. */
export interface Asked {
  readonly texts: ReadonlyArray<string>
  readonly maxTokens: number
}

/** The failure for a response other than 200 and 201. `now` is the wall clock's time in ms. */
export const refusal = (
  status: number,
  headers: Readonly<Record<string, unknown>>,
  error: ProviderError,
  asked: Asked,
  now: number
): ProviderFailure => {
  const waitMs = waitOf(headers, now)
  const code = [...error.codes].find((each) => LOGGED.has(each))
  const failed = (reason: FailureReason, retryable: boolean) =>
    new ProviderFailure({ reason, retryable, waitMs, status, code })
  const askers = status === 401 || status === 429 ? undefined : askersFault(status, error, asked)
  if (askers !== undefined) return failed(askers, false)
  // An account without money also gets 429, and waiting does not help.
  if (status === 429) return failed("model_rate_limited", !has(error, NO_MONEY))
  if (status === 401 || status === 403) return failed("model_unauthorized", false)
  // From a proxy that refused our login.
  if (status === 407) return failed("model_unavailable", false)
  if (status === 408) return failed("model_timeout", true)
  if (status === 409 || status === 425) return failed("model_error", true)
  if (status >= 400 && status < 500) return failed("model_rejected", false)
  if (status >= 500) return failed("model_error", status !== 501 && status !== 505)
  // Also redirects: the key is sent only to the configured host.
  return failed("model_malformed", false)
}

/** The failure for an error sent instead of an answer, or in its middle: the response's status was 200. */
export const spoken = (error: ProviderError, asked: Asked): ProviderFailure =>
  refusal(error.status ?? statusOf(error), {}, error, asked, 0)

const statusOf = (error: ProviderError): number => STATUSES.find(([codes]) => has(error, codes))?.[1] ?? 500

const has = ({ codes }: ProviderError, wanted: ReadonlySet<string>): boolean =>
  [...codes].some((code) => wanted.has(code))

/** Failures the user can correct, by changing the question's text or its length. */
const askersFault = (
  status: number,
  error: ProviderError,
  { maxTokens, texts }: Asked
): "content_filtered" | "context_too_long" | "prompt_rejected" | undefined => {
  if (has(error, FILTERED)) return "content_filtered"
  if (has(error, TOO_LONG)) return limitIsOurs(error, maxTokens) ? undefined : "context_too_long"
  if (status === 403 || status === 404 || has(error, UNKNOWN_MODEL)) return undefined
  if (status < 500 && says(error, FILTERED_WORDS, texts)) return "content_filtered"
  if (status === 413) return "context_too_long"
  if (says(error, TOO_LONG_WORDS, texts)) return limitIsOurs(error, maxTokens) ? undefined : "context_too_long"
  if ((status === 400 || status === 422) && [...error.parameters].some((name) => PROMPT.has(name)))
    return "prompt_rejected"
  return undefined
}

/** Whether the answer's token limit is more than the model allows: then no question fits, and the setting is at fault. */
const limitIsOurs = ({ messages, parameters }: ProviderError, maxTokens: number): boolean => {
  const limits = messages.flatMap((message) => [...message.matchAll(/maximum context length (?:is|of) (\d{1,9})/giu)])
  if (limits.length === 0) return parameters.has("max_tokens") || parameters.has("max_completion_tokens")
  return limits.every(([, limit]) => Number(limit) <= maxTokens)
}

const PROMPT = new Set(["messages", "message", "prompt", "input", "content", "contents"])

const FILTERED = new Set([
  "content_filter",
  "content_filtered",
  "content_policy_violation",
  "contentpolicyviolationerror",
  "content_policy",
  "content_moderation",
  "content_violation",
  "moderation_blocked",
  "responsibleaipolicyviolation",
  "data_inspection_failed",
  "datainspectionfailed",
  "invalid_prompt",
  "prohibited_content",
  "prompt_blocked",
  "safety",
  "sensitive",
  // Zhipu GLM; MiniMax, for the question and for the answer.
  "1301",
  "1026",
  "1027"
])
const FILTERED_WORDS =
  /content[ _](?:filter|management policy|policy)|content exists risk|flagged (?:as|by|for)|inappropriate content|moderation|safety system|usage policy|sensitive content|content violates/giu

const TOO_LONG = new Set([
  "context_length_exceeded",
  "context_window_exceeded",
  "contextwindowexceedederror",
  "context_exceeded",
  "context_too_long",
  "exceed_context_size_error",
  "model_context_window_exceeded",
  "max_context_length_exceeded",
  "input_too_long",
  "prompt_too_long",
  "request_too_large",
  "string_above_max_length",
  "tokens_limit_reached",
  "too_many_tokens"
])
const TOO_LONG_WORDS =
  /context[ _-]?(?:length|window|size|limit)|maximum (?:prompt|input|sequence) length|(?:prompt|input|request|messages?|conversation) (?:is|are) too (?:long|large)|too many (?:input |prompt )?tokens|(?:input|prompt) (?:length|tokens?)[^.]{0,60}exceed|input validation error[^.]{0,40}(?:tokens|must have less than)|reduce the (?:length|size) of the (?:messages|prompt|input)|range of input length/giu

/** The provider does not have this model or deployment: the operator must change it. */
const UNKNOWN_MODEL = new Set([
  "model_not_found",
  "deploymentnotfound",
  "unknown_model",
  "invalid_model",
  "model_not_supported"
])

const NO_MONEY = new Set([
  "insufficient_quota",
  "insufficient_balance",
  "billing_hard_limit_reached",
  "billing_not_active"
])

/** The status of an error without one, by its code. */
const STATUSES: ReadonlyArray<readonly [codes: ReadonlySet<string>, status: number]> = [
  [NO_MONEY, 429],
  [
    new Set([
      "rate_limit_exceeded",
      "rate_limit_error",
      "ratelimiterror",
      "too_many_requests",
      "resource_exhausted",
      "throttling"
    ]),
    429
  ],
  [
    new Set([
      "authentication_error",
      "authenticationerror",
      "invalid_api_key",
      "invalid_authentication",
      "permission_error",
      "permission_denied",
      "unauthenticated"
    ]),
    401
  ],
  [UNKNOWN_MODEL, 404],
  [new Set(["not_found_error", "notfounderror", "not_found"]), 404],
  [FILTERED, 400],
  [TOO_LONG, 400],
  [
    new Set([
      "invalid_request_error",
      "badrequesterror",
      "bad_request",
      "invalid_argument",
      "invalidparameter",
      "invalid_parameter",
      "validation_error",
      "unsupported_value",
      "unsupported_parameter"
    ]),
    400
  ]
]

/** The only codes that may be logged, so that no other text of a provider gets into the log. */
const LOGGED: ReadonlySet<string> = new Set(STATUSES.flatMap(([codes]) => [...codes]))

/** `Retry-After` (RFC 9110 §10.2.3), or `retry-after-ms`, which OpenAI and Azure add. In ms. */
const waitOf = (headers: Readonly<Record<string, unknown>>, now: number): number | undefined => {
  const precise = digits(headers["retry-after-ms"])
  if (precise !== undefined) return precise
  const header = headers["retry-after"]
  const seconds = digits(header)
  if (seconds !== undefined) return seconds * 1000
  const date = typeof header === "string" && /^[A-Z][a-z]{2,8},? /u.test(header) ? Date.parse(header) : Number.NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

const digits = (header: unknown): number | undefined =>
  typeof header === "string" && /^\d{1,9}(?:\.\d{1,9})?$/u.test(header) ? Number(header) : undefined
