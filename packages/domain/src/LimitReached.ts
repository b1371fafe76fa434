import { Schema } from "effect"
import { Problem } from "./ProblemClass.ts"

/** Whose limit or budget it is. `model`: the tenant's questions to this model. */
export const LimitScope = Schema.Literals(["tenant", "user", "key", "model"])
export type LimitScope = typeof LimitScope.Type

/** A limit of requests or tokens a minute, or of concurrent answers, is reached. `retry_after` is in seconds. Nothing was taken. */
export class LimitReached extends Problem<LimitReached>()("LimitReached", "limit_reached", {
  scope: LimitScope,
  resource: Schema.Literals(["requests", "tokens", "concurrent"]),
  limit: Schema.Int,
  retry_after: Schema.Int
}) {}

/**
 * A request may cost more than is left of a budget. Amounts are US dollars, as decimals. `until`: when the next period begins; null: never.
 * `retry_after`, in seconds, where answers that run now may cost less than is reserved for them.
 */
export class BudgetExhausted extends Problem<BudgetExhausted>()("BudgetExhausted", "budget_exhausted", {
  scope: LimitScope,
  amount: Schema.String,
  period: Schema.Literals(["day", "week", "month", "total"]),
  left: Schema.String,
  until: Schema.NullOr(Schema.String),
  retry_after: Schema.optionalKey(Schema.Int)
}) {}

const OWNERS = { tenant: "tenant's", user: "user's", key: "API key's", model: "tenant's, for this model," } as const
const RESOURCES = {
  requests: "requests a minute",
  tokens: "tokens a minute",
  concurrent: "answers at once"
} as const

type Said<Self extends { readonly scope: LimitScope }, Members extends keyof Self> = Pick<Self, Members | "scope">

/** What is said to people about a limit: whose it is, and how much. */
export const limitDetail = ({ limit, resource, scope }: Said<LimitReached, "limit" | "resource">): string =>
  `The ${OWNERS[scope]} limit of ${limit} ${RESOURCES[resource]} is reached. Nothing was used up by this request.`

/** What is said to people about a budget: whose it is, and what is left. */
export const budgetDetail = ({
  amount,
  left,
  period,
  scope,
  until
}: Said<BudgetExhausted, "amount" | "left" | "period" | "until">): string =>
  `This request may cost more than is left of the ${OWNERS[scope]} budget: ${left} of ${amount} US dollars`
  + `${period === "total" ? "" : ` for the ${period}`}. Nothing was spent by it.`
  + (until === null ? "" : ` The next ${period} begins at ${until}.`)

/** A budget holds, and the model has no price. */
export class ModelUnpriced extends Problem<ModelUnpriced>()("ModelUnpriced", "model_unpriced", {
  model: Schema.String
}) {}

/** Why a question is not admitted. */
export const admissionRefusals = [LimitReached, BudgetExhausted, ModelUnpriced] as const
export type AdmissionRefused = InstanceType<(typeof admissionRefusals)[number]>

/** What is left of a limit of the minute. */
export const Allowance = Schema.Struct({
  limit: Schema.Int,
  remaining: Schema.Int,
  /** Milliseconds until all of it is there again. */
  reset_ms: Schema.Int
})

/** What is left of the limits of the minute, of those with the least left. */
export const Standing = Schema.Struct({
  requests: Schema.optionalKey(Allowance),
  tokens: Schema.optionalKey(Allowance)
})
export type Standing = typeof Standing.Type
