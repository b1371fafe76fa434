import type { UsageRow } from "@llm-saas/client"
import { Figure, Figures } from "../../ui/Figures.tsx"
import { count, dollars, duration } from "../../ui/format.ts"
import { compared } from "./compared.ts"
import { inOrder, tokens, unitName } from "./tokens.ts"

interface Props {
  readonly now: UsageRow
  readonly before: UsageRow
}

/** The sums of a period, each beside the period before. */
export const UsageFigures = ({ before, now }: Props) => {
  const units = inOrder([...new Set([...Object.keys(now.units), ...Object.keys(before.units)])])
  const latency = (title: string, of: "latency_p50_ms" | "latency_p95_ms" | "ttft_p50_ms" | "ttft_p95_ms") => (
    <Figure title={title} value={ms(now[of])} about={compared(now[of], before[of], ms(before[of]))} />
  )
  return (
    <div className="stack">
      <Figures label="Cost, requests, tokens and errors">
        <Figure
          title="Cost"
          value={dollars(now.cost_usd)}
          about={compared(Number(now.cost_usd), Number(before.cost_usd), dollars(before.cost_usd))}
        />
        <Figure
          title="Requests"
          value={count(now.requests)}
          about={compared(now.requests, before.requests, count(before.requests))}
        />
        <Figure
          title="Tokens"
          value={count(tokens(now))}
          about={compared(tokens(now), tokens(before), count(tokens(before)))}
        />
        <Figure
          title="Errors"
          value={`${count(now.errors)}${share(now)}`}
          about={compared(now.errors, before.errors, `${count(before.errors)}${share(before)}`)}
        />
      </Figures>
      <Figures label="Latencies of completed answers">
        {latency("Whole answer, median", "latency_p50_ms")}
        {latency("Whole answer, 95th percentile", "latency_p95_ms")}
        {latency("First token, median", "ttft_p50_ms")}
        {latency("First token, 95th percentile", "ttft_p95_ms")}
      </Figures>
      {units.length === 0 ? null : (
        <Figures label="Units that are paid for">
          {units.map((unit) => (
            <Figure
              key={unit}
              title={unitName(unit)}
              value={count(now.units[unit] ?? 0)}
              about={compared(now.units[unit] ?? 0, before.units[unit] ?? 0, count(before.units[unit] ?? 0))}
            />
          ))}
        </Figures>
      )}
    </div>
  )
}

const ms = (value: number | null) => (value === null ? "–" : duration(value))

const percent = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 })
const share = ({ errors, requests }: UsageRow) =>
  requests === 0 || errors === 0 ? "" : ` (${percent.format(errors / requests)})`
