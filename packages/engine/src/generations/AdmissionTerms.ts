import type { AdmissionTerms } from "@llm-saas/database/Tenancy"
import { itemize, type PriceList, worstCase } from "@llm-saas/domain/Price"
import { perOne } from "@llm-saas/domain/Decimal"
import { BigDecimal } from "effect"
import type { Price } from "./GenerationRecord.ts"
import type { Estimate } from "./Llm.ts"

/**
 * What the database admits a question by: the tokens that count against limits of the minute, and the most it may cost. `earlier`: tokens of
 * earlier turns that may go with it.
 */
export const termsOf = (
  { input, inputAtMost, outputAtMost }: Estimate,
  prices: PriceList | undefined,
  earlier: number
): AdmissionTerms => {
  const worst = prices === undefined ? undefined : worstCase(inputAtMost + earlier, outputAtMost, prices)
  const [ofInput, ofOutput] = itemize({ input: 1, output: 1 }, prices)
  return {
    estimate: input + outputAtMost,
    ...(worst === undefined ? {} : { worst }),
    ...(prices === undefined || ofInput === undefined || ofOutput === undefined
      ? {}
      : { prices: { input: priceOf(ofInput), output: priceOf(ofOutput) } })
  }
}

const priceOf = ({ price, price_id }: { readonly price: string | null; readonly price_id: string | null }) => ({
  price_id,
  price
})

/** The prices of the environment, for one token each. */
export const pricesOf = (price: Price | undefined): PriceList | undefined =>
  price === undefined
    ? undefined
    : (["input", "output"] as const).map((unit) => ({
        id: null,
        unit,
        tierStart: 0,
        price: perOne(BigDecimal.format(BigDecimal.fromNumberUnsafe(price[unit])), 1_000_000)
      }))
