import { Api } from "@llm-saas/api/Api"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { SecondStep } from "../../auth/SecondStep.ts"
import { refuseOtherOrigins } from "../../auth/SessionCookie.ts"
import { Sessions } from "../../auth/Sessions.ts"

/** `/login/second-factor…`. */
export const SecondFactorHandlers = HttpApiBuilder.group(
  Api,
  "secondFactor",
  Effect.fnUntraced(function* (handlers) {
    const sessions = yield* Sessions
    const step = yield* SecondStep
    return handlers.handleAll({
      answer: ({ payload, request }) => {
        const answer = sessions.finish(payload, request)
        return step.wantOf(payload.challenge) === "cookie"
          ? Effect.andThen(refuseOtherOrigins(request), answer)
          : answer
      },
      enrol: ({ payload }) => step.enrol(payload.challenge)
    })
  })
)
