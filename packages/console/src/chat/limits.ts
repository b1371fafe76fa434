import type { Problem } from "@llm-saas/client"

const OWNERS = { tenant: "Your tenant's", user: "Your", key: "This key's", model: "Your tenant's" }
const PERIODS = { day: " for today", week: " for this week", month: " for this month", total: "" }
const RESOURCES = { requests: "questions a minute", tokens: "tokens a minute", concurrent: "answers at once" }

/** What a question was refused for, in a sentence: whose limit or budget, and how much it is. */
export const whatHolds = ({ code, limit, period, resource, scope }: Problem): string => {
  const owner = scope === undefined ? "Your" : OWNERS[scope]
  const model = scope === "model" ? " for this model" : ""
  if (code === "budget_exhausted")
    return `${owner} budget${model}${period === undefined ? "" : PERIODS[period]} does not cover this question.`
  return `${owner} limit${model} is reached: ${limit ?? 0} ${resource === undefined ? "questions" : RESOURCES[resource]}.`
}
