import { LimitsInForce } from "@llm-saas/domain/LimitInForce"
import { Unavailable } from "@llm-saas/domain/Refusal"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Access, Authorization } from "./Access.ts"
import * as Examples from "./Examples.ts"

const mine = HttpApiEndpoint.get("mine", "/limits", {
  success: LimitsInForce,
  error: Unavailable
})
  .annotateMerge(Examples.answers(200, { data: Examples.limitsInForce }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Which limits hold for me",
      description:
        "The limits and budgets of the tenant, of the caller's user, of the key of this request, and of models, with what is left of each: all of them are asked at every question. Of a user or key the lower of its own and of the plan's is shown. Empty: nothing is limited. Every key may ask this."
    })
  )

/** What the caller may use. */
export class LimitsApi extends HttpApiGroup.make("limits")
  .add(mine)
  .middleware(Authorization)
  .annotateEndpoints(Access, "user")
  .annotateMerge(OpenApi.annotations({ title: "Limits", description: "What may be used, and what is left." })) {}
