import { isJsonObject, type JsonObject } from "@llm-saas/domain/Json"
import { Effect, Result } from "effect"
import type { HttpServerRequest, HttpServerResponse } from "effect/http"
import { checkBytes } from "../http/Body.ts"
import { refusal } from "../http/Refusals.ts"
import type { BadTarget } from "../http/Target.ts"
import { wholeBody } from "../http/WholeBody.ts"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

/**
 * Reads the body of a request whose sender is known, and answers it with what is wrong with the body or by `use`. No schema goes over it:
 * unknown members are passed on, and a dialect checks those it reads.
 */
export const withBody = <A, E, R>(
  request: Request,
  use: (body: JsonObject) => Effect.Effect<A, E, R>
): Effect.Effect<A | Response, E, R> =>
  Effect.flatMap(Effect.orDie(read(request)), (found): Effect.Effect<A | Response, E, R> =>
    Result.isFailure(found) ? Effect.succeed(refusal(found.failure.code, found.failure.details)) : use(found.success)
  )

const read = Effect.fnUntraced(function* (request: Request) {
  // A charset says nothing: JSON is UTF-8 (RFC 8259 §8.1), which is checked.
  if (!JSON_TYPE.test(request.headers["content-type"] ?? "application/json"))
    return Result.fail<BadTarget>({ code: "unsupported_media_type" })
  const bytes = yield* wholeBody(request)
  const bad = checkBytes(request, bytes)
  if (bad !== undefined) return Result.fail(bad)
  // Without a byte order mark.
  const text = UTF8.decode(bytes)
  const parsed = Result.try((): unknown => (text === "" ? null : JSON.parse(text)))
  if (Result.isFailure(parsed)) return Result.fail<BadTarget>({ code: "malformed_json" })
  return isJsonObject(parsed.success) ? Result.succeed(parsed.success) : Result.fail(NO_OBJECT)
})

const UTF8 = new TextDecoder()

const JSON_TYPE = /^\s*application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/iu

const NO_OBJECT: BadTarget = {
  code: "invalid_request",
  details: { errors: [{ path: ["payload"], message: "Expected an object" }] }
}
