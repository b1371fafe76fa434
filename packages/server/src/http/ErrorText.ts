import { type Cause, Effect } from "effect"
import { HttpServerRespondable, type HttpServerResponse } from "effect/http"
import { HttpApiError } from "effect/http-api"
import { refusal } from "./Refusals.ts"

/** The text of an error that we may explain. A defect is logged, once, and not shown to the client. */
export const explain = (
  error: unknown,
  cause: Cause.Cause<unknown>
): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  HttpServerRespondable.isRespondable(error) && !HttpApiError.HttpApiSchemaError.is(error)
    ? Effect.catchCause(HttpServerRespondable.toResponse(error), failed)
    : failed(cause)

const failed = (cause: Cause.Cause<unknown>) =>
  Effect.as(Effect.logError("a request failed for a reason of ours", cause), refusal("internal_error"))
