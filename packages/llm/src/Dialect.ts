import { type ProviderError, says } from "./ProviderError.ts"

/** The parameters a provider accepts. All providers accept `POST /chat/completions`, but they refuse different parameters. */
export interface Dialect {
  /** Whether to request token counts with `stream_options`. Older servers refuse the field. */
  readonly usage: boolean
  /** The name of the token limit. OpenAI's newer models refuse `max_tokens`, which all other servers use. */
  readonly limit: "max_tokens" | "max_completion_tokens"
  /** Whether a temperature may be set. Reasoning models refuse it. */
  readonly temperature: boolean
  /** Whether earlier thoughts may be sent back as `reasoning_content`. */
  readonly thoughts: boolean
}

/** Accepted by most servers. */
export const COMMON: Dialect = { usage: true, limit: "max_tokens", temperature: true, thoughts: true }

/** The parameters of a request that are ours to leave out. What the client wrote itself is refused to the client. */
export type Ours = ReadonlySet<keyof Dialect>

const ALL: Ours = new Set(["usage", "limit", "temperature", "thoughts"])

/**
 * The next dialect to try after a server refused with 400 or 422; undefined if the refusal names none of the parameters that can be
 * changed. A parameter is named by a field of the error, or by its message unless the question (`asked`) contains the same words,
 * because servers quote questions. Each step removes a parameter, so the retries end.
 */
export const fallbackDialect = (
  dialect: Dialect,
  error: ProviderError,
  asked: ReadonlyArray<string>,
  ours: Ours = ALL
): Dialect | undefined => {
  const { limit, temperature, thoughts, usage } = changeable(dialect, ours)
  if (usage && (error.parameters.has("stream_options") || says(error, /stream_options|include_usage/giu, asked)))
    return { ...dialect, usage: false }
  if (limit && (isUnknown(error, "max_tokens") || says(error, /max_completion_tokens/giu, asked)))
    return { ...dialect, limit: "max_completion_tokens" }
  if (temperature && (error.parameters.has("temperature") || says(error, /temperature/giu, asked)))
    return { ...dialect, temperature: false }
  if (thoughts && says(error, /reasoning_content/giu, asked)) return { ...dialect, thoughts: false }
  return undefined
}

/** What may still be changed. */
const changeable = (dialect: Dialect, ours: Ours) => ({
  usage: dialect.usage && ours.has("usage"),
  limit: dialect.limit === "max_tokens" && ours.has("limit"),
  temperature: dialect.temperature && ours.has("temperature"),
  thoughts: dialect.thoughts && ours.has("thoughts")
})

/**
 * The next dialect to try for this question alone, and not to learn: where a message names a parameter with words that the question
 * contains too, so that it may only quote them. What costs least if it was a quote comes first, and the token counts last.
 */
export const doubtfulDialect = (dialect: Dialect, error: ProviderError, ours: Ours = ALL): Dialect | undefined => {
  // Unless a field names another parameter.
  const names = (parameter: string, words: RegExp): boolean =>
    (error.parameters.size === 0 || error.parameters.has(parameter)) && says(error, words, [])
  const { limit, temperature, usage } = changeable(dialect, ours)
  if (temperature && names("temperature", /temperature/giu)) return { ...dialect, temperature: false }
  if (limit && names("max_tokens", /max_completion_tokens/giu)) return { ...dialect, limit: "max_completion_tokens" }
  if (usage && names("stream_options", /stream_options|include_usage/giu)) return { ...dialect, usage: false }
  return undefined
}

/** How a question is sent. `certain`: without what was tried for it alone, because a question must not decide how others are sent. */
export interface Sent {
  readonly dialect: Dialect
  readonly certain: Dialect
}

/** How the question is sent again after a refusal; undefined if the refusal names none of the parameters that can be changed. */
export const withoutRefused = (
  { certain, dialect }: Sent,
  error: ProviderError,
  asked: ReadonlyArray<string>,
  ours: Ours
): Sent | undefined => {
  const sure = fallbackDialect(dialect, error, asked, ours)
  if (sure !== undefined) return { dialect: sure, certain: fallbackDialect(certain, error, asked, ours) ?? certain }
  const doubtful = doubtfulDialect(dialect, error, ours)
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
  temperature: one.temperature && other.temperature,
  thoughts: one.thoughts && other.thoughts
})

/** The parameters a server refused, for the log. */
export const refused = ({ limit, temperature, thoughts, usage }: Dialect): ReadonlyArray<string> => [
  ...(usage ? [] : ["stream_options"]),
  ...(limit === "max_tokens" ? [] : ["max_tokens"]),
  ...(temperature ? [] : ["temperature"]),
  ...(thoughts ? [] : ["reasoning_content"])
]
