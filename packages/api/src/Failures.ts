import { members, problem } from "@llm-saas/domain/Problem"
import { Unavailable } from "@llm-saas/domain/Refusal"
import { Schema } from "effect"
import { HttpApiError, HttpApiMiddleware } from "effect/http-api"

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
export class InvalidRequest extends HttpApiError.Problem<InvalidRequest>()(
  "InvalidRequest",
  problem("invalid_request"),
  { ...members("invalid_request"), errors: Schema.optionalKey(errors) }
) {}

/** The endpoint does not have this query parameter. `errors` names it, and the right one where that is known. */
export class UnknownParameter extends HttpApiError.Problem<UnknownParameter>()(
  "UnknownParameter",
  problem("unknown_parameter"),
  { ...members("unknown_parameter"), errors }
) {}

/** The request is not valid HTTP. */
export class MalformedRequest extends HttpApiError.Problem<MalformedRequest>()(
  "MalformedRequest",
  problem("malformed_request"),
  members("malformed_request")
) {}

/** The body is not valid JSON. */
export class MalformedJson extends HttpApiError.Problem<MalformedJson>()(
  "MalformedJson",
  problem("malformed_json"),
  members("malformed_json")
) {}

/** The address or the body is not valid UTF-8. */
export class InvalidUtf8 extends HttpApiError.Problem<InvalidUtf8>()(
  "InvalidUtf8",
  problem("invalid_utf8"),
  members("invalid_utf8")
) {}

/** No endpoint has this path. */
export class NotFound extends HttpApiError.Problem<NotFound>()(
  "NotFound",
  problem("not_found"),
  members("not_found")
) {}

/** The path does not have this method; the `Allow` header lists those it has. */
export class MethodNotAllowed extends HttpApiError.Problem<MethodNotAllowed>()(
  "MethodNotAllowed",
  problem("method_not_allowed"),
  members("method_not_allowed")
) {}

/** The request did not arrive in time. */
export class RequestTimeout extends HttpApiError.Problem<RequestTimeout>()(
  "RequestTimeout",
  problem("request_timeout"),
  members("request_timeout")
) {}

/** The body is larger than the server allows. */
export class PayloadTooLarge extends HttpApiError.Problem<PayloadTooLarge>()(
  "PayloadTooLarge",
  problem("payload_too_large"),
  members("payload_too_large")
) {}

/** The body's type or encoding is not one the endpoint reads. */
export class UnsupportedMediaType extends HttpApiError.Problem<UnsupportedMediaType>()(
  "UnsupportedMediaType",
  problem("unsupported_media_type"),
  members("unsupported_media_type")
) {}

/** `Expect` has a value other than 100-continue. */
export class ExpectationFailed extends HttpApiError.Problem<ExpectationFailed>()(
  "ExpectationFailed",
  problem("expectation_failed"),
  members("expectation_failed")
) {}

/** Address and headers are larger than the server allows. */
export class HeadersTooLarge extends HttpApiError.Problem<HeadersTooLarge>()(
  "HeadersTooLarge",
  problem("headers_too_large"),
  members("headers_too_large")
) {}

/** A defect of the server. The answer has only the request id, under which the log has the cause. */
export class InternalError extends HttpApiError.Problem<InternalError>()(
  "InternalError",
  problem("internal_error"),
  members("internal_error")
) {}

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
