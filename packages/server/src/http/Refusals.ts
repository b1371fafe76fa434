import { HttpServerResponse } from "effect/http"

/**
 * What the edge answers by itself, before or instead of a handler: by stable code, the status and the title. The problems handlers
 * answer with are in the contract.
 */
const REFUSALS = {
  invalid_request: [400, "The request is not valid"],
  malformed_request: [400, "This is not an HTTP request"],
  malformed_json: [400, "The body is not JSON"],
  invalid_utf8: [400, "The text is not UTF-8"],
  not_found: [404, "There is nothing here"],
  method_not_allowed: [405, "This method is not for this address"],
  request_timeout: [408, "The request took too long to arrive"],
  payload_too_large: [413, "The body is too large"],
  unsupported_media_type: [415, "This content type is not understood here"],
  expectation_failed: [417, "This expectation cannot be met"],
  headers_too_large: [431, "The headers are too large"],
  internal_error: [500, "Something went wrong on our side"],
  unavailable: [503, "Temporarily unavailable"]
} satisfies Readonly<Record<string, readonly [status: number, title: string]>>

export type RefusalCode = keyof typeof REFUSALS

/** Seconds after which a client may try again when we cannot say better. */
export const RETRY_AFTER = 1

/** Members of the problem beyond those every one has. */
export interface RefusalDetails {
  readonly detail?: string
  readonly errors?: ReadonlyArray<{ readonly path: ReadonlyArray<string | number>; readonly message: string }>
}

export const statusOf = (code: RefusalCode): number => REFUSALS[code][0]

/** The problem+json body (RFC 9457), without the request id. */
export const refusalBody = (code: RefusalCode, details: RefusalDetails = {}): string => {
  const [status, title] = REFUSALS[code]
  return JSON.stringify({
    type: `urn:llm-saas:problem:${code}`,
    status,
    title,
    code,
    ...details,
    ...(status === 503 ? { retry_after: RETRY_AFTER } : {})
  })
}

/** The refusal as an answer. The edge adds the request id and the headers on the way out. */
export const refusal = (
  code: RefusalCode,
  details?: RefusalDetails,
  headers: Readonly<Record<string, string>> = {}
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(refusalBody(code, details), { status: statusOf(code), contentType: PROBLEM, headers })

export const PROBLEM = "application/problem+json"

/** The refusal that stands for a status which somebody below us answered with no problem of its own. */
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

/** The problem's text with the id of the request spliced in: parsing and printing it again would cost more than all the rest. */
export const withRequestId = (problem: string, id: string): string => `${problem.slice(0, -1)},"request_id":"${id}"}`
