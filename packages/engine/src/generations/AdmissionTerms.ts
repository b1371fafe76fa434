import type { AdmissionTerms } from "@llm-saas/database/AskedQuestion"
import type { ModelRequest } from "@llm-saas/domain/ModelRequest"
import type { PriceBook } from "../prices/PriceBook.ts"
import { worstCaseOf } from "../prices/WorstCase.ts"
import type { Estimate, ModelInfo } from "./Llm.ts"

/**
 * What the database admits a question by: the tokens that count against limits of the minute, and the most it may cost by the prices of
 * now, in milliseconds since 1970. `earlier`: tokens of earlier turns that may go with it.
 */
export const termsOf = (
  { input, inputAtMost, outputAtMost }: Estimate,
  model: ModelInfo,
  request: ModelRequest | undefined,
  earlier: number,
  book: PriceBook["Service"],
  now: number
): AdmissionTerms => {
  const forecast = worstCaseOf(book, now, model, request, inputAtMost + earlier, outputAtMost)
  if (forecast === undefined) return { estimate: input + outputAtMost }
  const { prices, worst } = forecast
  return {
    estimate: input + outputAtMost,
    worst,
    prices: { input: { ...prices.input, tokens: input }, output: { ...prices.output, tokens: outputAtMost } }
  }
}
