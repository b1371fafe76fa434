import { Api } from "@llm-saas/api/Api"
import { GenerationNotFound } from "@llm-saas/domain/Generation"
import { Generations } from "@llm-saas/engine/Generations"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { formatOf, stream } from "../sse/Streaming.ts"

/** `/generations/…`. */
export const GenerationsHandlers = HttpApiBuilder.group(
  Api,
  "generations",
  Effect.fnUntraced(function* (handlers) {
    const generations = yield* Generations
    return handlers.handleAll({
      get: ({ params }) => generations.get(params.id),
      stream: ({ headers, params, query, request }) => {
        const last = headers["last-event-id"]
        if (last !== undefined && last.generationId !== params.id.toLowerCase()) return Effect.fail(elsewhere)
        // A browser that comes back sends the address it was given first: the header is the later of the two.
        const seq = last?.seq ?? query.after ?? 0
        return stream(
          formatOf(query.format, request.headers["accept"]),
          Effect.map(generations.follow(params.id), (asked) => ({ asked, seq }))
        )
      },
      cancel: ({ params }) => generations.cancel(params.id)
    })
  })
)

const elsewhere = new GenerationNotFound({ detail: "The last event is one of another generation." })
