import { approximateTokens } from "@llm-saas/domain/Message"
import type { Prompt, Turn } from "./Llm.ts"

/** An earlier question of the conversation and its answer. */
export interface AnsweredQuestion {
  readonly content: string
  readonly response: string
}

/**
 * The prompt: the question, and before it as many of the latest messages as fit into `budget` tokens. Exchanges are not split, so no
 * answer stands without its question. Sizes are estimated by {@link approximateTokens}; the question itself is always included.
 */
export const promptOf = (history: ReadonlyArray<AnsweredQuestion>, question: string, budget: number): Prompt => {
  const turns: Array<Turn> = [{ role: "user", content: question }]
  let left = budget
  for (const { content, response } of history.toReversed()) {
    if (isBlank(content) || isBlank(response)) continue
    left -= approximateTokens(content) + approximateTokens(response)
    if (left < 0) break
    turns.unshift({ role: "user", content }, { role: "assistant", content: response })
  }
  return turns
}

/** Only white space, control and format characters (Unicode categories). */
const isBlank = (text: string): boolean => !/[^\s\p{Cc}\p{Cf}\p{Z}]/u.test(text)
