import type { AnswerAccount } from "@llm-saas/database/GenerationStore"
import type { Attempt } from "@llm-saas/domain/Attempt"
import { amountOf, itemize } from "@llm-saas/domain/Price"
import type { Ending } from "@llm-saas/domain/Generation"
import type { Usage } from "@llm-saas/domain/Usage"
import type { PriceBook } from "../prices/PriceBook.ts"

/**
 * What an answer used, of all calls. A call costs what its provider counted; the last one, where the provider did not, what of it was
 * delivered: `approx`. One that was cut short before anything came costs its input, if the provider had taken it. `usage`: of the answer,
 * which is that of its last call.
 */
export const accountOf = (
  attempts: ReadonlyArray<Attempt>,
  usage: Usage | undefined,
  approx: Usage,
  ending: Ending,
  book: PriceBook["Service"]
): { readonly stored: AnswerAccount; readonly cost: number | null } => {
  const last = attempts.length - 1
  const used = attempts.flatMap(({ keySource, pricing, serviceTier, startedAt, status, usage: own }, index) => {
    const counted = own ?? (index === last ? usage : undefined)
    const owed = approx.output > 0 || (isCutShort(ending) && isTaken(status))
    const found = counted ?? (index === last && owed ? approx : undefined)
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

const isTaken = (status: number | undefined): boolean => status !== undefined && status >= 200 && status < 300

const CUT: ReadonlySet<string> = new Set(["model_timeout", "model_cut"])

const isCutShort = (ending: Ending): boolean =>
  ending.status === "cancelled"
  || ending.status === "interrupted"
  || (ending.status === "failed" && CUT.has(ending.failure))
