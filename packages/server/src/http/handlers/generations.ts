import { Api } from "@llm-saas/api/Api"
import { GenerationNotFound } from "@llm-saas/domain/Generation"
import { Feedbacks } from "@llm-saas/engine/messages/Feedback"
import { Generations } from "@llm-saas/engine/generations/Generations"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { CreationAttempts } from "../../auth/CreationAttempts.ts"
import { lastEventOf, type Position } from "../../sse/LastEvent.ts"
import { formOf, stream } from "../../sse/Streaming.ts"
import { DEFAULT_PAGE } from "./paging.ts"

/** `/generations/…`. */
export const GenerationsHandlers = HttpApiBuilder.group(
  Api,
  "generations",
  Effect.fnUntraced(function* (handlers) {
    const generations = yield* Generations
    const feedbacks = yield* Feedbacks
    const attempts = yield* CreationAttempts
    return handlers.handleAll({
      list: ({ query: { cursor, limit = DEFAULT_PAGE, scope = "own" } }) => generations.list({ scope, limit, cursor }),
      get: ({ params }) => generations.get(params.id),
      stream: ({ headers, params, query, request }) => {
        const last = lastEventOf({ headers, query })
        if (last !== undefined && last.generationId !== params.id.toLowerCase()) return Effect.fail(elsewhere)
        return stream(
          formOf(query.format, request.headers["accept"]),
          Effect.map(generations.follow(params.id), (asked) => ({
            asked,
            after: last ?? afterOf(query.after),
            asksAgain: false
          }))
        )
      },
      cancel: ({ params }) => generations.cancel(params.id),
      feedback: ({ headers, params, payload: { comment = null, rating } }) =>
        feedbacks.giveFor(
          params.id,
          { rating, comment },
          attempts.of("generations.feedback", headers["idempotency-key"], [params.id, rating, comment])
        )
    })
  })
)

const afterOf = (seq: number | undefined): Position | undefined =>
  seq === undefined ? undefined : { seq, path: ["query", "after"] }

const elsewhere = new GenerationNotFound({ detail: "The last event is one of another generation." })
