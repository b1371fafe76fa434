import { Api } from "@llm-saas/api/Api"
import { LimitsInForce } from "@llm-saas/engine/accounts/LimitsInForce"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"

/** `/limits`. */
export const LimitsHandlers = HttpApiBuilder.group(
  Api,
  "limits",
  Effect.fnUntraced(function* (handlers) {
    const limits = yield* LimitsInForce
    return handlers.handleAll({ mine: ({ query }) => limits.of(query) })
  })
)
