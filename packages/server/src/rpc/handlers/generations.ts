import { GenerationsRpc } from "@llm-saas/api/GenerationsRpc"
import { Feedbacks } from "@llm-saas/engine/messages/Feedback"
import { Generations } from "@llm-saas/engine/generations/Generations"
import { Effect } from "effect"
import { CreationAttempts } from "../../auth/CreationAttempts.ts"
import { DEFAULT_PAGE } from "../../http/handlers/paging.ts"
import { reading } from "./Events.ts"

/** `generations.…`. */
export const GenerationsCalls = GenerationsRpc.toLayer(
  Effect.gen(function* () {
    const generations = yield* Generations
    const feedbacks = yield* Feedbacks
    const attempts = yield* CreationAttempts
    return GenerationsRpc.of({
      "generations.list": ({ cursor, limit = DEFAULT_PAGE, scope = "own" }) =>
        generations.list({ scope, limit, cursor }),
      "generations.get": ({ id }) => generations.get(id),
      "generations.cancel": ({ id }) => generations.cancel(id),
      "generations.watch": ({ after, id }) =>
        reading(generations.follow(id), { seq: after ?? 0, path: ["payload", "after"] }),
      "generations.feedback": ({ comment = null, id, idempotency_key, rating }) =>
        feedbacks.giveFor(
          id,
          { rating, comment },
          attempts.of("generations.feedback", idempotency_key, [id, rating, comment])
        )
    })
  })
)
