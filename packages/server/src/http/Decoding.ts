import { Authorization } from "@llm-saas/api/Access"
import { lastEventIdQuery } from "@llm-saas/api/EventId"
import { InvalidRequest, RequestSchema } from "@llm-saas/api/Failures"
import { OperatorAuthorization } from "@llm-saas/api/OperatorAuthorization"
import { OwnBody } from "@llm-saas/api/OwnBody"
import { Foreign } from "@llm-saas/api/v1/Door"
import { Context, Effect, Layer, Struct, type Types } from "effect"
import { HttpServerRequest, type HttpServerResponse } from "effect/http"
import { HttpApiError } from "effect/http-api"
import { hasCredential } from "../auth/Authorization.ts"
import { checkBody } from "./Body.ts"
import { schemaIssuesOf } from "./SchemaIssues.ts"
import { detailOf, type SchemaIssueText, refusal } from "./Refusals.ts"

/**
 * Tells the sender what is wrong with a request: which value, and what was expected. Bodies are checked before they are decoded, except
 * where a token is required and missing: that is reported first. Bodies of {@link Foreign} and {@link OwnBody} endpoints are their
 * handlers'.
 */
export const RequestSchemaLayer = Layer.succeed(RequestSchema, (handler, { endpoint }) => {
  const closed = [...endpoint.middlewares].some(({ key }) => GUARDS.includes(key))
  const { annotations, payload } = endpoint
  const checked =
    payload.size === 0 || Context.get(annotations, Foreign) || Context.get(annotations, OwnBody)
      ? handler
      : Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
          closed && !hasCredential(request.headers)
            ? handler
            : Effect.flatMap(Effect.orDie(checkBody(request)), (bad) =>
                bad === undefined ? handler : Effect.succeed(refusal(bad.code, bad.details))
              )
        )
  return Effect.catch(
    headerFirst(checked),
    (error): Effect.Effect<HttpServerResponse.HttpServerResponse, InvalidRequest | Types.unhandled> =>
      HttpApiError.HttpApiSchemaError.is(error) ? explain(error) : Effect.fail(error)
  )
})

/** Middleware that asks for a token. */
const GUARDS: ReadonlyArray<string> = [Authorization.key, OperatorAuthorization.key]

/**
 * Leaves out the query's last event where the header names one: the header takes precedence whatever the query says, and an invalid header
 * is refused by its own schema.
 */
const headerFirst = <A, E, R>(handler: Effect.Effect<A, E, R>) =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers }) =>
    (headers["last-event-id"] ?? "") === ""
      ? handler
      : Effect.updateService(handler, HttpServerRequest.ParsedSearchParams, Struct.omit(LAST_EVENT))
  )

const LAST_EVENT = Struct.keys(lastEventIdQuery)

const explain = (
  error: HttpApiError.HttpApiSchemaError
): Effect.Effect<HttpServerResponse.HttpServerResponse, InvalidRequest> => {
  // Our own answer does not fit the contract: the sender cannot correct that.
  if (error.kind === "Body" || error.kind === "ResponseHeaders") return Effect.die(error.cause)
  const errors = schemaIssuesOf(error.cause.issue, error.kind.toLowerCase())
  // A path with something else than an id in its place does not exist.
  if (error.kind === "Params") return Effect.succeed(refusal("not_found", { detail: detailOf(errors) ?? "" }))
  if (error.kind === "Payload" && errors[0]?.message === NOT_JSON) return Effect.succeed(refusal("malformed_json"))
  return Effect.fail(invalid(errors))
}

/** The refusal of a request that does not fit its schema. */
export const invalid = (errors: ReadonlyArray<SchemaIssueText>): InvalidRequest => {
  const detail = detailOf(errors)
  return new InvalidRequest({ errors, ...(detail === undefined ? {} : { detail }) })
}

/** Effect's HttpApi message for a body that `JSON.parse` refuses. */
const NOT_JSON = "Expected a valid JSON body"
