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
