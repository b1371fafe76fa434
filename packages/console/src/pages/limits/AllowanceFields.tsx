import { Choice, Field } from "../../ui/Field.tsx"
import { wrongOf } from "../../ui/Failure.tsx"
import { type AllowanceDraft, beyondPlan, LIMITS } from "./allowance.ts"
import "./limits.css"

const ABOUT = {
  requests_per_minute: { label: "Requests a minute", max: 1_000_000 },
  tokens_per_minute: { label: "Tokens a minute", max: 1_000_000_000_000 },
  concurrent: { label: "Answers at once", max: 100_000 }
} as const

const PERIODS: ReadonlyArray<readonly [AllowanceDraft["period"], string]> = [
  ["day", "a day"],
  ["week", "a week"],
  ["month", "a month"],
  ["total", "in total"]
]

interface Props {
  readonly draft: AllowanceDraft
  readonly onChange: (draft: AllowanceDraft) => void
  /** What the last try to send them failed with. */
  readonly error: unknown
  readonly legend?: string
  /** What holds beside them. */
  readonly about?: string
}

/** Limits and a budget of a key, a user or a service account. */
export const AllowanceFields = ({
  about = "Empty: not limited here; 0: nothing at all. Those of the plan, and of the whole tenant, hold beside them.",
  draft,
  error,
  legend = "Limits and budget",
  onChange
}: Props) => (
  <fieldset className="allowance">
    <legend>{legend}</legend>
    <p className="soft small">{about}</p>
    <div className="allowance-row three">
      {LIMITS.map((name) => (
        <Field
          key={name}
          label={ABOUT[name].label}
          type="number"
          inputMode="numeric"
          min={0}
          max={ABOUT[name].max}
          step={1}
          placeholder="No limit"
          value={draft[name]}
          onChange={(event) => onChange({ ...draft, [name]: event.target.value })}
          wrong={beyondPlan(error, name) ?? wrongOf(error, "limits", name)}
        />
      ))}
    </div>
    <div className="allowance-row three">
      <Field
        label="Budget (US dollars)"
        inputMode="decimal"
        placeholder="No budget"
        pattern="\s*(0|[1-9][0-9]{0,11})(\.[0-9]{1,18})?\s*"
        title="US dollars, such as 20 or 0.50"
        value={draft.amount}
        onChange={(event) => onChange({ ...draft, amount: event.target.value })}
        wrong={beyondPlan(error, "budget") ?? wrongOf(error, "budget", "amount")}
      />
      <Choice
        label="Period (UTC)"
        value={draft.period}
        disabled={draft.amount === ""}
        onChange={(event) => {
          const period = PERIODS.find(([each]) => each === event.target.value)?.[0]
          if (period !== undefined) onChange({ ...draft, period })
        }}
      >
        {PERIODS.map(([period, label]) => (
          <option key={period} value={period}>
            {label}
          </option>
        ))}
      </Choice>
      <Field
        label="Alerts at (% of it)"
        value={draft.alert_at}
        disabled={draft.amount === ""}
        pattern="\s*([0-9]+\s*%?\s*(,\s*[0-9]+\s*%?\s*)*)?"
        title="Percentages, separated by commas, such as 50, 80, 100"
        onChange={(event) => onChange({ ...draft, alert_at: event.target.value })}
        wrong={wrongOf(error, "budget", "alert_at")}
      />
    </div>
  </fieldset>
)
