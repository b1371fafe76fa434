import { decodeResponses } from "@llm-saas/dialects/responses/ResponsesRequest"
import { responsesFailed, responsesSoFar, responsesWhole } from "@llm-saas/dialects/responses/ResponsesWhole"
import { responsesWriter } from "@llm-saas/dialects/responses/ResponsesWriter"
import { failureOf, type GenerationId } from "@llm-saas/domain/Generation"
import type { JsonObject } from "@llm-saas/domain/Json"
import { problem } from "@llm-saas/domain/Problem"
import { Generations } from "@llm-saas/engine/generations/Generations"
import type { GenerationEnd } from "@llm-saas/engine/generations/TokenLog"
import { Cause, Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { explain } from "../http/ErrorText.ts"
import { exchangeOf } from "../http/HttpEdge.ts"
import { HttpOptions } from "../http/HttpOptions.ts"
import { PROBLEM } from "../http/Refusals.ts"
import { doorErrorOf } from "../http/Telling.ts"
import { endOf, headOf, type Repeated } from "./AnswerForm.ts"
import { type AnswerDialect, answering, asking, json, mistaken, type Sent } from "./Answering.ts"
import { type CannotContinue, make } from "./EarlierResponses.ts"
import { bytesOf, RequestBodies } from "./RequestBodies.ts"

const RESPONSES: AnswerDialect = {
  source: "responses",
  writer: (head) => responsesWriter(head),
  whole: responsesWhole
}

/** Answers a body of Responses. */
export const responding = Effect.gen(function* () {
  const answer = yield* answering
  const generations = yield* Generations
  const bodies = yield* RequestBodies
  const { maxV1BodyBytes } = yield* HttpOptions
  const earlier = make(generations, bodies)

  const respond = Effect.fnUntraced(function* (body: JsonObject, sent: Pick<Sent, "http" | "idempotencyKey">) {
    const before = yield* earlier.before(body)
    const decoded = decodeResponses(body, before)
    if (decoded.type === "mistake") return mistaken(decoded.mistake)
    const { background, request } = decoded
    // The request is held for as long as the answer lasts, beyond the end of this exchange.
    const hold = background ? { hold: bodies.hold(bytesOf(sent.http, maxV1BodyBytes) + before.characters) } : {}
    const asked = { ...sent, request, background, ...hold }
    if (!background || request.stream) return yield* answer(RESPONSES, asked)
    const { generationId, tokenLog } = yield* asking(generations, RESPONSES.source, asked)
    return yield* responseNow(
      { generationId, request, entries: tokenLog.tokens, ended: tokenLog.ended },
      exchangeOf(sent.http)?.id
    )
  })

  return (body: JsonObject, sent: Pick<Sent, "http" | "idempotencyKey">) =>
    Effect.catchTag(respond(body, sent), "CannotContinue", (error) => Effect.succeed(uncontinued(error)))
})

/** The refusal of a request that names a response which it cannot continue. */
export const uncontinued = ({ code, mistake }: CannotContinue): HttpServerResponse.HttpServerResponse =>
  code === undefined
    ? mistaken(mistake)
    : HttpServerResponse.text(
        JSON.stringify({
          ...problem("generation_not_found"),
          code,
          detail: mistake.message,
          errors: [{ path: ["payload", mistake.param], message: mistake.message }]
        }),
        { status: problem("generation_not_found").status, contentType: PROBLEM }
      )

interface Now {
  readonly generationId: GenerationId
  readonly request: Repeated
  readonly entries: ReadonlyArray<string>
  readonly ended: GenerationEnd | undefined
}

/** A response as it is now. */
export const responseNow = (now: Now, requestId = "") =>
  Effect.map(bodyOf(now, requestId), (body) => json(body, { "x-generation-id": now.generationId }))

const bodyOf = Effect.fnUntraced(function* ({ ended, entries, generationId, request }: Now, requestId: string) {
  const head = headOf(request, generationId)
  if (ended === undefined) return responsesSoFar(head, entries)
  const failure = failureOf(ended.ending, generationId, true)
  if (failure === undefined) return responsesWhole(head, entries, endOf(ended))
  const { body, status } = yield* explain(failure, Cause.fail(failure))
  const text = body._tag === "Uint8Array" ? (body.text ?? "{}") : "{}"
  return responsesFailed(head, entries, doorErrorOf(text, status, requestId))
})
