import { type Days, daysOf, type Period, PERIODS, wrongDays } from "./period.ts"

/** Which days a page is about, in its address. What is left out is this month; `from` and `to` are of the period `own`. */
export interface PeriodSearch {
  readonly period?: Exclude<Period, "month">
  readonly from?: string
  readonly to?: string
}

/** What the page of usage shows, in its address. */
export interface UsageSearch extends PeriodSearch {
  readonly by?: Exclude<Group, "model">
  readonly scope?: "tenant"
}

export const GROUPS = ["model", "user", "key", "door"] as const
export type Group = (typeof GROUPS)[number]

/** What an address may say of a period; anything else counts as if it was not there. */
export const periodSearch = ({ from, period, to }: Record<string, unknown>): PeriodSearch => {
  const known = PERIODS.find((each) => each === period)
  if (known === undefined || known === "month") return {}
  if (known !== "own") return { period: known }
  return typeof from === "string" && typeof to === "string" && wrongDays({ from, to }) === undefined
    ? { period: known, from, to }
    : {}
}

export const usageSearch = (search: Record<string, unknown>): UsageSearch => {
  const by = GROUPS.find((each) => each === search["by"])
  return {
    ...periodSearch(search),
    ...(by === undefined || by === "model" ? {} : { by }),
    ...(search["scope"] === "tenant" ? { scope: "tenant" as const } : {})
  }
}

/** The period of an address, and its days. */
export const searched = (search: PeriodSearch, now: string): { readonly period: Period; readonly days: Days } => {
  const period = search.period ?? "month"
  return { period, days: daysOf(period, now, { from: search.from ?? now, to: search.to ?? now }) }
}
