import { Authorization } from "@llm-saas/api/Access"
import { InvalidRequest, RequestSchema } from "@llm-saas/api/Failures"
import { Effect, Layer, SchemaIssue, type Types } from "effect"
import { HttpServerRequest, type HttpServerResponse } from "effect/http"
import { HttpApiError } from "effect/http-api"
import { checkBody } from "./Body.ts"
import { refusal } from "./Refusals.ts"

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
  const errors = errorsOf(error.cause.issue, error.kind.toLowerCase())
  if (error.kind === "Payload" && errors[0]?.message === NOT_JSON) return Effect.succeed(refusal("malformed_json"))
  return Effect.fail(new InvalidRequest({ errors }))
}

/** What is wrong with a value that came from outside, in words that do not repeat it. */
export const errorsOf = (issue: SchemaIssue.Issue, slot: string) =>
  formatIssues(issue).issues.slice(0, MAX_ISSUES).map(toError(slot))

const formatIssues = SchemaIssue.makeFormatterStandardSchemaV1()

/** What Effect's HttpApi says of a body that `JSON.parse` refuses. */
const NOT_JSON = "Expected a valid JSON body"
const MAX_ISSUES = 20

// The messages say what was expected. The value itself is in them only if a schema asks for `reportInput`: cut off all the same.
const toError = (slot: string) => (issue: ReturnType<typeof formatIssues>["issues"][number]) => ({
  path: [
    slot,
    ...(issue.path ?? []).map((step) => {
      const key = typeof step === "object" ? step.key : step
      return typeof key === "number" ? key : String(key).slice(0, 64)
    })
  ],
  message: issue.message
    .replace(/, got [\s\S]*$/u, "")
    // A shape that has no name here is written out as TypeScript, of which its sender need know nothing.
    .replace(/^Expected \{ readonly [\s\S]*$/u, "Expected object")
    .slice(0, 200)
})
