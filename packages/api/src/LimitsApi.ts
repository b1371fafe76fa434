import { LimitsInForce } from "@llm-saas/domain/LimitInForce"
import { KeyId, KeyNotFound } from "@llm-saas/domain/ApiKey"
import { Unavailable } from "@llm-saas/domain/Refusal"
import { UserId, UserNotFound } from "@llm-saas/domain/User"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Access, Authorization } from "./Access.ts"
import * as Examples from "./Examples.ts"

/** Whose limits: by default the caller's. */
export const LimitsQuery = { user: Schema.optionalKey(UserId), key: Schema.optionalKey(KeyId) }

const mine = HttpApiEndpoint.get("mine", "/limits", {
  query: LimitsQuery,
  success: LimitsInForce,
  error: [UserNotFound, KeyNotFound, Unavailable]
})
  .annotateMerge(Examples.answers(200, { data: Examples.limitsInForce }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Which limits hold for me",
      description:
        "The limits and budgets of the tenant, of the caller's user, of the key of this request, and of models, with what is left of each: all of them are asked at every question. Of a user or key the lower of its own and of the plan's is shown. Empty: nothing is limited. Every key may ask this.\n\n`user` or `key` asks for another instead: of anybody in the tenant for admins, and of oneself and one's own keys for everybody. One that is not yours to see answers like one that does not exist. With a key this is for its own id, unless it has the scope `admin`."
    })
  )

/** What the caller may use. */
export class LimitsApi extends HttpApiGroup.make("limits")
  .add(mine)
  .middleware(Authorization)
  .annotateEndpoints(Access, "user")
  .annotateMerge(OpenApi.annotations({ title: "Limits", description: "What may be used, and what is left." })) {}
