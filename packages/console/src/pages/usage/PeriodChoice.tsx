import { useState } from "react"
import { Button } from "../../ui/Button.tsx"
import { Choice, Field } from "../../ui/Field.tsx"
import { type Days, type Period, PERIODS, wrongDays } from "./period.ts"
import type { PeriodSearch } from "./search.ts"

const NAMES: Readonly<Record<Period, string>> = {
  month: "This month",
  "7d": "Last 7 days",
  "30d": "Last 30 days",
  "last-month": "Last month",
  own: "Days of your choice"
}

interface Props {
  readonly period: Period
  readonly days: Days
  readonly onChoose: (search: PeriodSearch) => void
}

/** Which days the page is about. Its own days are taken up by a press, so that half of a date asks for nothing. */
export const PeriodChoice = ({ days, onChoose, period }: Props) => {
  const [chosen, setChosen] = useState<Days>()
  const asks = period === "own" || chosen !== undefined
  const draft = chosen ?? days
  const wrong = wrongDays(draft)
  return (
    <form
      className="period"
      onSubmit={(event) => {
        event.preventDefault()
        if (wrong !== undefined) return
        setChosen(undefined)
        onChoose({ period: "own", ...draft })
      }}
    >
      <Choice
        label="Period"
        value={asks ? "own" : period}
        onChange={({ target }) => {
          const next = PERIODS.find((each) => each === target.value) ?? "month"
          setChosen(next === "own" ? days : undefined)
          if (next !== "own") onChoose(next === "month" ? {} : { period: next })
        }}
      >
        {PERIODS.map((each) => (
          <option key={each} value={each}>
            {NAMES[each]}
          </option>
        ))}
      </Choice>
      {asks ? (
        <>
          <Field
            label="First day (UTC)"
            type="date"
            required
            value={draft.from}
            onChange={({ target }) => setChosen({ ...draft, from: target.value })}
          />
          <Field
            label="Last day (UTC)"
            type="date"
            required
            value={draft.to}
            wrong={chosen === undefined ? undefined : wrong}
            onChange={({ target }) => setChosen({ ...draft, to: target.value })}
          />
          <Button type="submit" disabled={wrong !== undefined || chosen === undefined}>
            Show
          </Button>
        </>
      ) : null}
    </form>
  )
}
