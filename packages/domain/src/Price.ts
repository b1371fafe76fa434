import { BigDecimal } from "effect"
import { type Decimal, parse, plain } from "./Decimal.ts"
import type { Usage } from "./Usage.ts"

/** What is paid for. Each token is counted in one of them. */
export const UNITS = [
  "input",
  "cache_read",
  /** For five minutes, or where the provider names no time. */
  "cache_write",
  "cache_write_1h",
  "input_audio",
  "input_image",
  "output",
  "reasoning",
  "output_audio",
  /** Web searches. */
  "searches",
  /** Requests, where a provider takes money for each beside its tokens. */
  "requests"
] as const
export type Unit = (typeof UNITS)[number]

export interface Price {
  /** The price's row in the database; null: it is of the configuration. */
  readonly id: string | null
  readonly unit: Unit
  /** It is paid for all tokens of a request with more tokens of input than these. */
  readonly tierStart: number
  /** US dollars for one. */
  readonly price: Decimal
}

/** The prices of one model at one time. */
export type PriceList = ReadonlyArray<Price>

/** What was used of a unit in one call of a provider, and its price. In the spelling of `app.ledger.items`. */
export interface UsageItem {
  readonly unit: Unit
  /** More than zero. */
  readonly quantity: number
  readonly price_id: string | null
  /** US dollars for one; null: not known, or not paid by the installation. */
  readonly price: Decimal | null
}

/** Where a unit has no price of its own, it costs what the next one does. */
const PAID_AS: Readonly<Record<Unit, ReadonlyArray<Unit>>> = {
  input: ["input"],
  cache_read: ["cache_read", "input"],
  cache_write: ["cache_write", "input"],
  cache_write_1h: ["cache_write_1h", "cache_write", "input"],
  input_audio: ["input_audio", "input"],
  input_image: ["input_image", "input"],
  output: ["output"],
  reasoning: ["reasoning", "output"],
  output_audio: ["output_audio", "output"],
  searches: ["searches"],
  requests: ["requests"]
}

/** The price of a unit in a request with so much input: that of the highest step that the input is past. */
export const priceOf = (unit: Unit, input: number, prices: PriceList): Price | undefined => {
  for (const name of PAID_AS[unit]) {
    let found: Price | undefined
    for (const price of prices)
      if (
        price.unit === name
        && (price.tierStart === 0 || input > price.tierStart)
        && (found === undefined || price.tierStart > found.tierStart)
      )
        found = price
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * What was used, each token once. A provider's details may overlap (audio of a cache is both), and do not say by how much: then they are
 * counted in the order below, and none beyond the whole.
 */
const quantitiesOf = ({ details = {}, input, output }: Usage): ReadonlyArray<readonly [Unit, number]> => {
  const parts = (whole: number, ...named: ReadonlyArray<readonly [Unit, number | undefined]>) => {
    let left = whole
    const counted = named.map(([unit, quantity = 0]): readonly [Unit, number] => {
      const part = Math.min(quantity, left)
      left -= part
      return [unit, part]
    })
    return { counted, left }
  }
  const ins = parts(
    input,
    ["cache_read", details.cacheRead],
    ["cache_write_1h", details.cacheWrite1h],
    ["cache_write", details.cacheWrite],
    ["input_audio", details.audioInput],
    ["input_image", details.imageInput]
  )
  const outs = parts(output, ["output_audio", details.audioOutput], ["reasoning", details.reasoning])
  return [
    ["input", ins.left],
    ...ins.counted,
    ["output", outs.left],
    ...outs.counted,
    ["searches", details.searches ?? 0]
  ]
}

/** What a call of a provider used, with prices; without a list, no price is known. */
export const itemize = (usage: Usage, prices: PriceList | undefined): ReadonlyArray<UsageItem> => {
  const items: Array<UsageItem> = []
  const add = (unit: Unit, quantity: number, price: Price | undefined) => {
    if (quantity > 0) items.push({ unit, quantity, price_id: price?.id ?? null, price: price?.price ?? null })
  }
  for (const [unit, quantity] of quantitiesOf(usage)) add(unit, quantity, priceOf(unit, usage.input, prices ?? []))
  const request = priceOf("requests", usage.input, prices ?? [])
  if (request !== undefined) add("requests", 1, request)
  return items
}

/** US dollars; undefined where a price is not known. */
export const amountOf = (items: ReadonlyArray<UsageItem>): Decimal | undefined => {
  let sum = ZERO
  for (const { price, quantity } of items) {
    if (price === null) return undefined
    sum = BigDecimal.sum(sum, times(price, quantity))
  }
  return plain(sum)
}

/** What of a request decides which units it may be paid by. */
export interface Parts {
  readonly audio?: boolean
  readonly image?: boolean
  /** Whether it asks for a cache of an hour. */
  readonly cacheHour?: boolean
  /** Whether the answer may be spoken. */
  readonly speaks?: boolean
}

/**
 * The most that so many tokens can cost, US dollars: all of them of the dearest unit that they may be, on the dearest step up to `input`.
 * Searches are not in it: their number is not known before. Undefined: a price is not known.
 */
export const worstCase = (input: number, output: number, prices: PriceList, parts: Parts = {}): Decimal | undefined => {
  const ins: ReadonlyArray<Unit> = [
    "input",
    "cache_read",
    "cache_write",
    ...(parts.cacheHour === true ? (["cache_write_1h"] as const) : []),
    ...(parts.audio === true ? (["input_audio"] as const) : []),
    ...(parts.image === true ? (["input_image"] as const) : [])
  ]
  const outs: ReadonlyArray<Unit> = [
    "output",
    "reasoning",
    ...(parts.speaks === true ? (["output_audio"] as const) : [])
  ]
  const one = input > 0 ? dearest(ins, input, prices) : ZERO
  const other = output > 0 ? dearest(outs, input, prices) : ZERO
  if (one === undefined || other === undefined) return undefined
  const request = dearest(["requests"], input, prices) ?? ZERO
  return plain(BigDecimal.sumAll([scaled(one, input), scaled(other, output), request]))
}

const dearest = (units: ReadonlyArray<Unit>, input: number, prices: PriceList): BigDecimal.BigDecimal | undefined => {
  let found: BigDecimal.BigDecimal | undefined
  const steps = new Set([0, ...prices.map(({ tierStart }) => tierStart).filter((start) => start < input)])
  for (const unit of units)
    for (const step of steps) {
      const price = priceOf(unit, step + 1, prices)
      // Each of these units is paid as the first, where it has no price of its own.
      if (price === undefined) return undefined
      const amount = parse(price.price)
      if (found === undefined || BigDecimal.isGreaterThan(amount, found)) found = amount
    }
  return found
}

const ZERO = BigDecimal.fromBigInt(0n)
const scaled = (price: BigDecimal.BigDecimal, quantity: number) =>
  BigDecimal.multiply(price, BigDecimal.fromBigInt(BigInt(quantity)))
const times = (price: Decimal, quantity: number) => scaled(parse(price), quantity)
