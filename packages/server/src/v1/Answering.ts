import type { AnswerHead, AnswerWriter, WholeAnswer } from "@llm-saas/dialects/AnswerWriter"
import type { Mistake } from "@llm-saas/dialects/RequestFields"
import type { JsonObject } from "@llm-saas/domain/Json"
import type { Source } from "@llm-saas/domain/Generation"
import { type ModelRequest, questionText } from "@llm-saas/domain/ModelRequest"
import type { Actor } from "@llm-saas/domain/Actor"
import type { TooManyRequests } from "@llm-saas/domain/Refusal"
import { monotonicMillis } from "@llm-saas/domain/Time"
import { type Asked, Generations } from "@llm-saas/engine/generations/Generations"
import { Cause, Clock, Effect, Exit, Scope } from "effect"
import { type HttpServerRequest, HttpServerResponse } from "effect/http"
import { explain } from "../http/ErrorText.ts"
import { PROBLEM, refusal } from "../http/Refusals.ts"
import { noting } from "../http/HttpEdge.ts"
import { stream } from "../sse/Streaming.ts"
import { withUpstream } from "./Upstream.ts"
import { answerForm, endOf, headOf } from "./AnswerForm.ts"

/** How the answers of a door are written. */
export interface AnswerDialect {
  readonly source: Source
  readonly writer: (head: AnswerHead) => AnswerWriter
  readonly whole: WholeAnswer
}

/** A request that a dialect has read. */
export interface Sent {
  readonly request: ModelRequest
  readonly http: HttpServerRequest.HttpServerRequest
  readonly idempotencyKey: string | undefined
  /** Whether the answer goes on without a reader. */
  readonly background?: boolean
  /** Takes what such an answer holds, for as long as it lasts. */
  readonly hold?: Effect.Effect<void, TooManyRequests, Actor | Scope.Scope>
}

/** Asks the model. */
export const asking = (generations: Generations["Service"], source: Source, sent: Sent) =>
  sent.hold === undefined
    ? ask(generations, source, sent)
    : asLong(generations, sent.hold, ask(generations, source, sent))

/** Holds what `hold` takes until the answer has ended, however long its request is answered already. */
const asLong = <E, R>(
  generations: Generations["Service"],
  hold: NonNullable<Sent["hold"]>,
  asking: Effect.Effect<Asked, E, R>
) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const lasting = yield* Scope.make()
      return yield* Scope.provide(hold, lasting).pipe(
        Effect.andThen(restore(asking)),
        Effect.tap((asked) =>
          Effect.forkDetach(Effect.andThen(Effect.exit(generations.ended(asked)), Scope.close(lasting, Exit.void)))
        ),
        Effect.onError(() => Scope.close(lasting, Exit.void))
      )
    })
  )

const ask = (generations: Generations["Service"], source: Source, sent: Sent) =>
  generations
    .ask({
      content: storable(questionText(sent.request)),
      conversationId: undefined,
      request: sent.request,
      source,
      ...(sent.request.origin?.body["store"] === false ? { keep: false } : {}),
      ...(sent.background === true ? { background: true } : {}),
      tries: triesOf(sent.http.headers["x-stainless-retry-count"]),
      idempotencyKey: sent.idempotencyKey,
      traceparent: sent.http.headers["traceparent"]
    })
    // A request below /v1 has no conversation, and joins an answer that runs.
    .pipe(
      Effect.tap(noting(sent.http)),
      Effect.catchTags({ ConversationNotFound: Effect.die, OtherCalls: Effect.die, StillRunning: Effect.die })
    )

/** Asks the model, and answers in a dialect: with events as they come, or with one value. */
export const answering = Effect.map(Generations, (generations) => (dialect: AnswerDialect, sent: Sent) => {
  const asked = asking(generations, dialect.source, sent)
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
  const { generationId, tokenLog } = asked
  return yield* orRefused(
    asked,
    Effect.map(generations.ended(asked), (end) =>
      json(dialect.whole(headOf(request, generationId), tokenLog.tokens, endOf(end)), {
        "x-generation-id": generationId,
        "openai-processing-ms": `${Math.round(monotonicMillis(clock) - begun)}`
      })
    )
  )
})

/** An answer, or its failure with what the provider says is wrong with the request. */
export const orRefused = <E, R>(asked: Asked, answer: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
  Effect.catch(answer, (error) =>
    Effect.map(explain(error, Cause.fail(error)), (response) => detailed(response, asked))
  )

/** An answer of one value. */
export const json = (value: JsonObject, headers: Readonly<Record<string, string>> = {}) =>
  HttpServerResponse.text(JSON.stringify(value), { contentType: "application/json", headers })

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
