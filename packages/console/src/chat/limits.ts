import type { Problem } from "@llm-saas/client"

const OWNERS = { tenant: "Your tenant's", user: "Your", key: "This key's", model: "Your tenant's" }
const PERIODS = { day: " for today", week: " for this week", month: " for this month", total: "" }
const RESOURCES = {
  requests: ["question a minute", "questions a minute"],
  tokens: ["token a minute", "tokens a minute"],
  concurrent: ["answer at once", "answers at once"]
}

/** What a question was refused for, in a sentence: whose limit or budget, and how much it is. */
export const whatHolds = ({ code, limit, period, resource, scope }: Problem): string => {
  const owner = scope === undefined ? "Your" : OWNERS[scope]
  const model = scope === "model" ? " for this model" : ""
  if (code === "budget_exhausted")
    return `${owner} budget${model}${period === undefined ? "" : PERIODS[period]} does not cover this question.`
  const [one, more] = resource === undefined ? ["question", "questions"] : RESOURCES[resource]
  return `${owner} limit${model} is reached: ${limit ?? 0} ${limit === 1 ? one : more}.`
}
