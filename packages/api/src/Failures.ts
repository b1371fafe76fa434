import { members } from "@llm-saas/domain/Problem"
import { Schema } from "effect"
import { HttpApiError, HttpApiMiddleware } from "effect/http-api"

/** The request does not fit the endpoint's schema. `errors` says where and why, without repeating the value. */
export class InvalidRequest extends HttpApiError.Problem<InvalidRequest>()(
  "InvalidRequest",
  {
    type: "urn:llm-saas:problem:invalid_request",
    status: 400,
    title: "The request is not valid"
  },
  {
    ...members("invalid_request"),
    errors: Schema.optionalKey(
      Schema.Array(
        Schema.Struct({
          /** The slot (`params`, `query`, `headers`, `payload`), then the way to the value inside it. */
          path: Schema.Array(Schema.Union([Schema.String, Schema.Number])),
          message: Schema.String
        })
      )
    )
  }
) {}

/** Our fault. The request id finds it in the log; the answer says nothing more. */
export class InternalError extends HttpApiError.Problem<InternalError>()(
  "InternalError",
  {
    type: "urn:llm-saas:problem:internal_error",
    status: 500,
    title: "Something went wrong on our side"
  },
  members("internal_error")
) {}

/** Turns a request that does not decode into {@link InvalidRequest}. */
export class RequestSchema extends HttpApiMiddleware.Service<RequestSchema>()("@llm-saas/api/RequestSchema", {
  error: [InvalidRequest, InternalError]
}) {}
