import { InvalidRequest, RequestSchema } from "@llm-saas/api/Failures"
import { Effect, SchemaIssue } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiMiddleware } from "effect/http-api"

/** What the edge itself answers with, by status: the code for programs and the title for people. */
const STANDARD: Readonly<Record<number, readonly [code: string, title: string]>> = {
  400: ["invalid_request", "The request is not valid"],
  404: ["not_found", "There is nothing here"],
  405: ["method_not_allowed", "This method is not for this address"],
  408: ["request_timeout", "The request took too long to arrive"],
  413: ["payload_too_large", "The body is too large"],
  415: ["unsupported_media_type", "This content type is not understood here"],
  431: ["headers_too_large", "The headers are too large"],
  500: ["internal_error", "Something went wrong on our side"],
  503: ["unavailable", "Temporarily unavailable"]
}

/** A problem+json body (RFC 9457) for a status the edge gives by itself. */
export const problemBody = (status: number, detail?: string): string => {
  const [code, title] = STANDARD[status] ?? [`http_${status}`, "The request failed"]
  return JSON.stringify({
    type: `urn:llm-saas:problem:${code}`,
    title,
    status,
    code,
    ...(detail === undefined ? {} : { detail }),
    ...(status === 503 ? { retry_after: 2 } : {})
  })
}

export const problem = (
  status: number,
  detail?: string,
  headers: Readonly<Record<string, string>> = {}
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(problemBody(status, detail), { status, contentType: "application/problem+json", headers })

const formatIssues = SchemaIssue.makeFormatterStandardSchemaV1()

/** Says where and why a request does not decode, without what was sent: a message may quote the value, which may be a password. */
export const RequestSchemaLayer = HttpApiMiddleware.layerSchemaErrorTransform(RequestSchema, (error) => {
  if (error.kind === "Body" || error.kind === "ResponseHeaders") return Effect.die(error)
  const errors = formatIssues(error.cause.issue)
    .issues.slice(0, 20)
    .map(({ message, path }) => ({
      path: [
        error.kind.toLowerCase(),
        ...(path ?? []).map((step) => String(typeof step === "object" ? step.key : step))
      ],
      message: message.replace(/,? (?:got|actual) [\s\S]*$/u, "").slice(0, 200)
    }))
  return Effect.fail(new InvalidRequest({ errors }))
})
