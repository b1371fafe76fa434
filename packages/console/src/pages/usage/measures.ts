import type { UsageRow } from "@llm-saas/client"
import { count, dollars } from "../../ui/format.ts"
import { tokens } from "./tokens.ts"

/** What a chart can show of each day. */
export interface Measure {
  readonly id: "cost" | "requests" | "tokens" | "errors"
  readonly title: string
  readonly of: (row: UsageRow) => number
  /** As a person reads it, exact. */
  readonly text: (row: UsageRow) => string
  /** At the axis, where it is short. */
  readonly axis: (value: number) => string
}

const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 })
const shortDollars = new Intl.NumberFormat(undefined, {
  style: "currency",
  currency: "USD",
  notation: "compact",
  currencyDisplay: "narrowSymbol",
  minimumFractionDigits: 0,
  maximumSignificantDigits: 3
})

export const MEASURES: ReadonlyArray<Measure> = [
  {
    id: "cost",
    title: "Cost",
    of: (row) => Number(row.cost_usd),
    text: (row) => dollars(row.cost_usd),
    axis: (value) => shortDollars.format(value)
  },
  {
    id: "requests",
    title: "Requests",
    of: (row) => row.requests,
    text: (row) => `${count(row.requests)} requests`,
    axis: (value) => short.format(value)
  },
  {
    id: "tokens",
    title: "Tokens",
    of: tokens,
    text: (row) => `${count(tokens(row))} tokens`,
    axis: (value) => short.format(value)
  },
  {
    id: "errors",
    title: "Errors",
    of: (row) => row.errors,
    text: (row) => `${count(row.errors)} errors`,
    axis: (value) => short.format(value)
  }
]

/** What a day or a period without answers has. */
export const NOTHING: UsageRow = {
  requests: 0,
  errors: 0,
  unpriced: 0,
  units: {},
  cost_usd: "0",
  latency_p50_ms: null,
  latency_p95_ms: null,
  ttft_p50_ms: null,
  ttft_p95_ms: null
}
