import { Schema } from "effect"
import { Amount, Period } from "./Limit.ts"
import { LimitScope } from "./LimitReached.ts"

/** Of a limit of the minute: how much of it can be used now, and when all of it can. */
export const OfMinute = Schema.Struct({
  limit: Schema.Int,
  remaining: Schema.Int,
  reset_at: Schema.DateTimeUtcFromString
}).annotate({ identifier: "OfMinute" })

/** Answers that run, and how many more may. */
export const OfAnswers = Schema.Struct({
  limit: Schema.Int,
  running: Schema.Int,
  remaining: Schema.Int
}).annotate({ identifier: "OfAnswers" })

/** US dollars, to the last digit. */
const Dollars = Schema.String.check(
  Schema.isPattern(/^-?\d+(?:\.\d+)?$/u, { expected: "a decimal text of US dollars" })
)

/** A budget in its current period. `reserved` is for answers that run; `until` is when the next period begins, null: never. */
export const OfBudget = Schema.Struct({
  amount: Amount,
  period: Period,
  spent: Dollars,
  reserved: Dollars,
  left: Dollars,
  until: Schema.NullOr(Schema.DateTimeUtcFromString)
}).annotate({ identifier: "OfBudget" })

/** What is limited of a key, a user, a tenant or its questions to a model, and what is left of it; null: not limited. */
export const holding = {
  requests: Schema.NullOr(OfMinute),
  tokens: Schema.NullOr(OfMinute),
  concurrent: Schema.NullOr(OfAnswers),
  budgets: Schema.Array(OfBudget)
}

/**
 * Limits and budgets that hold for the user or key that asks for them. Of a user or key, the lower of its own and of the plan's; of budgets of different
 * periods, both.
 */
export const LimitInForce = Schema.Struct({
  scope: LimitScope,
  /** With the scope `model` only. */
  model: Schema.NullOr(Schema.String),
  ...holding
}).annotate({ identifier: "LimitInForce" })
export type LimitInForce = typeof LimitInForce.Type

/** All that hold for a request. */
export const LimitsInForce = Schema.Struct({ data: Schema.Array(LimitInForce) }).annotate({
  identifier: "LimitsInForce"
})
export type LimitsInForce = typeof LimitsInForce.Type
