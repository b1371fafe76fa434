import type { AnswerAccount } from "@llm-saas/database/GenerationStore"
import type { Attempt } from "@llm-saas/domain/Attempt"
import { amountOf, itemize } from "@llm-saas/domain/Price"
import type { Usage } from "@llm-saas/domain/Usage"
import type { PriceBook } from "../prices/PriceBook.ts"

/**
 * What an answer used, of all calls. A call costs what its provider counted; the last one, where the provider did not, what of it was
 * delivered: `approx`, undefined if that is nothing. `usage`: of the answer, which is that of its last call.
 */
export const accountOf = (
  attempts: ReadonlyArray<Attempt>,
  usage: Usage | undefined,
  approx: Usage | undefined,
  book: PriceBook["Service"]
): { readonly stored: AnswerAccount; readonly cost: number | null } => {
  const last = attempts.length - 1
  const used = attempts.flatMap(({ keySource, pricing, serviceTier, startedAt, usage: own }, index) => {
    const counted = own ?? (index === last ? usage : undefined)
    const found = counted ?? (index === last ? approx : undefined)
    if (found === undefined) return []
    const paid = keySource === "installation"
    const prices = paid && pricing !== undefined ? book.pricesOf(pricing, startedAt, serviceTier) : undefined
    const items = itemize(found, prices).map((item) => ({
      attempt: index + 1,
      ...item,
      ...(counted === undefined ? { estimated: true } : {})
    }))
    return [{ items, paid, tokens: found.input + found.output }]
  })
  const payable = used.filter(({ paid }) => paid).flatMap(({ items }) => items)
  const amount = used.length === 0 ? undefined : amountOf(payable)
  return {
    stored: {
      items: used.flatMap(({ items }) => items),
      priced: amount !== undefined,
      tokens_used: used.reduce((sum, { tokens }) => sum + tokens, 0)
    },
    cost: amount === undefined ? null : Number(amount)
  }
}
