import { type PeriodSearch, periodSearch } from "../usage/search.ts"

// What the operator's pages have in their addresses. Anything else in an address counts as if it was not there.

type Search = Record<string, unknown>

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined)

export const STATUSES = ["active", "suspended", "erased"] as const

export interface TenantsSearch {
  readonly status?: (typeof STATUSES)[number]
  readonly plan?: string
}

export const tenantsSearch = (search: Search): TenantsSearch => {
  const status = STATUSES.find((each) => each === search["status"])
  const plan = text(search["plan"])
  return { ...(status && { status }), ...(plan && { plan }) }
}

export interface PricesSearch {
  readonly provider?: string
  readonly model?: string
  readonly own?: true
  readonly ended?: true
}

export const pricesSearch = (search: Search): PricesSearch => {
  const [provider, model] = [text(search["provider"]), text(search["model"])]
  return {
    ...(provider && { provider }),
    ...(model && { model }),
    ...(search["own"] === true && { own: true }),
    ...(search["ended"] === true && { ended: true })
  }
}

export const USAGE_GROUPS = ["tenant", "model", "both"] as const

export interface OperatorUsageSearch extends PeriodSearch {
  readonly by?: Exclude<(typeof USAGE_GROUPS)[number], "tenant">
  readonly tenant?: string
}

export const operatorUsageSearch = (search: Search): OperatorUsageSearch => {
  const by = USAGE_GROUPS.find((each) => each === search["by"])
  const tenant = text(search["tenant"])
  return {
    ...periodSearch(search),
    ...(by === undefined || by === "tenant" ? {} : { by }),
    ...(tenant && { tenant })
  }
}

export interface EventsSearch {
  readonly tenant?: string
}

export const eventsSearch = (search: Search): EventsSearch => {
  const tenant = text(search["tenant"])
  return { ...(tenant && { tenant }) }
}
