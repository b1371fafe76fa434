import { approximateTokens } from "@llm-saas/domain/Message"
import { type ModelRequest, ofTexts } from "@llm-saas/domain/ModelRequest"

/** One turn of a conversation. */
export interface Turn {
  readonly role: "user" | "assistant"
  readonly content: string
}

/** An earlier question of the conversation and its answer. */
export interface AnsweredQuestion {
  readonly content: string
  readonly response: string
}

/**
 * The prompt: the question, and before it as many of the latest messages as fit into `budget` tokens. Exchanges are not split, so no
 * answer stands without its question. Sizes are estimated by {@link approximateTokens}; the question itself is always included.
 */
export const promptOf = (
  history: ReadonlyArray<AnsweredQuestion>,
  question: string,
  budget: number
): ReadonlyArray<Turn> => {
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

/** A request with the turns before its question: after its instructions. */
export const withHistory = (
  request: ModelRequest,
  history: ReadonlyArray<AnsweredQuestion>,
  question: string,
  budget: number
): ModelRequest => {
  const turns = promptOf(history, question, budget).slice(0, -1)
  if (turns.length === 0) return request
  const first = request.input.findIndex(
    (item) => item.type !== "message" || (item.role !== "system" && item.role !== "developer")
  )
  const at = first === -1 ? request.input.length : first
  return {
    ...request,
    input: [...request.input.slice(0, at), ...ofTexts(request.model, turns).input, ...request.input.slice(at)]
  }
}

/** Only white space, control and format characters (Unicode categories). */
const isBlank = (text: string): boolean => !/[^\s\p{Cc}\p{Cf}\p{Z}]/u.test(text)
