import { count, dollars } from "../../ui/format.ts"
import "./limits.css"
import type { Allowance } from "./allowance.ts"

export const PERIOD_NAMES = { day: "a day", week: "a week", month: "a month", total: "in total" } as const

/** The limits and the budget that were set, in short. */
export const AllowanceText = ({ value: { budget, limits } }: { readonly value: Allowance }) => {
  const parts = [
    ...(budget === null ? [] : [`${dollars(budget.amount)} ${PERIOD_NAMES[budget.period]}`]),
    ...(limits.requests_per_minute === null ? [] : [`${count(limits.requests_per_minute)} requests/min`]),
    ...(limits.tokens_per_minute === null ? [] : [`${count(limits.tokens_per_minute)} tokens/min`]),
    ...(limits.concurrent === null ? [] : [`${count(limits.concurrent)} at once`])
  ]
  if (parts.length === 0) return <span className="soft">None</span>
  return (
    <ul className="plain-list">
      {parts.map((part) => (
        <li key={part}>{part}</li>
      ))}
    </ul>
  )
}
