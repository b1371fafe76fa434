import type { ChatCompletionCreateParamsStreaming } from "openai/resources/chat/completions"
import type { Prompt } from "./Prompt.ts"
import { type ProviderError, says } from "./ProviderError.ts"

/** The parameters a provider accepts. All providers accept `POST /chat/completions`, but they refuse different parameters. */
export interface Dialect {
  /** Whether to request token counts with `stream_options`. Older servers refuse the field. */
  readonly usage: boolean
  /** The name of the token limit. OpenAI's newer models refuse `max_tokens`, which all other servers use. */
  readonly limit: "max_tokens" | "max_completion_tokens"
  /** Whether a temperature may be set. Reasoning models refuse it. */
  readonly temperature: boolean
}

/** Accepted by most servers. */
export const COMMON: Dialect = { usage: true, limit: "max_tokens", temperature: true }

/**
 * The next dialect to try after a server refused with 400 or 422; undefined if the refusal names none of the parameters that can be
 * changed. A parameter is named by a field of the error, or by its message unless the question (`asked`) contains the same words,
 * because servers quote questions. Each step removes a parameter, so the retries end.
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

/**
 * The next dialect to try for this question alone, and not to learn: where a message names a parameter with words that the question
 * contains too, so that it may only quote them. What costs least if it was a quote comes first, and the token counts last.
 */
export const doubtfulDialect = (dialect: Dialect, error: ProviderError): Dialect | undefined => {
  // Unless a field names another parameter.
  const names = (parameter: string, words: RegExp): boolean =>
    (error.parameters.size === 0 || error.parameters.has(parameter)) && says(error, words, [])
  if (dialect.temperature && names("temperature", /temperature/giu)) return { ...dialect, temperature: false }
  if (dialect.limit === "max_tokens" && names("max_tokens", /max_completion_tokens/giu))
    return { ...dialect, limit: "max_completion_tokens" }
  if (dialect.usage && names("stream_options", /stream_options|include_usage/giu)) return { ...dialect, usage: false }
  return undefined
}

/** How a question is sent. `certain`: without what was tried for it alone, because a question must not decide how others are sent. */
interface Sent {
  readonly dialect: Dialect
  readonly certain: Dialect
}

/** How the question is sent again after a refusal; undefined if the refusal names none of the parameters that can be changed. */
export const withoutRefused = (
  { certain, dialect }: Sent,
  error: ProviderError,
  asked: ReadonlyArray<string>
): Sent | undefined => {
  const sure = fallbackDialect(dialect, error, asked)
  if (sure !== undefined) return { dialect: sure, certain: fallbackDialect(certain, error, asked) ?? certain }
  const doubtful = doubtfulDialect(dialect, error)
  return doubtful === undefined ? undefined : { dialect: doubtful, certain }
}

/** Whether the parameter's name is refused, not its value. */
const isUnknown = ({ codes, parameters }: ProviderError, parameter: string): boolean =>
  parameters.has(parameter)
  && ["unsupported_parameter", "unknown_parameter", "extra_forbidden", "value_error.extra"].some((code) =>
    codes.has(code)
  )

/** Combines what two questions learned: a parameter refused for either is not sent again. */
export const both = (one: Dialect, other: Dialect): Dialect => ({
  usage: one.usage && other.usage,
  limit: one.limit === "max_tokens" ? other.limit : one.limit,
  temperature: one.temperature && other.temperature
})

/** The parameters a server refused, for the log. */
export const refused = ({ limit, temperature, usage }: Dialect): ReadonlyArray<string> => [
  ...(usage ? [] : ["stream_options"]),
  ...(limit === "max_tokens" ? [] : ["max_tokens"]),
  ...(temperature ? [] : ["temperature"])
]

/** The model and its parameters. */
export interface Asked {
  readonly model: string
  /** Maximum tokens of the answer. Undefined: the model's own. */
  readonly maxOutputTokens: number | undefined
  /** Undefined: the model's default. */
  readonly temperature: number | undefined
}

/** The request's body. It holds nothing that identifies the tenant or the user. */
export const bodyOf = (
  dialect: Dialect,
  { maxOutputTokens, model, temperature }: Asked,
  prompt: Prompt
): ChatCompletionCreateParamsStreaming => ({
  model,
  messages: prompt.map(({ content, role }) => ({ role, content })),
  stream: true,
  ...(dialect.usage ? { stream_options: { include_usage: true } } : {}),
  ...(maxOutputTokens === undefined ? {} : { [dialect.limit]: maxOutputTokens }),
  ...(dialect.temperature && temperature !== undefined ? { temperature } : {})
})
