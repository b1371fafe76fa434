import type { Prompt } from "@llm-saas/engine/generations/Llm"
import { type ProviderError, says } from "./ProviderError.ts"

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
 * How to ask instead, after a server refused with 400 or 422; undefined where the refusal names none of the parameters that can be
 * changed. What names one is a field of the error, or its message where the questions (`asked`) say nothing of the kind: servers quote
 * them. Each answer is a step further, so that asking again comes to an end.
 */
export const fallbackDialect = (
  dialect: Dialect,
  error: ProviderError,
  asked: ReadonlyArray<string>
): Dialect | undefined => {
  if (
    dialect.usage
    && (error.parameters.has("stream_options") || says(error, /stream_options|include_usage/giu, asked))
  )
    return { ...dialect, usage: false }
  if (
    dialect.limit === "max_tokens"
    && (isUnknown(error, "max_tokens") || says(error, /max_completion_tokens/giu, asked))
  )
    return { ...dialect, limit: "max_completion_tokens" }
  if (dialect.temperature && (error.parameters.has("temperature") || says(error, /temperature/giu, asked)))
    return { ...dialect, temperature: false }
  return undefined
}

/** Whether the parameter's name is refused, and not its value. */
const isUnknown = ({ codes, parameters }: ProviderError, parameter: string): boolean =>
  parameters.has(parameter)
  && ["unsupported_parameter", "unknown_parameter", "extra_forbidden", "value_error.extra"].some((code) =>
    codes.has(code)
  )

/** What two questions have learned: neither is asked again in a way that was refused. */
export const both = (one: Dialect, other: Dialect): Dialect => ({
  usage: one.usage && other.usage,
  limit: one.limit === "max_tokens" ? other.limit : one.limit,
  temperature: one.temperature && other.temperature
})

/** What a server was found not to take, for the log. */
export const refused = ({ limit, temperature, usage }: Dialect): ReadonlyArray<string> => [
  ...(usage ? [] : ["stream_options"]),
  ...(limit === "max_tokens" ? [] : ["max_tokens"]),
  ...(temperature ? [] : ["temperature"])
]

/** The model that is asked, and how. */
export interface Asked {
  readonly model: string
  /** Tokens of the answer at most. */
  readonly maxTokens: number
  /** Undefined: the model's own. */
  readonly temperature: number | undefined
}

/** The body of the request: the text, and nothing that says whose it is. */
export const bodyOf = (dialect: Dialect, { maxTokens, model, temperature }: Asked, prompt: Prompt) => ({
  model,
  messages: prompt.map(({ content, role }) => ({ role, content })),
  stream: true as const,
  ...(dialect.usage ? { stream_options: { include_usage: true } } : {}),
  [dialect.limit]: maxTokens,
  ...(dialect.temperature && temperature !== undefined ? { temperature } : {})
})
