import { perOne } from "@llm-saas/domain/Decimal"
import { type PriceList, type Unit, UNITS } from "@llm-saas/domain/Price"
import type { Pricing } from "@llm-saas/domain/Pricing"
import { BigDecimal, Option, Schema } from "effect"

/** US dollars: a number, or a decimal as text, which no number rounds. */
const dollars = Schema.Union([Schema.Finite, Schema.String]).check(
  Schema.makeFilter(
    (value) => {
      const amount = BigDecimal.fromString(String(value))
      return (
        Option.isSome(amount)
        && amount.value.value >= 0n
        && /^[\d.e-]{1,40}$/u.test(String(value))
        && BigDecimal.isLessThan(amount.value, BigDecimal.fromBigInt(1_000_000_000n))
      )
    },
    { expected: "US dollars such as 0.15, not negative" }
  )
)
const price = Schema.optionalKey(dollars)

/** What a model costs: for a million tokens, a thousand searches, a thousand requests. */
export const PriceEntry = Schema.Struct({
  input: dollars,
  output: price,
  cache_read: price,
  cache_write: price,
  cache_write_1h: price,
  input_audio: price,
  input_image: price,
  reasoning: price,
  output_audio: price,
  searches: price,
  requests: price
})
export type PriceEntry = typeof PriceEntry.Type

const PER: Readonly<Record<Unit, number>> = {
  input: 1_000_000,
  cache_read: 1_000_000,
  cache_write: 1_000_000,
  cache_write_1h: 1_000_000,
  input_audio: 1_000_000,
  input_image: 1_000_000,
  output: 1_000_000,
  reasoning: 1_000_000,
  output_audio: 1_000_000,
  searches: 1000,
  requests: 1000
}

export const priceListOf = (entry: PriceEntry): PriceList =>
  UNITS.flatMap((unit) => {
    const amount = entry[unit]
    return amount === undefined ? [] : [{ id: null, unit, tierStart: 0, price: perOne(String(amount), PER[unit]) }]
  })

/** `provider` or `provider/model`, of the price book. */
export const PLACE = /^[a-z0-9][a-z0-9._-]{0,99}(?:\/[\x21-\x7e]{1,200})?$/u

export const placeOf = (text: string): NonNullable<Pricing["listed"]> => {
  const slash = text.indexOf("/")
  return slash < 0 ? { provider: text } : { provider: text.slice(0, slash), model: text.slice(slash + 1) }
}
