import { Problem } from "@llm-saas/domain/ProblemClass"
import { Unavailable } from "@llm-saas/domain/Refusal"
import { Schema } from "effect"
import { HttpApiMiddleware } from "effect/http-api"

// Problems of every endpoint: the HTTP server answers with them before a handler runs, or when it failed.

const errors = Schema.Array(
  Schema.Struct({
    /** The part of the request (`params`, `query`, `headers`, `payload`), then the path to the value in it. */
    path: Schema.Array(Schema.Union([Schema.String, Schema.Int])),
    /** What was expected. The value itself is never repeated. */
    message: Schema.String
  })
)

/** The request does not fit the endpoint's schema. `errors` says where and why, without repeating the value. */
export class InvalidRequest extends Problem<InvalidRequest>()("InvalidRequest", "invalid_request", {
  errors: Schema.optionalKey(errors)
}) {}

/** The endpoint does not have this query parameter. `errors` names it, and the right one where that is known. */
export class UnknownParameter extends Problem<UnknownParameter>()("UnknownParameter", "unknown_parameter", {
  errors
}) {}

/** The request is not valid HTTP. */
export class MalformedRequest extends Problem<MalformedRequest>()("MalformedRequest", "malformed_request", {}) {}

/** The body is not valid JSON. */
export class MalformedJson extends Problem<MalformedJson>()("MalformedJson", "malformed_json", {}) {}

/** The address or the body is not valid UTF-8. */
export class InvalidUtf8 extends Problem<InvalidUtf8>()("InvalidUtf8", "invalid_utf8", {}) {}

/** No endpoint has this path. */
export class NotFound extends Problem<NotFound>()("NotFound", "not_found", {}) {}

/** The path does not have this method; the `Allow` header lists those it has. */
export class MethodNotAllowed extends Problem<MethodNotAllowed>()("MethodNotAllowed", "method_not_allowed", {}) {}

/** The request did not arrive in time. */
export class RequestTimeout extends Problem<RequestTimeout>()("RequestTimeout", "request_timeout", {}) {}

/** The body is larger than the server allows. */
export class PayloadTooLarge extends Problem<PayloadTooLarge>()("PayloadTooLarge", "payload_too_large", {}) {}

/** The body's type or encoding is not one the endpoint reads. */
export class UnsupportedMediaType extends Problem<UnsupportedMediaType>()(
  "UnsupportedMediaType",
  "unsupported_media_type",
  {}
) {}

/** `Expect` has a value other than 100-continue. */
export class ExpectationFailed extends Problem<ExpectationFailed>()("ExpectationFailed", "expectation_failed", {}) {}

/** Address and headers are larger than the server allows. */
export class HeadersTooLarge extends Problem<HeadersTooLarge>()("HeadersTooLarge", "headers_too_large", {}) {}

/** A defect of the server. The answer has only the request id, under which the log has the cause. */
export class InternalError extends Problem<InternalError>()("InternalError", "internal_error", {}) {}

/** Only for requests with a body. The document omits them elsewhere. */
export const aboutBodies: ReadonlyArray<string> = [
  "MalformedRequest",
  "MalformedJson",
  "PayloadTooLarge",
  "UnsupportedMediaType"
]

/** Only for paths with a parameter. */
export const aboutPaths: ReadonlyArray<string> = ["NotFound"]

/** Turns a request that does not decode into {@link InvalidRequest}, and declares the other problems of this file. */
export class RequestSchema extends HttpApiMiddleware.Service<RequestSchema>()("@llm-saas/api/RequestSchema", {
  error: [
    InvalidRequest,
    UnknownParameter,
    MalformedRequest,
    MalformedJson,
    InvalidUtf8,
    NotFound,
    MethodNotAllowed,
    RequestTimeout,
    PayloadTooLarge,
    UnsupportedMediaType,
    ExpectationFailed,
    HeadersTooLarge,
    InternalError,
    Unavailable
  ]
}) {}
