import { type Budget, type BudgetChoice, type Limits, type LimitsChange, LlmSaasError } from "@llm-saas/client"

/** Limits and a budget as they are typed: texts, of which an empty one is no limit. */
export interface AllowanceDraft {
  readonly requests_per_minute: string
  readonly tokens_per_minute: string
  readonly concurrent: string
  /** US dollars as a decimal text. */
  readonly amount: string
  readonly period: Budget["period"]
  /** Percentages, separated by commas. */
  readonly alert_at: string
}

export interface Allowance {
  readonly limits: Limits
  readonly budget: Budget | null
}

/** What nothing is limited by. */
export const UNLIMITED: AllowanceDraft = {
  requests_per_minute: "",
  tokens_per_minute: "",
  concurrent: "",
  amount: "",
  period: "month",
  alert_at: "50, 80, 100"
}

export const LIMITS = ["requests_per_minute", "tokens_per_minute", "concurrent"] as const

/** What is to be typed so that nothing changes. */
export const draftOf = ({ budget, limits }: Allowance): AllowanceDraft => ({
  requests_per_minute: typed(limits.requests_per_minute),
  tokens_per_minute: typed(limits.tokens_per_minute),
  concurrent: typed(limits.concurrent),
  ...(budget === null
    ? { amount: "", period: UNLIMITED.period, alert_at: UNLIMITED.alert_at }
    : { amount: budget.amount, period: budget.period, alert_at: budget.alert_at.join(", ") })
})

const typed = (limit: number | null): string => (limit === null ? "" : String(limit))

export interface AllowanceChange {
  readonly limits?: LimitsChange
  readonly budget?: BudgetChoice | null
}

/** What has to be sent so that it becomes what was typed: only what differs. Nothing differs: no member. */
export const changeOf = (before: AllowanceDraft, now: AllowanceDraft): AllowanceChange => {
  const changed = LIMITS.filter((name) => before[name].trim() !== now[name].trim())
  const limits: LimitsChange = Object.fromEntries(changed.map((name) => [name, limitOf(now[name])]))
  return {
    ...(changed.length === 0 ? {} : { limits }),
    ...(isSameBudget(before, now) ? {} : { budget: budgetOf(now) })
  }
}

const limitOf = (text: string): number | null => (text.trim() === "" ? null : Number(text))

const budgetOf = ({ alert_at, amount, period }: AllowanceDraft): BudgetChoice | null =>
  amount.trim() === "" ? null : { amount: amount.trim(), period, alert_at: percentages(alert_at) }

const percentages = (text: string): ReadonlyArray<number> =>
  text
    .split(",")
    .map((each) => each.trim().replace(/%$/u, "").trim())
    .filter((each) => each !== "")
    .map(Number)

const isSameBudget = (before: AllowanceDraft, now: AllowanceDraft): boolean =>
  JSON.stringify(budgetOf(before)) === JSON.stringify(budgetOf(now))

/** Whether anything is limited. */
export const isLimited = (draft: AllowanceDraft): boolean =>
  draft.amount.trim() !== "" || LIMITS.some((name) => draft[name].trim() !== "")

/** The same of what is set. */
export const isAnyLimited = ({ budget, limits }: Allowance): boolean =>
  budget !== null || LIMITS.some((name) => limits[name] !== null)

/** What the tenant's plan says to a member of what was sent, where it allows less. */
export const beyondPlan = (error: unknown, member: (typeof LIMITS)[number] | "budget"): string | undefined => {
  if (!(error instanceof LlmSaasError) || error.problem?.members?.includes(member) !== true) return undefined
  const { plan } = error.problem
  const most = member === "budget" ? plan?.budget?.amount : plan?.limits[member]
  const unit = member === "budget" ? `US dollars a ${plan?.budget?.period ?? "period"}` : UNITS[member]
  return `Your plan allows at most ${most ?? "less"} ${unit}.`
}

const UNITS = {
  requests_per_minute: "requests a minute",
  tokens_per_minute: "tokens a minute",
  concurrent: "answers at once"
} as const
