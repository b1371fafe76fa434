import { Schema } from "effect"
import { BudgetChoice, LimitsChange } from "./Limit.ts"
import { Problem } from "./ProblemClass.ts"
import { line, uuid } from "./Text.ts"

// What the operator of an installation sells: limits, budgets, models and a markup, under a name.

export const PlanId = Schema.String.check(uuid).pipe(Schema.brand("PlanId"))
export type PlanId = typeof PlanId.Type

const of = { limits: Schema.optionalKey(LimitsChange), budget: Schema.optionalKey(Schema.NullOr(BudgetChoice)) }

const MOST_MODELS = 200

/** Limits and budgets. What is left out is not limited. */
export const PlanLimits = Schema.Struct({
  /** Of all of the tenant together. */
  tenant: Schema.optionalKey(Schema.Struct(of)),
  /** Of each user, service accounts too. */
  user: Schema.optionalKey(Schema.Struct(of)),
  /** Of each API key. */
  key: Schema.optionalKey(Schema.Struct(of)),
  /** Of the tenant's questions to a model, by its name as clients name it. */
  models: Schema.optionalKey(
    Schema.Record(line(200), Schema.Struct({ limits: LimitsChange })).check(
      Schema.isMaxProperties(MOST_MODELS, { expected: `at most ${MOST_MODELS} models` })
    )
  )
}).annotate({ identifier: "PlanLimits" })

const MARKUP = /^(?:0|[1-9]\d{0,2})(?:\.\d{1,6})?$|^1000(?:\.0{1,6})?$/u

/** What a tenant owes for each dollar of the provider's price, as a decimal text: `"1.25"` is a quarter more. */
export const Markup = Schema.String.check(
  Schema.isPattern(MARKUP, { expected: 'a decimal text from "0" to "1000" with at most 6 decimals' })
)

const LONGEST_DAYS = 36_500

const members = {
  name: line(100),
  limits: PlanLimits,
  /** Models that may be asked; null: all. */
  models: Schema.NullOr(
    Schema.Array(line(200)).check(Schema.isMaxLength(MOST_MODELS, { expected: `at most ${MOST_MODELS} models` }))
  ),
  markup: Markup,
  /** Questions and answers are kept for so many days at most; 0: not at all; null: as the tenant's admins decide. */
  content_days_at_most: Schema.NullOr(
    Schema.Int.check(
      Schema.isBetween({ minimum: 0, maximum: LONGEST_DAYS }, { expected: `a whole number from 0 to ${LONGEST_DAYS}` })
    )
  )
}

/** A plan to make, or that takes the place of one. */
export const PlanChoice = Schema.Struct({
  name: members.name,
  limits: Schema.optionalKey(members.limits),
  models: Schema.optionalKey(members.models),
  markup: Schema.optionalKey(members.markup),
  content_days_at_most: Schema.optionalKey(members.content_days_at_most)
}).annotate({ identifier: "PlanChoice" })
export type PlanChoice = typeof PlanChoice.Type

/** The plan with every member. */
export const completed = ({
  content_days_at_most = null,
  limits = {},
  markup = "1",
  models = null,
  name
}: PlanChoice): Required<PlanChoice> => ({ name, limits, models, markup, content_days_at_most })

export class Plan extends Schema.Class<Plan>("Plan")({
  id: PlanId,
  ...members,
  created_at: Schema.DateTimeUtcFromString,
  updated_at: Schema.DateTimeUtcFromString,
  /** How many tenants have it. */
  tenants: Schema.Int
}) {}

/** There is no plan with this id. */
export class PlanNotFound extends Problem<PlanNotFound>()("PlanNotFound", "plan_not_found", {}) {}

/** Another plan has this name. */
export class PlanNameTaken extends Problem<PlanNameTaken>()("PlanNameTaken", "plan_name_taken", {}) {}

/** Tenants have this plan. */
export class PlanInUse extends Problem<PlanInUse>()("PlanInUse", "plan_in_use", {}) {}
