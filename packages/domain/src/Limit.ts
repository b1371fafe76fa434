import { BigDecimal, Schema } from "effect"
import { Problem } from "./ProblemClass.ts"

// How much may be asked: of requests and tokens in a minute, of answers at once, and of money in a period.

const limit = (most: number) =>
  Schema.NullOr(
    Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: most }, { expected: `a whole number from 0 to ${most}` }))
  )

const limits = {
  /** Questions in a minute, as many at once as fit in a minute; 0: none. */
  requests_per_minute: limit(1_000_000),
  /** Tokens of questions and answers in a minute. */
  tokens_per_minute: limit(1_000_000_000_000),
  /** Answers that run at once. */
  concurrent: limit(100_000)
}

/** What may be asked at a time; null: not limited here. */
export const Limits = Schema.Struct(limits).annotate({ identifier: "Limits" })
export type Limits = typeof Limits.Type

/** Limits to set; those left out stay, and null takes one away. */
export const LimitsChange = Schema.Struct({
  requests_per_minute: Schema.optionalKey(limits.requests_per_minute),
  tokens_per_minute: Schema.optionalKey(limits.tokens_per_minute),
  concurrent: Schema.optionalKey(limits.concurrent)
}).annotate({ identifier: "LimitsChange" })
export type LimitsChange = typeof LimitsChange.Type

export const UNLIMITED: Limits = { requests_per_minute: null, tokens_per_minute: null, concurrent: null }

const AMOUNT = /^(?:0|[1-9]\d{0,11})(?:\.\d{1,18})?$/u
const AMOUNT_EXPECTED = 'a decimal text of US dollars like "0.50", below 10^12, with at most 18 decimals'

/** US dollars, as a decimal text: never a floating-point number. */
export const Amount = Schema.String.check(Schema.isPattern(AMOUNT, { expected: AMOUNT_EXPECTED }))

/** A calendar day, week (from Monday) or month in UTC, or all time. */
export const Period = Schema.Literals(["day", "week", "month", "total"])
export type Period = typeof Period.Type

const MOST_ALERTS = 10

/** Percentages of a budget at which an event is written to the audit log. */
const Alerts = Schema.Array(
  Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }, { expected: "a whole number from 1 to 1000" }))
).check(
  Schema.isMaxLength(MOST_ALERTS, { expected: `at most ${MOST_ALERTS} percentages` }),
  Schema.isUnique({ expected: "no percentage twice" })
)

export const ALERTS: ReadonlyArray<number> = [50, 80, 100]

/** What may be spent in a period. */
export const Budget = Schema.Struct({ amount: Amount, period: Period, alert_at: Alerts }).annotate({
  identifier: "Budget"
})
export type Budget = typeof Budget.Type

/** A budget to set. `alert_at` is {@link ALERTS} unless said otherwise. */
export const BudgetChoice = Schema.Struct({
  amount: Amount,
  period: Period,
  alert_at: Schema.optionalKey(Alerts)
}).annotate({ identifier: "BudgetChoice" })
export type BudgetChoice = typeof BudgetChoice.Type

/** The limits and the budget of a key, a user, or all of a tenant. */
export interface Allowance {
  readonly limits: Limits
  readonly budget: Budget | null
}

export const NO_LIMITS: Allowance = { limits: UNLIMITED, budget: null }

/** Whether anything is limited. */
export const isLimited = ({ budget, limits: { concurrent, requests_per_minute, tokens_per_minute } }: Allowance) =>
  budget !== null || concurrent !== null || requests_per_minute !== null || tokens_per_minute !== null

/** A change of them; what is absent stays. */
export interface AllowanceChange {
  readonly limits?: LimitsChange
  readonly budget?: BudgetChoice | null
}

/** As members of a request. */
export const allowance = {
  limits: Schema.optionalKey(LimitsChange),
  budget: Schema.optionalKey(Schema.NullOr(BudgetChoice))
}

/** As members of an answer. */
export const allowed = { limits: Limits, budget: Schema.NullOr(Budget) }

export const changeOf = ({ budget, limits }: AllowanceChange): AllowanceChange => ({
  ...(limits === undefined ? {} : { limits }),
  ...(budget === undefined ? {} : { budget })
})

/** What holds after a change. */
export const changed = (now: Allowance, { budget, limits }: AllowanceChange): Allowance => ({
  limits: { ...now.limits, ...limits },
  budget: budget === undefined ? now.budget : budget === null ? null : { alert_at: ALERTS, ...budget }
})

const MEMBERS = ["requests_per_minute", "tokens_per_minute", "concurrent"] as const
const Member = Schema.Literals([...MEMBERS, "budget"])
type Member = typeof Member.Type

/**
 * The members of a change that the plan does not allow: those above its own. A budget is compared within the same period; of another period
 * it is no more than the plan, whose own budget holds beside it.
 */
export const beyond = (plan: Allowance, { budget, limits }: AllowanceChange): ReadonlyArray<Member> => {
  const above: ReadonlyArray<Member> = MEMBERS.filter((member) => isAbove(limits?.[member], plan.limits[member]))
  return isWithin(budget, plan.budget) ? above : [...above, "budget"]
}

const isAbove = (wanted: number | null | undefined, most: number | null): boolean =>
  wanted !== undefined && wanted !== null && most !== null && wanted > most

const isWithin = (wanted: BudgetChoice | null | undefined, most: Budget | null): boolean =>
  wanted === undefined
  || wanted === null
  || most === null
  || wanted.period !== most.period
  || isAtMost(wanted.amount, most.amount)

/** Compares two {@link Amount}s. */
export const isAtMost = (amount: string, most: string): boolean =>
  BigDecimal.isLessThanOrEqualTo(BigDecimal.fromStringUnsafe(amount), BigDecimal.fromStringUnsafe(most))

/** A limit or budget is above what the tenant's plan allows for each key or user. `members`: which; `plan`: what it allows. */
export class LimitBeyondPlan extends Problem<LimitBeyondPlan>()("LimitBeyondPlan", "limit_beyond_plan", {
  members: Schema.Array(Member),
  plan: Schema.Struct(allowed)
}) {}
