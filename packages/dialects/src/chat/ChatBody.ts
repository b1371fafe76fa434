import { isJsonObject, type Json, type JsonObject } from "@llm-saas/domain/Json"
import type { AnswerFormat, InputItem, ModelRequest, Part, Reasoning, Sampling } from "@llm-saas/domain/ModelRequest"
import type { Dropped, Drops } from "./Dropped.ts"
import { chatPartOf } from "./ChatParts.ts"
import { chatToolChoiceOf, chatToolOf, known } from "./ChatTools.ts"

/** A request in the words of Chat Completions. */
export interface ChatEncoded {
  readonly body: JsonObject
  readonly dropped: ReadonlySet<Dropped>
}

/**
 * Writes a request as a body of Chat Completions. Where the request comes from that dialect, its own body is used instead of this one. It
 * has no `stream_options` and its limit is `max_tokens`: what a server takes of these is known to the provider only.
 */
export const encodeChat = (request: ModelRequest): ChatEncoded => {
  const dropped: Drops = new Set()
  const tools = request.tools?.flatMap((tool) => kept(chatToolOf(tool), "tools of another dialect", dropped))
  const { toolChoice } = request
  const hasTools = tools !== undefined && tools.length > 0
  const body = known({
    model: request.model,
    messages: messagesOf(request.input, dropped),
    ...(hasTools ? { tools } : {}),
    // Servers refuse a choice of tools without tools.
    ...(hasTools && toolChoice !== undefined
      ? { tool_choice: kept(chatToolChoiceOf(toolChoice), "tool choice of another dialect", dropped)[0] }
      : {}),
    ...(hasTools ? { parallel_tool_calls: request.parallelToolCalls } : {}),
    response_format: request.format === undefined ? undefined : formatOf(request.format),
    ...(request.sampling === undefined ? {} : samplingOf(request.sampling, dropped)),
    max_tokens: request.maxTokens,
    ...(request.reasoning === undefined ? {} : reasoningOf(request.reasoning, dropped)),
    stream: request.stream
  })
  return { body, dropped }
}

const kept = (value: Json | undefined, name: Dropped, dropped: Drops): ReadonlyArray<Json> => {
  if (value !== undefined) return [value]
  dropped.add(name)
  return []
}

const formatOf = (format: AnswerFormat): JsonObject => {
  switch (format.type) {
    case "text":
      return { type: "text" }
    case "json":
      return { type: "json_object" }
    case "schema": {
      const { description, name, schema, strict } = format
      return { type: "json_schema", json_schema: known({ name, description, schema, strict }) }
    }
  }
}

const samplingOf = (sampling: Sampling, dropped: Drops): JsonObject => {
  // OpenAI refuses it.
  if (sampling.topK !== undefined) dropped.add("top_k")
  return {
    temperature: sampling.temperature,
    top_p: sampling.topP,
    seed: sampling.seed,
    stop: sampling.stop,
    frequency_penalty: sampling.frequencyPenalty,
    presence_penalty: sampling.presencePenalty,
    n: sampling.choices,
    logprobs: sampling.logprobs,
    top_logprobs: sampling.topLogprobs
  }
}

const reasoningOf = ({ budgetTokens, effort, summary }: Reasoning, dropped: Drops): JsonObject => {
  if (summary !== undefined) dropped.add("form of thoughts")
  if (budgetTokens === undefined) return { reasoning_effort: effort }
  dropped.add("budget of thoughts")
  return { reasoning_effort: effort ?? effortOf(budgetTokens) }
}

/** Words for numbers of tokens, as other gateways have them. */
const effortOf = (budgetTokens: number): string =>
  budgetTokens <= 1024 ? "low" : budgetTokens <= 8192 ? "medium" : "high"

/** An assistant's turn as it is put together: thoughts, texts and calls of one turn are one message. */
interface Turn {
  name?: string | undefined
  readonly reasoning: Array<string>
  readonly parts: Array<JsonObject>
  readonly refusals: Array<string>
  readonly calls: Array<JsonObject>
  audio?: Json | undefined
}

const messagesOf = (input: ReadonlyArray<InputItem>, dropped: Drops): ReadonlyArray<JsonObject> => {
  const messages: Array<JsonObject> = []
  let turn: Turn | undefined = undefined
  const open = (): Turn => (turn ??= { reasoning: [], parts: [], refusals: [], calls: [] })
  // Parts of tools' results that are no text. No message may stand between the results of one turn.
  let shown: Array<JsonObject> = []
  const close = () => {
    if (turn !== undefined) messages.push(assistantOf(turn))
    turn = undefined
  }
  const show = () => {
    if (shown.length > 0) messages.push({ role: "user", content: shown })
    shown = []
  }
  for (const item of input) {
    if (item.type !== "tool_result") show()
    switch (item.type) {
      case "reasoning":
        // Thoughts begin a turn.
        if (turn !== undefined && hasSaid(turn)) close()
        if (item.text !== "") open().reasoning.push(item.text)
        if (item.signature !== undefined) dropped.add("signatures of thoughts")
        if (item.encrypted !== undefined) dropped.add("encrypted thoughts")
        break
      case "tool_call":
        open().calls.push(callOf(item))
        break
      case "tool_result":
        close()
        messages.push(resultOf(item, dropped))
        shown.push(...keptParts(item.parts.filter(isShown), dropped))
        break
      case "message":
        if (item.role === "assistant") {
          if (turn !== undefined && hasSaid(turn)) close()
          say(open(), item.parts, dropped)
          if (item.name !== undefined) open().name = item.name
        } else {
          close()
          messages.push(messageOf(item.role, item.parts, item.name, dropped))
        }
        break
    }
  }
  close()
  show()
  return messages
}

const hasSaid = ({ audio, calls, parts, refusals }: Turn): boolean =>
  parts.length + refusals.length + calls.length > 0 || audio !== undefined

const say = (turn: Turn, parts: ReadonlyArray<Part>, dropped: Drops): void => {
  for (const part of parts) {
    if (part.type === "refusal") turn.refusals.push(part.text)
    else if (part.type === "foreign" && part.dialect === "chat" && isJsonObject(part.value) && "audio" in part.value)
      turn.audio = part.value["audio"]
    else turn.parts.push(...keptParts([part], dropped))
  }
}

const assistantOf = ({ audio, calls, name, parts, reasoning, refusals }: Turn): JsonObject => {
  const content = contentOf(parts)
  return known({
    role: "assistant",
    name,
    ...(reasoning.length === 0 ? {} : { reasoning_content: reasoning.join("\n") }),
    content: content === "" && (calls.length > 0 || refusals.length > 0 || audio !== undefined) ? null : content,
    ...(refusals.length === 0 ? {} : { refusal: refusals.join("\n") }),
    audio,
    ...(calls.length === 0 ? {} : { tool_calls: calls })
  })
}

const callOf = (call: InputItem & { readonly type: "tool_call" }): JsonObject =>
  call.custom === true
    ? { id: call.id, type: "custom", custom: { name: call.name, input: call.arguments } }
    : { id: call.id, type: "function", function: { name: call.name, arguments: call.arguments } }

/** The result of a tool is text in Chat Completions: its images follow as a user's message. */
const resultOf = ({ failed, id, parts }: InputItem & { readonly type: "tool_result" }, dropped: Drops): JsonObject => {
  if (failed === true) dropped.add("failed results")
  const texts = parts.flatMap((part) => (isShown(part) ? [] : [{ type: "text", text: part.text }]))
  return { role: "tool", tool_call_id: id, content: contentOf(texts) }
}

type TextPart = Extract<Part, { readonly type: "text" | "refusal" }>

const isShown = (part: Part): part is Exclude<Part, TextPart> => part.type !== "text" && part.type !== "refusal"

const messageOf = (role: string, parts: ReadonlyArray<Part>, name: string | undefined, dropped: Drops): JsonObject => {
  const [only] = parts
  // A message of a role that is not known is kept as it is.
  if (parts.length === 1 && only?.type === "foreign" && only.dialect === "chat") {
    if (isJsonObject(only.value) && typeof only.value["role"] === "string") return only.value
  }
  return known({ role, name, content: contentOf(keptParts(parts, dropped)) })
}

const keptParts = (parts: ReadonlyArray<Part>, dropped: Drops): ReadonlyArray<JsonObject> =>
  parts.flatMap((part) => {
    const written = chatPartOf(part)
    if (written === undefined) dropped.add(part.type === "image" ? "image ids" : "parts of another dialect")
    return written === undefined ? [] : [written]
  })

/** One text alone is sent as a string, which every server takes. */
const contentOf = (parts: ReadonlyArray<JsonObject>): Json => {
  const [only] = parts
  if (parts.length === 0) return ""
  return parts.length === 1 && only?.["type"] === "text" && Object.keys(only).length === 2
    ? (only["text"] ?? "")
    : parts
}
