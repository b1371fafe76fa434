import { isJsonObject, type JsonObject } from "@llm-saas/domain/Json"

/** What of a client's body is ours to say. */
export interface Forwarding {
  /** The upstream's name of the model. */
  readonly model: string
  /** Most tokens of an answer: a request for more, or for no number, asks for these. */
  readonly mostTokens: number | undefined
  /** The name of the limit where the client named none. */
  readonly limit: "max_tokens" | "max_completion_tokens"
  /** Whether a stream is asked to count its tokens. */
  readonly usage: boolean
}

const LIMITS = ["max_tokens", "max_completion_tokens"] as const

/** The body as it is sent to a provider that speaks the client's dialect: unchanged, but for the model, the limit and the usage. */
export const forwardChat = (body: JsonObject, { limit, model, mostTokens, usage }: Forwarding): JsonObject => ({
  ...body,
  model,
  ...(mostTokens === undefined ? {} : limitsOf(body, limit, mostTokens)),
  ...(usage && body["stream"] === true ? { stream_options: { ...optionsOf(body), include_usage: true } } : {})
})

const limitsOf = (body: JsonObject, limit: Forwarding["limit"], mostTokens: number): JsonObject => {
  const named = limitsIn(body)
  if (named.length === 0) return { [limit]: mostTokens }
  return Object.fromEntries(named.map((name) => [name, Math.min(Number(body[name]), mostTokens)]))
}

const limitsIn = (body: JsonObject) => LIMITS.filter((name) => typeof body[name] === "number")

/** Whether the client named a limit. */
export const namesLimit = (body: JsonObject): boolean => limitsIn(body).length > 0

const optionsOf = (body: JsonObject): JsonObject => {
  const options = body["stream_options"]
  return isJsonObject(options) ? options : {}
}

/** Whether the client asked for the usage of a stream. */
export const asksUsage = (body: JsonObject): boolean => optionsOf(body)["include_usage"] === true
