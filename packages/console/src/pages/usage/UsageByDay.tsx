import type { UsageRow } from "@llm-saas/client"
import { lazy, Suspense, useCallback, useMemo, useState } from "react"
import { Button } from "../../ui/Button.tsx"
import { count, day, dollars } from "../../ui/format.ts"
import { Loading } from "../../ui/Loading.tsx"
import { Table } from "../../ui/Table.tsx"
import { type Measure, MEASURES, NOTHING } from "./measures.ts"
import { type Days, eachDay } from "./period.ts"
import { tokens } from "./tokens.ts"

const DayChart = lazy(() => import("../../ui/DayChart.tsx"))

interface Props {
  readonly days: Days
  readonly rows: ReadonlyArray<UsageRow>
  readonly earlier: Days
  readonly earlierRows: ReadonlyArray<UsageRow>
  /** What the cost is called. */
  readonly cost?: string
}

/** A day of the period beside the day of the period before that has the same place in it. */
interface DayPair {
  readonly day: string
  readonly row: UsageRow
  readonly before: { readonly day: string; readonly row: UsageRow } | undefined
}

/** What was used by day, as a chart and as a table with the same numbers. */
export const UsageByDay = ({ cost = "Cost", days, earlier, earlierRows, rows }: Props) => {
  const [chosen, setChosen] = useState<Measure["id"]>("cost")
  const [at, setAt] = useState<number | null>(null)
  const point = useCallback((next: number | null) => setAt(next), [])
  const measure = MEASURES.find(({ id }) => id === chosen) ?? MEASURES[0]
  const pairs = useMemo(() => paired(days, rows, earlier, earlierRows), [days, rows, earlier, earlierRows])
  const data = useMemo(
    () => ({
      days: pairs.map(({ day }) => day),
      bars: pairs.map(({ row }) => measure?.of(row) ?? 0),
      line: pairs.map(({ before }) => (before === undefined ? null : (measure?.of(before.row) ?? null)))
    }),
    [pairs, measure]
  )
  if (measure === undefined) return null
  return (
    <section className="card stack" aria-labelledby="by-day">
      <div className="row between">
        <h2 id="by-day">By day</h2>
        <div className="row" role="group" aria-label="What the chart shows">
          {MEASURES.map(({ id, title }) => (
            <Button key={id} look="plain" aria-pressed={id === chosen} onClick={() => setChosen(id)}>
              {id === "cost" ? cost : title}
            </Button>
          ))}
        </div>
      </div>
      <Line pair={at === null ? undefined : pairs[at]} measure={measure} />
      <Suspense fallback={<Loading what="Loading the chart" />}>
        <DayChart
          label={`${chosen === "cost" ? cost : measure.title} by day, from ${day(days.from)} to ${day(days.to)}. The table below has the same numbers.`}
          {...data}
          axis={measure.axis}
          onPoint={point}
        />
      </Suspense>
      <details className="same">
        <summary>The same as a table</summary>
        <Table
          label="Usage by day"
          rows={pairs}
          rowKey={({ day }) => day}
          columns={[
            { title: "Day (UTC)", cell: (pair) => day(pair.day) },
            { title: cost, number: true, cell: ({ row }) => dollars(row.cost_usd) },
            { title: "Requests", number: true, cell: ({ row }) => count(row.requests) },
            { title: "Tokens", number: true, cell: ({ row }) => count(tokens(row)) },
            { title: "Errors", number: true, cell: ({ row }) => count(row.errors) },
            {
              title: "Compared with",
              cell: ({ before }) => (before === undefined ? "–" : `${day(before.day)}: ${measure.text(before.row)}`)
            }
          ]}
        />
      </details>
    </section>
  )
}

/** The day that is pointed at, in words; else what the marks mean. */
const Line = ({ measure, pair }: { readonly measure: Measure; readonly pair: DayPair | undefined }) => (
  <div className="row small chart-line">
    {pair === undefined ? (
      <>
        <span className="chart-key">This period</span>
        <span className="chart-key earlier soft">The period before</span>
      </>
    ) : (
      <>
        <span className="chart-key">
          {day(pair.day)}: <strong>{measure.text(pair.row)}</strong>
        </span>
        {pair.before === undefined ? null : (
          <span className="chart-key earlier soft">
            {day(pair.before.day)}: {measure.text(pair.before.row)}
          </span>
        )}
      </>
    )}
  </div>
)

const paired = (
  days: Days,
  rows: ReadonlyArray<UsageRow>,
  earlier: Days,
  earlierRows: ReadonlyArray<UsageRow>
): ReadonlyArray<DayPair> => {
  const of = (all: ReadonlyArray<UsageRow>) => new Map(all.map((row) => [row.day, row]))
  const [now, then] = [of(rows), of(earlierRows)]
  const past = eachDay(earlier)
  return eachDay(days).map((day, n) => {
    const same = past[n]
    return {
      day,
      row: now.get(day) ?? NOTHING,
      before: same === undefined ? undefined : { day: same, row: then.get(same) ?? NOTHING }
    }
  })
}
