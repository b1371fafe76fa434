import type { Prompt } from "@llm-saas/engine/Llm"

/** How a provider's server wants to be asked. They all take `POST /chat/completions`, and differ in what they refuse. */
export interface Dialect {
  /** Whether the tokens are asked for, with `stream_options`. Older servers know no such field. */
  readonly usage: boolean
  /** What the limit is called. OpenAI's newer models refuse the name that everybody else knows. */
  readonly limit: "max_tokens" | "max_completion_tokens"
  /** Whether a temperature may be named. Models that think have one of their own. */
  readonly temperature: boolean
}

/** What most servers take. */
export const COMMON: Dialect = { usage: true, limit: "max_tokens", temperature: true }

/**
 * How to ask instead, after a server refused with 400 or 422 and these words; undefined where they are about something else. Each
 * answer is a step further, so that asking again comes to an end.
 */
export const relent = (dialect: Dialect, words: string): Dialect | undefined => {
  if (dialect.usage && /stream_options|include_usage/u.test(words)) return { ...dialect, usage: false }
  if (dialect.limit === "max_tokens" && words.includes("max_completion_tokens"))
    return { ...dialect, limit: "max_completion_tokens" }
  // Not where a temperature out of range is meant: the operator is to hear of it, and 0 to 2 is what settings take.
  if (dialect.temperature && /temperature/u.test(words) && /support/u.test(words))
    return { ...dialect, temperature: false }
  return undefined
}

/** The model that is asked, and how. */
export interface Asked {
  readonly model: string
  /** Tokens of the answer at most. */
  readonly maxTokens: number
  readonly temperature: number
}

/** The body of the request: the text, and nothing that says whose it is. */
export const bodyOf = (dialect: Dialect, { maxTokens, model, temperature }: Asked, prompt: Prompt) => ({
  model,
  messages: prompt.map(({ content, role }) => ({ role, content })),
  stream: true as const,
  ...(dialect.usage ? { stream_options: { include_usage: true } } : {}),
  [dialect.limit]: maxTokens,
  ...(dialect.temperature ? { temperature } : {})
})
