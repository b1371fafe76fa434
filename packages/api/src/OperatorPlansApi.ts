import { OperatorPrice, PriceChoice, PriceId, PriceNotFound } from "@llm-saas/domain/OperatorPrice"
import { decimal } from "@llm-saas/domain/Page"
import { Plan, PlanChoice, PlanId, PlanInUse, PlanNameTaken, PlanNotFound } from "@llm-saas/domain/Plan"
import { Unavailable } from "@llm-saas/domain/Refusal"
import { line } from "@llm-saas/domain/Text"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiSchema, OpenApi } from "effect/http-api"
import { answers } from "./Examples.ts"
import { Moment } from "./KeysApi.ts"
import * as Examples from "./OperatorExamples.ts"

// The operator's endpoints about plans and prices: part of the group in OperatorApi.ts.

export const about = (summary: string, description: string) => OpenApi.annotations({ summary, description })

const ofPlan = { id: PlanId }

export const plans = HttpApiEndpoint.get("plans", "/operator/plans", {
  success: Schema.Struct({ data: Schema.Array(Plan) }).annotate({ identifier: "Plans" }),
  error: Unavailable
})
  .annotateMerge(answers(200, { data: [Examples.plan] }))
  .annotateMerge(about("List plans", "All plans, by name."))

const PLAN =
  "Limits and budgets of the tenant as a whole, of each user, of each key and of models; the models that may be asked; the markup on the provider's price; and how long content is kept at most. What is left out is not limited."

export const createPlan = HttpApiEndpoint.post("createPlan", "/operator/plans", {
  payload: PlanChoice,
  success: Plan.pipe(HttpApiSchema.status(201)),
  error: [PlanNameTaken, PlanNotFound, Unavailable]
})
  .annotateMerge(answers(201, { ...Examples.plan, tenants: 0 }, Examples.choice))
  .annotateMerge(about("Make a plan", PLAN))

export const plan = HttpApiEndpoint.get("plan", "/operator/plans/:id", {
  params: ofPlan,
  success: Plan,
  error: [PlanNotFound, Unavailable]
})
  .annotateMerge(answers(200, Examples.plan))
  .annotateMerge(about("Read a plan", PLAN))

export const changePlan = HttpApiEndpoint.put("changePlan", "/operator/plans/:id", {
  params: ofPlan,
  payload: PlanChoice,
  success: Plan,
  error: [PlanNotFound, PlanNameTaken, Unavailable]
})
  .annotateMerge(answers(200, Examples.plan, Examples.choice))
  .annotateMerge(
    about(
      "Replace a plan",
      `${PLAN} Its tenants have the new one when this is answered, and it counts from their next question.`
    )
  )

export const removePlan = HttpApiEndpoint.delete("removePlan", "/operator/plans/:id", {
  params: ofPlan,
  success: HttpApiSchema.NoContent,
  error: [PlanNotFound, PlanInUse, Unavailable]
}).annotateMerge(about("Remove a plan", "Only one that no tenant has."))

const flag = Schema.optionalKey(Schema.Literals(["true", "false"]))

export const prices = HttpApiEndpoint.get("prices", "/operator/prices", {
  query: {
    provider: Schema.optionalKey(line(100)),
    model: Schema.optionalKey(line(200)),
    own: flag,
    ended: flag,
    limit: Schema.optionalKey(decimal({ minimum: 1, maximum: 20_000 }))
  },
  success: Schema.Struct({ data: Schema.Array(OperatorPrice) }).annotate({ identifier: "OperatorPrices" }),
  error: Unavailable
})
  .annotateMerge(answers(200, { data: [Examples.price] }))
  .annotateMerge(
    about(
      "List prices of providers",
      "Those that came with the program, and the operator's own, which count instead; that hold now or later, and with `ended=true` the others too. By provider, model and unit, `limit` (1,000) at most."
    )
  )

/** A price to add, and from when on it holds. */
const AddPrice = Schema.Struct({
  ...PriceChoice.fields,
  since: Schema.optionalKey(Schema.NullOr(Moment))
}).annotate({ identifier: "AddPrice" })

export const addPrice = HttpApiEndpoint.post("addPrice", "/operator/prices", {
  payload: AddPrice,
  success: OperatorPrice.pipe(HttpApiSchema.status(201)),
  error: Unavailable
})
  .annotateMerge(answers(201, Examples.price, { provider: "openai", model: "gpt-4o", unit: "input", amount: "2.5" }))
  .annotateMerge(
    about(
      "Add a price",
      "`amount` is for `per` (a million) of the unit, from `since` or from now on. The operator's own price of the same unit, tier and step ends then; what answers cost before stays. Processes take it up within seconds."
    )
  )

export const endPrice = HttpApiEndpoint.delete("endPrice", "/operator/prices/:id", {
  params: { id: PriceId },
  success: HttpApiSchema.NoContent,
  error: [PriceNotFound, Unavailable]
}).annotateMerge(
  about("End a price of one's own", "From now on the price that came with the program counts again, if there is one.")
)
