import { problem, type ProblemCode, PROBLEMS } from "@llm-saas/domain/Problem"
import { HttpServerResponse } from "effect/http"

/** Answers of the edge itself, before or instead of a handler. */
const REFUSALS = [
  "invalid_request",
  "unknown_parameter",
  "malformed_request",
  "malformed_json",
  "invalid_utf8",
  "not_found",
  "method_not_allowed",
  "request_timeout",
  "payload_too_large",
  "unsupported_media_type",
  "expectation_failed",
  "headers_too_large",
  "internal_error",
  "unavailable"
] as const satisfies ReadonlyArray<ProblemCode>

export type RefusalCode = (typeof REFUSALS)[number]

/** Seconds after which a client may retry, where nothing better is known. */
export const RETRY_AFTER_SECONDS = 1

/** A value that is not as expected: its slot, its path inside the slot, and what was expected. */
export interface SchemaIssueText {
  readonly path: ReadonlyArray<string | number>
  readonly message: string
}

/** Members of a problem beyond the common ones. */
export interface RefusalDetails {
  readonly detail?: string
  readonly errors?: ReadonlyArray<SchemaIssueText>
}

export const statusOf = (code: RefusalCode): number => PROBLEMS[code].status

/** The problem+json body (RFC 9457), without the request id. */
export const refusalBody = (code: RefusalCode, details: RefusalDetails = {}): string => {
  const about = problem(code)
  return JSON.stringify({
    ...about,
    detail: detailOf(details.errors) ?? PROBLEMS[code].detail,
    code,
    ...details,
    ...(about.status === 503 ? { retry_after: RETRY_AFTER_SECONDS } : {})
  })
}

/** What is wrong with a request, as one sentence: the first bad value, and how many more there are. */
export const detailOf = (errors: ReadonlyArray<SchemaIssueText> | undefined): string | undefined => {
  const [first, ...others] = errors ?? []
  if (first === undefined) return undefined
  const more = others.length === 0 ? "" : `, and ${others.length} more`
  return `${first.path.join(".")}: ${first.message}${more}.`
}

/** The refusal as an answer. The edge adds the request id and the headers. */
export const refusal = (
  code: RefusalCode,
  details?: RefusalDetails,
  headers: Readonly<Record<string, string>> = {}
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(refusalBody(code, details), { status: statusOf(code), contentType: PROBLEM, headers })

export const PROBLEM = "application/problem+json"

/** The refusal for a status that the platform answered without a problem of its own. */
export const refusalFor = (status: number): RefusalCode => {
  switch (status) {
    case 404:
      return "not_found"
    case 405:
      return "method_not_allowed"
    case 408:
      return "request_timeout"
    case 413:
      return "payload_too_large"
    case 415:
      return "unsupported_media_type"
    case 417:
      return "expectation_failed"
    case 503:
      return "unavailable"
    default:
      return status < 500 ? "invalid_request" : "internal_error"
  }
}

/** Splices the request id into the problem's text: parsing and printing it again would cost more than all the rest. */
export const withRequestId = (body: string, id: string): string => `${body.slice(0, -1)},"request_id":"${id}"}`
