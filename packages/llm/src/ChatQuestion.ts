import { encodeChat } from "@llm-saas/dialects/chat/ChatBody"
import { asksUsage, forwardChat, namesLimit } from "@llm-saas/dialects/chat/ChatForward"
import { isJsonObject, type Json, type JsonObject } from "@llm-saas/domain/Json"
import type { ModelRequest } from "@llm-saas/domain/ModelRequest"
import type { Reading } from "./ChatOutput.ts"
import type { Dialect, Ours } from "./Dialect.ts"
import type { Target } from "./Provider.ts"

/** A request as it is sent to a target, and how its answer is read. */
export interface Sending {
  readonly body: JsonObject
  /** The parameters in it that are ours. */
  readonly ours: Ours
  readonly reading: Omit<Reading, "newId">
}

type Limits = Pick<Target, "defaultMaxTokens" | "maxOutputTokens" | "model" | "temperature">

/**
 * A client's own body goes to a provider that speaks its dialect as it is, but for the model, the limit and the usage. Every other request
 * is put into the dialect, and always streamed. The body holds nothing that identifies the tenant or the user, unless the client put it
 * there.
 */
export const sendingOf = (dialect: Dialect, request: ModelRequest, target: Limits): Sending =>
  request.origin?.dialect === "chat"
    ? forwarded(dialect, request, request.origin.body, target)
    : translated(dialect, request, target)

const forwarded = (dialect: Dialect, request: ModelRequest, body: JsonObject, target: Limits): Sending => {
  const { limit, usage } = dialect
  const ownUsage = request.stream && usage && !asksUsage(body)
  const ownLimit = target.maxOutputTokens !== undefined && !namesLimit(body)
  const forwarding = { model: target.model, mostTokens: target.maxOutputTokens, limit, usage: ownUsage }
  return {
    body: forwardChat(body, forwarding),
    ours: new Set([...(ownUsage ? (["usage"] as const) : []), ...(ownLimit ? (["limit"] as const) : [])]),
    reading: {
      raw: request.stream ? "stream" : "whole",
      choices: request.sampling?.choices ?? 1,
      simple: false,
      ownUsage
    }
  }
}

const translated = (dialect: Dialect, request: ModelRequest, target: Limits): Sending => {
  const { limit, temperature, thoughts, usage } = dialect
  const { body } = encodeChat({ ...request, model: target.model, stream: true })
  const { max_tokens: asked, temperature: wished, messages, ...others } = body
  const { maxOutputTokens: most } = target
  const wanted = typeof asked === "number" ? asked : request.origin === undefined ? target.defaultMaxTokens : undefined
  const tokens = wanted === undefined ? most : Math.min(wanted, most ?? wanted)
  const heat = wished ?? (request.origin === undefined ? target.temperature : undefined)
  const hasThoughts = request.input.some(({ type }) => type === "reasoning")
  const ours = new Set<keyof Dialect>(["usage", "limit"])
  if (heat !== undefined) ours.add("temperature")
  if (hasThoughts) ours.add("thoughts")
  return {
    body: {
      model: target.model,
      messages: thoughts || !hasThoughts ? messages : withoutThoughts(messages),
      ...others,
      ...(usage ? { stream_options: { include_usage: true } } : {}),
      ...(tokens === undefined ? {} : { [limit]: tokens }),
      ...(temperature && heat !== undefined ? { temperature: heat } : {})
    },
    ours,
    reading: { choices: request.sampling?.choices ?? 1, simple: request.origin === undefined, ownUsage: true }
  }
}

const withoutThoughts = (messages: Json | undefined): Json | undefined =>
  Array.isArray(messages)
    ? messages.map((message: Json) => (isJsonObject(message) ? { ...message, reasoning_content: undefined } : message))
    : messages

/** The texts of a request, which the provider may quote in an error. */
export const textsIn = ({ input }: ModelRequest): ReadonlyArray<string> =>
  input.flatMap((item) => {
    switch (item.type) {
      case "message":
      case "tool_result":
        return item.parts.flatMap((part) => ("text" in part ? [part.text] : []))
      case "tool_call":
        return [item.arguments]
      case "reasoning":
        return [item.text]
    }
  })
