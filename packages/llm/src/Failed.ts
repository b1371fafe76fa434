import type { FailureReason } from "@llm-saas/domain/Generation"
import { LlmFailed } from "@llm-saas/engine/Llm"
import { Data } from "effect"

/** Why one request to a provider came to no whole answer. Nothing the provider said is in here. */
export class Failed extends Data.TaggedError("Failed")<{
  readonly reason: FailureReason
  /** Whether asking again in a moment may help, as long as nothing of an answer came. */
  readonly passing: boolean
  /** Milliseconds after which the provider wants to be asked again, where it said so. */
  readonly wait?: number | undefined
  /** The status of the response, for the log; undefined where none came. */
  readonly status?: number | undefined
  /** Node's name for what went wrong with a connection, for the log: `ECONNREFUSED`, `CERT_HAS_EXPIRED`. */
  readonly code?: string | undefined
}> {}

export const unavailable = (code: string | undefined) =>
  new Failed({ reason: "model_unavailable", passing: true, code })
export const malformed = new Failed({ reason: "model_malformed", passing: false })
export const cut = new Failed({ reason: "model_cut", passing: true })
export const internal = new Failed({ reason: "internal", passing: false })
/** Not asked again: whoever waits has waited long enough. */
export const tooLate = new Failed({ reason: "model_timeout", passing: false })
/** No connection in time: the next one may get another machine. */
export const noConnection = new Failed({ reason: "model_timeout", passing: true })

/** What a status says that is not an answer's. `body` is the beginning of what came with it, `now` the time in ms. */
export const refusal = (
  status: number,
  headers: Readonly<Record<string, unknown>>,
  body: string,
  now: number
): Failed => {
  const wait = waitOf(headers, now)
  const failed = (reason: FailureReason, passing: boolean) => new Failed({ reason, passing, wait, status })
  // An account without money is told 429 too, and no waiting helps.
  if (status === 429) return failed("model_rate_limited", !body.includes("insufficient_quota"))
  if (status === 401 || status === 403) return failed("model_unauthorized", false)
  if (status === 408) return failed("model_timeout", true)
  if (status === 409 || status === 425) return failed("model_error", true)
  if (status >= 400 && status < 500) return failed("model_rejected", false)
  if (status >= 500) return failed("model_error", status !== 501 && status !== 505)
  // Redirects among them: our key is for the host it was given for.
  return failed("model_malformed", false)
}

/** RFC 9110 §10.2.3, and the milliseconds that OpenAI and Azure send beside it. */
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

/** A day: what a caller is told at most. */
const LONGEST = 86_400

/** As the engine hears it. */
export const toLlmFailed = ({ reason, wait }: Failed): LlmFailed =>
  new LlmFailed({
    reason,
    ...(wait === undefined ? {} : { retryAfter: Math.min(LONGEST, Math.max(1, Math.ceil(wait / 1000))) })
  })
