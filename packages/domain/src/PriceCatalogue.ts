import type { PriceList } from "./Price.ts"
import type { NameRule, PricedModel, PricedProvider, PriceRow, Pricing } from "./Pricing.ts"

/** Most names whose models are remembered, and addresses: clients cannot make more, since they are of the configuration or of providers' answers. */
const REMEMBERED = 10_000

const ADDRESSES = { openai: "https://api.openai.com/v1", anthropic: "https://api.anthropic.com", azure: "", mock: "" }

/** The prices that there are, and which of them a call is paid by. */
export class PriceCatalogue {
  readonly #providers: ReadonlyMap<string, PricedProvider>
  readonly #addresses: ReadonlyArray<{ readonly provider: string; readonly url: RegExp }>
  /** By provider, in the order in which rules of names are tried. */
  readonly #models: ReadonlyMap<string, ReadonlyArray<PricedModel & { readonly fits: (name: string) => boolean }>>
  /** By provider, the models with a price of an operator's own. */
  readonly #own: ReadonlyMap<string, ReadonlySet<string>>
  readonly #found = new Map<string, PricedModel | undefined>()
  /** The provider at an address, by the rules of all. */
  readonly #at = new Map<string, string | undefined>()

  constructor(providers: ReadonlyArray<PricedProvider>, models: ReadonlyArray<PricedModel>) {
    this.#providers = new Map(providers.map((each) => [each.provider, each]))
    this.#addresses = providers.map(({ provider, url }) => ({ provider, url: new RegExp(`^(?:${url})`, "u") }))
    const byProvider = Map.groupBy(models, ({ provider }) => provider)
    const isOwn = ({ prices }: PricedModel) => prices.some(({ seeded }) => !seeded)
    this.#own = new Map(
      [...byProvider].map(([provider, known]) => [provider, new Set(known.filter(isOwn).map(({ model }) => model))])
    )
    this.#models = new Map(
      [...byProvider].map(([provider, known]) => [
        provider,
        known.map((each) => ({ ...each, fits: each.match === null ? () => false : fitting(each.match) }))
      ])
    )
  }

  /**
   * The prices of a call that began at this time, in milliseconds since 1970. `tier`: how the provider says it served it; prices that it
   * has no other for are the standard ones. Undefined: it has none.
   */
  pricesOf(pricing: Pricing, at: number, tier?: string): PriceList | undefined {
    if (pricing.own !== undefined) return pricing.own
    for (const { model, provider } of this.#places(pricing)) {
      const found = this.#find(provider, model)
      if (found === undefined) continue
      const list = listOf(found.prices, at, tier)
      if (list.length > 0) return list
    }
    return pricing.type === "mock" ? FREE : undefined
  }

  /** Where the model may be in the book, the likeliest first. */
  #places({ baseUrl, listed, model, provider, type }: Pricing): ReadonlyArray<{ provider: string; model: string }> {
    if (listed !== undefined) return this.#offered(listed.provider, listed.model ?? model)
    // An operator's own, for a provider as this installation calls it. Those that came with the program are found by the address: a
    // server of any kind may be called "openai".
    const own = this.#own.get(provider)?.has(model) === true ? [{ provider, model }] : []
    if (type === "mock") return own
    const address = baseUrl ?? ADDRESSES[type]
    const known = type === "azure" ? "azure" : this.#providerAt(address)
    return known === undefined ? own : [...own, ...this.#offered(known, model)]
  }

  #providerAt(address: string): string | undefined {
    if (this.#at.has(address)) return this.#at.get(address)
    const found = this.#addresses.find(({ url }) => url.test(address))?.provider
    if (this.#at.size >= REMEMBERED) this.#at.clear()
    this.#at.set(address, found)
    return found
  }

  #offered(provider: string, model: string) {
    return [provider, ...(this.#providers.get(provider)?.others ?? [])].map((each) => ({ provider: each, model }))
  }

  #find(provider: string, model: string): PricedModel | undefined {
    const key = `${provider}\n${model}`
    if (this.#found.has(key)) return this.#found.get(key)
    const name = model.toLowerCase()
    const models = this.#models.get(provider) ?? []
    const dashed = withDashes(name)
    const found =
      models.find((each) => each.model === model)
      ?? models.find(({ fits }) => fits(name))
      ?? (dashed === name ? undefined : models.find(({ fits }) => fits(dashed)))
    if (this.#found.size >= REMEMBERED) this.#found.clear()
    this.#found.set(key, found)
    return found
  }
}

const FREE: PriceList = [
  { id: null, unit: "input", tierStart: 0, price: "0" },
  { id: null, unit: "output", tierStart: 0, price: "0" }
]

/** The rows that hold at this time: of each unit those of the tier before the standard ones, and an operator's own before the others. */
const listOf = (rows: ReadonlyArray<PriceRow>, at: number, tier = "standard"): PriceList => {
  const minute = Math.floor((((at % DAY_MS) + DAY_MS) % DAY_MS) / 60_000)
  const valid = rows.filter(
    (row) =>
      (row.service_tier === tier || row.service_tier === "standard")
      && (row.since === null || row.since <= at)
      && (row.until === null || at < row.until)
      && row.first_minute <= minute
      && minute < row.last_minute
  )
  return [...Map.groupBy(valid, ({ unit }) => unit).values()].flatMap((all) => {
    const best = Math.max(...all.map((row) => rank(row, tier)))
    return all
      .filter((row) => rank(row, tier) === best)
      .map(({ id, price, tier_start, unit }) => ({ id, unit, tierStart: tier_start, price }))
  })
}

const DAY_MS = 86_400_000

const rank = ({ seeded, service_tier }: PriceRow, tier: string): number =>
  (service_tier === tier ? 2 : 0) + (seeded ? 0 : 1)

/** A day at the end of a name, or before a dash or colon, as some gateways write it: `-20251211` for `-2025-12-11`. */
const withDashes = (name: string): string =>
  name.replaceAll(/-(20\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=[-:]|$)/gu, "-$1-$2-$3")

/** What a rule says of a name in lower case. */
const fitting = (rule: NameRule): ((name: string) => boolean) => {
  if ("equals" in rule) return (name) => name === rule.equals
  if ("starts" in rule) return (name) => name.startsWith(rule.starts)
  if ("ends" in rule) return (name) => name.endsWith(rule.ends)
  if ("contains" in rule) return (name) => name.includes(rule.contains)
  if ("regex" in rule) {
    const pattern = new RegExp(rule.regex, "u")
    return (name) => pattern.test(name)
  }
  if ("or" in rule) {
    const any = rule.or.map(fitting)
    return (name) => any.some((fits) => fits(name))
  }
  const all = rule.and.map(fitting)
  return (name) => all.every((fits) => fits(name))
}
