import type { PriceList, Unit } from "./Price.ts"

/** Whom a call is paid to: where its prices are looked up. */
export interface Pricing {
  /** Prices of the configuration, before all others. */
  readonly own?: PriceList | undefined
  /** The provider's name in the configuration. */
  readonly provider: string
  readonly type: "openai" | "azure" | "anthropic" | "mock"
  /** Where it is asked; undefined: at the provider's own address. */
  readonly baseUrl?: string | undefined
  /** The model as the provider knows it. */
  readonly model: string
  /** The place in the price book that the configuration names, instead of the address's. */
  readonly listed?: { readonly provider: string; readonly model?: string | undefined } | undefined
}

/** A rule of names, of one member. All texts are lower case. */
export type NameRule =
  | { readonly equals: string }
  | { readonly starts: string }
  | { readonly ends: string }
  | { readonly contains: string }
  | { readonly regex: string }
  | { readonly or: ReadonlyArray<NameRule> }
  | { readonly and: ReadonlyArray<NameRule> }

/** A row of `operator.prices`. Times are in milliseconds since 1970. */
export interface PriceRow {
  readonly id: string
  readonly unit: Unit
  readonly service_tier: string
  readonly tier_start: number
  /** US dollars for one. */
  readonly price: string
  /** Whether it came with the program: an operator's own counts instead of it. */
  readonly seeded: boolean
  /** Null: always before. */
  readonly since: number | null
  /** Null: for good. */
  readonly until: number | null
  /** The minutes of the day, in UTC, from the first to before the second. */
  readonly first_minute: number
  readonly last_minute: number
}

/** The prices of a model of a provider. */
export interface PricedModel {
  readonly provider: string
  readonly model: string
  /** Names that mean it. Null: only its own. */
  readonly match: NameRule | null
  readonly prices: ReadonlyArray<PriceRow>
}

/** A provider of the price book. */
export interface PricedProvider {
  readonly provider: string
  /** A regular expression that addresses begin with. */
  readonly url: string
  /** The providers whose models it offers at their prices. */
  readonly others: ReadonlyArray<string>
}
