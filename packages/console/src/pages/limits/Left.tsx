import type { LimitInForce, OfAnswers, OfBudget, OfMinute } from "@llm-saas/client"
import { count, dollars, moment } from "../../ui/format.ts"
import { PERIOD_NAMES } from "./AllowanceText.tsx"
import "./limits.css"

/** What is left of limits and budgets, each as a bar and as a number, with when all of it is there again. */
export const Left = ({ of }: { readonly of: Omit<LimitInForce, "model" | "scope"> }) => {
  const none = of.requests === null && of.tokens === null && of.concurrent === null && of.budgets.length === 0
  if (none) return <p className="soft">Nothing is limited.</p>
  return (
    <ul className="left-list">
      {of.budgets.map((budget) => (
        <Budget key={`${budget.period} ${budget.amount}`} of={budget} />
      ))}
      {of.requests === null ? null : <OfOneMinute of={of.requests} unit="requests" />}
      {of.tokens === null ? null : <OfOneMinute of={of.tokens} unit="tokens" />}
      {of.concurrent === null ? null : <Answers of={of.concurrent} />}
    </ul>
  )
}

const Budget = ({ of: { amount, left, period, reserved, spent, until } }: { readonly of: OfBudget }) => (
  <Bar
    label={`Budget of ${dollars(amount)} ${PERIOD_NAMES[period]}`}
    left={Number(left)}
    all={Number(amount)}
    text={`${dollars(left)} left`}
    more={[
      `${dollars(spent)} spent`,
      ...(Number(reserved) === 0 ? [] : [`${dollars(reserved)} reserved for answers that run`]),
      until === null ? "it does not renew" : `renews on ${moment(until)}`
    ]}
  />
)

const OfOneMinute = ({
  of: { limit, remaining, reset_at },
  unit
}: {
  readonly of: OfMinute
  readonly unit: "requests" | "tokens"
}) => (
  <Bar
    label={`${count(limit)} ${unit} a minute`}
    left={remaining}
    all={limit}
    text={`${count(remaining)} ${unit} left`}
    more={[remaining >= limit ? "nothing used now" : `all of them again at ${new Date(reset_at).toLocaleTimeString()}`]}
  />
)

const Answers = ({ of: { limit, remaining, running } }: { readonly of: OfAnswers }) => (
  <Bar
    label={`${count(limit)} answers at once`}
    left={remaining}
    all={limit}
    text={`${count(remaining)} more can run`}
    more={[`${count(running)} running now`]}
  />
)

interface BarProps {
  readonly label: string
  readonly left: number
  readonly all: number
  readonly text: string
  readonly more: ReadonlyArray<string>
}

/** Parts of the whole below which a bar is yellow, and red. */
const LITTLE = 0.25
const ALMOST_NOTHING = 0.1

const Bar = ({ all, label, left, more, text }: BarProps) => {
  // Of a limit of 0 nothing is ever left.
  const most = all > 0 ? all : 1
  return (
    <li className="left-item">
      <div className="row between">
        <span>{label}</span>
        <strong className="number">{text}</strong>
      </div>
      <meter
        className="meter"
        aria-label={`${label}: ${text}`}
        min={0}
        max={most}
        low={most * ALMOST_NOTHING}
        high={most * LITTLE}
        optimum={most}
        value={Math.max(0, Math.min(left, most))}
      />
      <span className="soft small">{more.join(" · ")}</span>
    </li>
  )
}
