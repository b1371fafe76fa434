import type { AnswerHead, AnswerWriter, WholeAnswer } from "@llm-saas/dialects/AnswerWriter"
import type { Mistake } from "@llm-saas/dialects/RequestFields"
import type { Source } from "@llm-saas/domain/Generation"
import { type ModelRequest, questionText } from "@llm-saas/domain/ModelRequest"
import { monotonicMillis } from "@llm-saas/domain/Time"
import { type Asked, Generations } from "@llm-saas/engine/generations/Generations"
import { Cause, Clock, Effect } from "effect"
import { type HttpServerRequest, HttpServerResponse } from "effect/http"
import { explain } from "../http/ErrorText.ts"
import { PROBLEM, refusal } from "../http/Refusals.ts"
import { stream } from "../sse/Streaming.ts"
import { withUpstream } from "./Upstream.ts"
import { answerForm, endOf, headOf } from "./AnswerForm.ts"

/** How the answers of a door are written. */
export interface AnswerDialect {
  readonly source: Source
  readonly writer: (head: AnswerHead) => AnswerWriter
  readonly whole: WholeAnswer
}

interface Sent {
  readonly request: ModelRequest
  readonly http: HttpServerRequest.HttpServerRequest
  readonly idempotencyKey: string | undefined
}

/** Asks the model, and answers in a dialect: with events as they come, or with one value. */
export const answering = Effect.map(Generations, (generations) => (dialect: AnswerDialect, sent: Sent) => {
  const asked = generations
    .ask({
      content: storable(questionText(sent.request)),
      conversationId: undefined,
      request: sent.request,
      source: dialect.source,
      ...(sent.request.origin?.body["store"] === false ? { keep: false } : {}),
      tries: triesOf(sent.http.headers["x-stainless-retry-count"]),
      idempotencyKey: sent.idempotencyKey,
      traceparent: sent.http.headers["traceparent"]
    })
    // A request below /v1 has no conversation, and joins an answer that runs.
    .pipe(Effect.catchTags({ ConversationNotFound: Effect.die, StillRunning: Effect.die }))
  return sent.request.stream
    ? stream(
        answerForm(dialect.writer, sent.request),
        Effect.map(asked, (found) => ({ asked: found, after: undefined, asksAgain: false }))
      )
    : whole(generations, dialect, sent.request, asked)
})

/** SDKs of OpenAI and Anthropic number the tries of a request from 0, and send no key. */
const triesOf = (count: string | undefined): "first" | "again" | undefined =>
  count === undefined || !/^\d{1,4}$/u.test(count) ? undefined : Number(count) === 0 ? "first" : "again"

/** Waits for the end of the answer. */
const whole = Effect.fnUntraced(function* <E, R>(
  generations: Generations["Service"],
  dialect: AnswerDialect,
  request: ModelRequest,
  asking: Effect.Effect<Asked, E, R>
) {
  const clock = yield* Clock.Clock
  const begun = monotonicMillis(clock)
  const asked = yield* asking
  const failure = yield* Effect.as(generations.answer(asked), undefined).pipe(
    Effect.catch((error) => Effect.map(explain(error, Cause.fail(error)), (response) => detailed(response, asked)))
  )
  if (failure !== undefined) return failure
  const { generationId, tokenLog } = asked
  const { ended } = tokenLog
  if (ended === undefined) return yield* Effect.die(new Error("an answer without an end"))
  const body = dialect.whole(headOf(request, generationId), tokenLog.tokens, endOf(ended))
  return HttpServerResponse.text(JSON.stringify(body), {
    contentType: "application/json",
    headers: {
      "x-generation-id": generationId,
      "openai-processing-ms": `${Math.round(monotonicMillis(clock) - begun)}`
    }
  })
})

/** A problem with what the provider says of the request. */
const detailed = (response: HttpServerResponse.HttpServerResponse, asked: Asked) =>
  response.body._tag === "Uint8Array"
    ? HttpServerResponse.text(withUpstream(response.body.text ?? "{}", asked), {
        status: response.status,
        contentType: PROBLEM
      })
    : response

/** A text as PostgreSQL stores it: the request itself goes to the model as it came. */
const storable = (text: string): string => text.toWellFormed().replaceAll("\0", "\ufffd")

/** The refusal of a request that its dialect does not read. */
export const mistaken = ({ message, param }: Mistake): HttpServerResponse.HttpServerResponse =>
  refusal("invalid_request", { detail: message, errors: [{ path: ["payload", ...param.split(".")], message }] })
