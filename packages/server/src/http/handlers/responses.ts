import { Api } from "@llm-saas/api/Api"
import { estimatedTokens } from "@llm-saas/dialects/anthropic/InputEstimate"
import { messagesBody } from "@llm-saas/dialects/anthropic/MessagesBody"
import { responseId } from "@llm-saas/dialects/responses/ResponsesIds"
import { decodeResponses } from "@llm-saas/dialects/responses/ResponsesRequest"
import { inputItems, itemPage } from "@llm-saas/dialects/responses/ResponsesTurns"
import { responsesWriter } from "@llm-saas/dialects/responses/ResponsesWriter"
import type { ModelRequest } from "@llm-saas/domain/ModelRequest"
import { Accounts } from "@llm-saas/engine/accounts/Accounts"
import { Generations } from "@llm-saas/engine/generations/Generations"
import { TokenCounts } from "@llm-saas/engine/generations/TokenCounts"
import { Messages } from "@llm-saas/engine/messages/Messages"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { stream } from "../../sse/Streaming.ts"
import { answerForm } from "../../v1/AnswerForm.ts"
import { json, mistaken } from "../../v1/Answering.ts"
import { make } from "../../v1/EarlierResponses.ts"
import { RequestBodies } from "../../v1/RequestBodies.ts"
import { responding, responseNow, uncontinued } from "../../v1/Responding.ts"
import { exchangeOf } from "../HttpEdge.ts"

/** `/v1/responses`. A response is a generation. */
export const ResponsesHandlers = HttpApiBuilder.group(
  Api,
  "responses",
  Effect.fnUntraced(function* (handlers) {
    const respond = yield* responding
    const bodies = yield* RequestBodies
    const generations = yield* Generations
    const messages = yield* Messages
    const accounts = yield* Accounts
    const counts = yield* TokenCounts
    const { before, find } = make(generations, bodies)

    /** The events of a response, from its first one; the reader gets those that it does not have. */
    const events = (id: string, after: number | undefined) =>
      Effect.flatMap(find(id), ({ generationId, request }) =>
        stream(
          { ...answerForm((head) => responsesWriter(head, after), request), reads: true },
          Effect.map(generations.follow(generationId), (asked) => ({ asked, after: undefined, asksAgain: false }))
        )
      ).pipe(Effect.catchTags(EVENTS))

    return handlers
      .handleRaw("create", ({ headers, request: http }) =>
        bodies.read(http, (body) => respond(body, { http, idempotencyKey: headers["idempotency-key"] }))
      )
      .handleRaw("get", ({ params, query, request }) =>
        query.stream === "true"
          ? events(params.id, query.starting_after)
          : Effect.flatMap(find(params.id), (kept) => responseNow(kept, exchangeOf(request)?.id))
      )
      .handleRaw("cancel", ({ params, request }) =>
        Effect.gen(function* () {
          const { generationId } = yield* find(params.id)
          yield* generations.cancel(generationId)
          return yield* responseNow(yield* find(params.id), exchangeOf(request)?.id)
        })
      )
      .handleRaw("remove", ({ params }) =>
        Effect.gen(function* () {
          const { generationId, messageId } = yield* find(params.id)
          // One that is removed meanwhile is gone all the same.
          yield* Effect.catchTag(messages.remove(messageId), "MessageNotFound", () => Effect.void)
          return json({ id: responseId(generationId), object: "response", deleted: true })
        })
      )
      .handleRaw("inputItems", ({ params, query }) =>
        Effect.map(find(params.id), ({ body, generationId }) => json(itemPage(inputItems(generationId, body), query)))
      )
      .handleRaw("inputTokens", ({ request: http }) =>
        bodies.read(http, (body) =>
          Effect.gen(function* () {
            // A token alone does not say whether its user may still enter.
            yield* accounts.me
            const decoded = decodeResponses(body, yield* before(body))
            if (decoded.type === "mistake") return mistaken(decoded.mistake)
            const counted = yield* counts.count(decoded.request)
            return json({
              object: "response.input_tokens",
              input_tokens: counted ?? estimated(decoded.request)
            })
          }).pipe(Effect.catchTag("CannotContinue", (error) => Effect.succeed(uncontinued(error))))
        )
      )
  })
)

/** Failures of an answer, which are events of a stream that reads it. */
const EVENTS = {
  ModelFailed: Effect.die,
  ModelUnavailable: Effect.die,
  ModelTimedOut: Effect.die,
  ContentFiltered: Effect.die,
  ContextTooLong: Effect.die,
  PromptRejected: Effect.die,
  GenerationCancelled: Effect.die
} as const

/** The estimate is of a body of Anthropic's. */
const estimated = (request: ModelRequest): number =>
  estimatedTokens(messagesBody(request, { model: request.model, defaultMaxTokens: 1 }).body)
