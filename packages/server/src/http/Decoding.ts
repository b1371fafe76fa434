import { Authorization } from "@llm-saas/api/Access"
import { InvalidRequest, RequestSchema } from "@llm-saas/api/Failures"
import { Effect, Layer, type Types } from "effect"
import { HttpServerRequest, type HttpServerResponse } from "effect/http"
import { HttpApiError } from "effect/http-api"
import { checkBody } from "./Body.ts"
import { schemaIssuesOf } from "./SchemaIssues.ts"
import { detailOf, type SchemaIssueText, refusal } from "./Refusals.ts"

/**
 * What is wrong with a request, told to its sender: which value, and what was expected. Bodies are looked at before they are decoded,
 * but not for somebody without a token where one is asked for: they are told that first.
 */
export const RequestSchemaLayer = Layer.succeed(RequestSchema, (handler, { endpoint }) => {
  const closed = [...endpoint.middlewares].some(({ key }) => key === Authorization.key)
  const checked =
    endpoint.payload.size === 0
      ? handler
      : Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
          closed && request.headers["authorization"] === undefined
            ? handler
            : Effect.flatMap(Effect.orDie(checkBody(request)), (bad) =>
                bad === undefined ? handler : Effect.succeed(refusal(bad.code, bad.details))
              )
        )
  return Effect.catch(
    checked,
    (error): Effect.Effect<HttpServerResponse.HttpServerResponse, InvalidRequest | Types.unhandled> =>
      HttpApiError.HttpApiSchemaError.is(error) ? explain(error) : Effect.fail(error)
  )
})

const explain = (
  error: HttpApiError.HttpApiSchemaError
): Effect.Effect<HttpServerResponse.HttpServerResponse, InvalidRequest> => {
  // Our own answer does not fit the contract: nothing the sender could mend.
  if (error.kind === "Body" || error.kind === "ResponseHeaders") return Effect.die(error.cause)
  const errors = schemaIssuesOf(error.cause.issue, error.kind.toLowerCase())
  // A path with something else where an id belongs is the path of nothing.
  if (error.kind === "Params") return Effect.succeed(refusal("not_found", { detail: detailOf(errors) ?? "" }))
  if (error.kind === "Payload" && errors[0]?.message === NOT_JSON) return Effect.succeed(refusal("malformed_json"))
  return Effect.fail(invalid(errors))
}

/** A request that is not as its schema says. */
export const invalid = (errors: ReadonlyArray<SchemaIssueText>): InvalidRequest => {
  const detail = detailOf(errors)
  return new InvalidRequest({ errors, ...(detail === undefined ? {} : { detail }) })
}

/** What Effect's HttpApi says of a body that `JSON.parse` refuses. */
const NOT_JSON = "Expected a valid JSON body"
