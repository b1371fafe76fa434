import type { JsonObject } from "@llm-saas/domain/Json"
import type {
  AnswerFormat,
  InputItem,
  ModelRequest,
  Reasoning,
  Sampling,
  Tool,
  ToolChoice
} from "@llm-saas/domain/ModelRequest"
import { type Mistake, Mistakes, type MistakeWords, RequestFields } from "../RequestFields.ts"
import { contentOf, itemsOf } from "./Blocks.ts"

/** What a body of `POST /v1/messages` is. */
export type MessagesDecoded =
  | { readonly type: "request"; readonly request: ModelRequest }
  | { readonly type: "mistake"; readonly mistake: Mistake }

/** Lower case. */
type Headers = Readonly<Record<string, string | undefined>>

/** Anthropic begins a message with the place that is wrong. */
const WORDS: MistakeWords = {
  wrong: (path, expected) => `${path}: Input should be ${expected}`,
  missing: (path) => `${path}: Field required`
}

/** Headers that belong to this dialect and go to a provider that speaks it. */
export const HEADERS = ["anthropic-version", "anthropic-beta"] as const

/**
 * The body of `POST /v1/messages` (https://platform.claude.com/docs/en/api/messages). Members that are not known pass: they stay in
 * `origin`, as do `cache_control`, `metadata` and what else only this dialect has.
 */
export const decodeMessages = (body: JsonObject, headers: Headers = {}): MessagesDecoded => read(body, headers, true)

/** The body of `POST /v1/messages/count_tokens`: the same, without `max_tokens`. */
export const decodeCount = (body: JsonObject, headers: Headers = {}): MessagesDecoded => read(body, headers, false)

const read = (body: JsonObject, headers: Headers, answered: boolean): MessagesDecoded => {
  const mistakes = new Mistakes(WORDS)
  const fields = new RequestFields(body, mistakes)
  const model = fields.needed("model")
  const maxTokens = fields.integer("max_tokens", 0)
  if (answered && !fields.has("max_tokens")) mistakes.missing("max_tokens")
  const input = [...systemOf(fields), ...turnsOf(fields)]
  const tools = fields.has("tools") ? fields.objects("tools").map(toolOf) : undefined
  const choice = fields.fields("tool_choice")
  const parallel = choice?.flag("disable_parallel_tool_use")
  const request: ModelRequest = {
    model,
    input,
    stream: fields.flag("stream") ?? false,
    origin: { dialect: "anthropic", body, headers: ownHeaders(headers) },
    ...(tools === undefined ? {} : { tools }),
    ...(choice === undefined ? {} : { toolChoice: choiceOf(choice) }),
    ...(parallel === true ? { parallelToolCalls: false } : {}),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...formatOf(fields),
    ...samplingOf(fields),
    ...reasoningOf(fields)
  }
  return mistakes.first === undefined ? { type: "request", request } : { type: "mistake", mistake: mistakes.first }
}

const ownHeaders = (headers: Headers): Readonly<Record<string, string>> =>
  Object.fromEntries(
    HEADERS.flatMap((name) => {
      const value = headers[name]
      return value === undefined || value === "" ? [] : [[name, value]]
    })
  )

const systemOf = (fields: RequestFields): ReadonlyArray<InputItem> => {
  const parts = contentOf(fields, "system").filter((part) => part.type !== "text" || part.text !== "")
  return parts.length === 0 ? [] : [{ type: "message", role: "system", parts }]
}

const turnsOf = (fields: RequestFields): ReadonlyArray<InputItem> => {
  if (!fields.has("messages")) {
    fields.mistakes.missing("messages")
    return []
  }
  const messages = fields.objects("messages")
  if (fields.list("messages")?.length === 0)
    fields.mistakes.add("messages", "messages: at least one message is required")
  return messages.flatMap((message) => {
    const role = message.needed("role")
    if (role === "user" || role === "assistant" || role === "system") return itemsOf(message, role)
    const path = message.path("role")
    fields.mistakes.wrong(path, "'user', 'assistant' or 'system'")
    return []
  })
}

/** A tool of the client, with or without `"type": "custom"`; those of other types are the provider's. */
const toolOf = (tool: RequestFields): Tool => {
  const type = tool.text("type")
  if (type !== undefined && type !== "custom") return { type: "foreign", dialect: "anthropic", value: tool.object }
  const description = tool.text("description")
  const parameters = tool.fields("input_schema")
  const strict = tool.flag("strict")
  return {
    type: "function",
    name: tool.needed("name"),
    ...(description === undefined ? {} : { description }),
    ...(parameters === undefined ? {} : { parameters: parameters.object }),
    ...(strict === undefined ? {} : { strict })
  }
}

const choiceOf = (choice: RequestFields): ToolChoice => {
  switch (choice.needed("type")) {
    case "auto":
      return { type: "auto" }
    case "any":
      return { type: "required" }
    case "none":
      return { type: "none" }
    case "tool":
      return { type: "tool", name: choice.needed("name") }
    default:
      return { type: "foreign", dialect: "anthropic", value: choice.object }
  }
}

/** `output_config.format`, or `output_format` as the beta of it was named. */
const formatOf = (fields: RequestFields): { readonly format?: AnswerFormat } => {
  const format = fields.fields("output_config")?.fields("format") ?? fields.fields("output_format")
  const schema = format?.value("type") === "json_schema" ? format.fields("schema") : undefined
  // This dialect has no name for it, and others need one.
  return schema === undefined ? {} : { format: { type: "schema", name: "answer", schema: schema.object, strict: true } }
}

const samplingOf = (fields: RequestFields): { readonly sampling?: Sampling } => {
  const temperature = fields.number("temperature")
  const topP = fields.number("top_p")
  const topK = fields.number("top_k")
  const stop = stopsOf(fields)
  const sampling: Sampling = {
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(topK === undefined ? {} : { topK }),
    ...(stop === undefined ? {} : { stop })
  }
  return Object.keys(sampling).length === 0 ? {} : { sampling }
}

const stopsOf = (fields: RequestFields): ReadonlyArray<string> | undefined =>
  fields.list("stop_sequences")?.flatMap((stop, index) => {
    if (typeof stop === "string") return [stop]
    fields.mistakes.wrong(fields.path(`stop_sequences.${index}`), "a string")
    return []
  })

/** `thinking`, and `output_config.effort`, whose `max` is more than other dialects have. */
const reasoningOf = (fields: RequestFields): { readonly reasoning?: Reasoning } => {
  const thinking = fields.fields("thinking")
  const effort = fields.fields("output_config")?.text("effort")
  if (thinking?.value("type") === "disabled") return { reasoning: { effort: "none" } }
  if (thinking === undefined && effort === undefined) return {}
  const budgetTokens = thinking?.integer("budget_tokens", 0)
  const summary = thinking?.text("display")
  return {
    reasoning: {
      ...(effort === undefined ? {} : { effort: effort === "max" ? "xhigh" : effort }),
      ...(budgetTokens === undefined ? {} : { budgetTokens }),
      ...(summary === undefined ? {} : { summary })
    }
  }
}
