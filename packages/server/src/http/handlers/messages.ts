import { Api } from "@llm-saas/api/Api"
import type { StreamFormat } from "@llm-saas/api/StreamEvent"
import { messageJson } from "@llm-saas/domain/Message"
import type { QuestionBody } from "@llm-saas/domain/Question"
import { Feedbacks } from "@llm-saas/engine/messages/Feedback"
import { Generations } from "@llm-saas/engine/generations/Generations"
import type { Question } from "@llm-saas/engine/generations/QuestionStore"
import { Messages } from "@llm-saas/engine/messages/Messages"
import { Effect } from "effect"
import type { HttpServerRequest } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { CreationAttempts } from "../../auth/CreationAttempts.ts"
import { type LastEvent, lastEventOf } from "../../sse/LastEvent.ts"
import { formOf, stream } from "../../sse/Streaming.ts"
import { invalid } from "../Decoding.ts"
import { noting } from "../HttpEdge.ts"
import { RequestBodies } from "../../v1/RequestBodies.ts"
import { asJson } from "./json.ts"
import { DEFAULT_PAGE } from "./paging.ts"
import { decodeQuestion, noSuchCalls, questionOf } from "./question.ts"

interface Asking {
  readonly question: QuestionBody
  readonly headers: {
    readonly "idempotency-key"?: string | undefined
  }
  readonly request: HttpServerRequest.HttpServerRequest
}

const asked = (source: Question["source"], { headers, question, request }: Asking): Question =>
  questionOf({
    question,
    source,
    idempotencyKey: headers["idempotency-key"],
    traceparent: request.headers["traceparent"]
  })

/** `/messages…`. */
export const MessagesHandlers = HttpApiBuilder.group(
  Api,
  "messages",
  Effect.fnUntraced(function* (handlers) {
    const generations = yield* Generations
    const messages = yield* Messages
    const feedbacks = yield* Feedbacks
    const attempts = yield* CreationAttempts
    const bodies = yield* RequestBodies

    const ask = (question: Question, request: HttpServerRequest.HttpServerRequest) =>
      Effect.catchTag(Effect.tap(generations.ask(question), noting(request)), "OtherCalls", noSuchCalls)

    /** Asks a question; or, for a reader that reconnects, resumes its answer. */
    const streaming = (asking: Asking & LastEvent, format: StreamFormat | undefined) => {
      const last = lastEventOf(asking)
      return stream(
        formOf(format, asking.request.headers["accept"]),
        Effect.map(
          last === undefined
            ? // Only a client that waits for the whole answer is told: a stream joins the running one.
              Effect.catchTag(ask(asked("messages.stream", asking), asking.request), "StillRunning", Effect.die)
            : generations.follow(last.generationId),
          (asked) => ({
            asked,
            after: last,
            asksAgain:
              last === undefined && asking.request.method === "GET" && asking.headers["idempotency-key"] === undefined
          })
        )
      )
    }

    /** Reads the question, which may have megabytes of attachments, from a caller who is known. */
    const withQuestion = <A, E, R>(
      request: HttpServerRequest.HttpServerRequest,
      use: (question: QuestionBody) => Effect.Effect<A, E, R>
    ) => bodies.read(request, (body) => Effect.flatMap(decodeQuestion(body), use))

    return handlers
      .handleRaw("ask", ({ headers, request }) =>
        withQuestion(request, (question) =>
          asJson(
            Effect.map(
              Effect.flatMap(ask(asked("messages", { headers, question, request }), request), generations.answer),
              messageJson
            ),
            201
          )
        )
      )
      .handleRaw("stream", ({ headers, query, request }) =>
        withQuestion(request, (question) => streaming({ headers, query, question, request }, query.format))
      )
      .handleAll({
        streamUrl: ({ headers, query, request }) =>
          streaming({ headers, query, question: query, request }, query.format),
        list: ({ query }) => asJson(listed(messages, query)),
        get: ({ params }) => messages.get(params.id),
        remove: ({ params }) => messages.remove(params.id),
        feedback: ({ headers, params, payload: { comment = null, rating } }) =>
          feedbacks.give(
            params.id,
            { rating, comment },
            attempts.of("messages.feedback", headers["idempotency-key"], [params.id.toLowerCase(), rating, comment])
          )
      })
  })
)

/** What a list of messages is asked for by. */
interface Listing {
  readonly scope?: "own" | "tenant"
  readonly search?: string
  readonly limit?: number
  readonly cursor?: string
}

/** A page of messages as JSON, as a request asks for it: a list, or what was found. */
export const listed = Effect.fnUntraced(function* (
  messages: Messages["Service"],
  { cursor, limit = DEFAULT_PAGE, scope = "own", search }: Listing
) {
  if (search === undefined) return yield* messages.page({ scope, limit, cursor })
  return yield* scope === "own" ? messages.search({ text: search, limit, cursor }) : othersSearched
})

const othersSearched = invalid([{ path: ["query", "search"], message: "Expected no search with scope=tenant" }])
