import { isJsonObject, type JsonObject } from "@llm-saas/domain/Json"
import type { InputItem, MessageItem, Part, ReasoningItem } from "@llm-saas/domain/ModelRequest"
import { isList, type RequestFields } from "../RequestFields.ts"
import { partsOf } from "./ChatParts.ts"

/** The items of `messages`. A role that is not known is a user's message with a part that only Chat Completions knows. */
export const inputOf = (body: RequestFields): ReadonlyArray<InputItem> => {
  const messages = body.objects("messages")
  if (messages.length === 0) body.mistakes.add("messages", "`messages` must be a list with at least one message.")
  // Calls of functions had no ids before there were tools: the latest call of each name.
  const legacy = new Map<string, string>()
  return messages.flatMap((message, index) => itemsOf(message, index, legacy))
}

const itemsOf = (message: RequestFields, index: number, legacy: Map<string, string>): ReadonlyArray<InputItem> => {
  const role = message.needed("role")
  switch (role) {
    case "system":
    case "developer":
    case "user": {
      const path = message.path("content")
      if (!message.has("content")) message.mistakes.add(path, `\`${path}\` is missing.`)
      return [{ type: "message", role, parts: partsOf(message), ...named(message) }]
    }
    case "assistant":
      return assistantItems(message, index, legacy)
    case "tool":
      return [{ type: "tool_result", id: message.needed("tool_call_id"), parts: partsOf(message) }]
    case "function": {
      const name = message.needed("name")
      return [{ type: "tool_result", id: legacy.get(name) ?? legacyId(name), parts: partsOf(message) }]
    }
    default:
      return [{ type: "message", role: "user", parts: [{ type: "foreign", dialect: "chat", value: message.object }] }]
  }
}

const named = (message: RequestFields): Pick<MessageItem, "name"> => {
  const name = message.text("name")
  return name === undefined ? {} : { name }
}

const legacyId = (name: string) => `call_${name}`

const assistantItems = (
  message: RequestFields,
  index: number,
  legacy: Map<string, string>
): ReadonlyArray<InputItem> => {
  const calls = [...message.objects("tool_calls").map(callItem), ...legacyCall(message, index, legacy)]
  const parts = assistantParts(message, calls.length > 0)
  const said: ReadonlyArray<InputItem> =
    parts.length === 0 && calls.length > 0 ? [] : [{ type: "message", role: "assistant", parts, ...named(message) }]
  return [...thoughtsOf(message.object), ...said, ...calls]
}

/** An empty text beside calls says nothing, and other dialects refuse it. */
const assistantParts = (message: RequestFields, calls: boolean): ReadonlyArray<Part> => {
  const content = partsOf(message).filter((part) => !(calls && part.type === "text" && part.text === ""))
  const refusal = message.text("refusal")
  const audio = message.fields("audio")
  return [
    ...content,
    ...(refusal === undefined || refusal === "" ? [] : [{ type: "refusal", text: refusal } as const]),
    ...(audio === undefined ? [] : [{ type: "foreign", dialect: "chat", value: { audio: audio.object } } as const])
  ]
}

const callItem = (call: RequestFields): InputItem => {
  const id = call.needed("id")
  const custom = call.text("type") === "custom" ? call.fields("custom") : undefined
  if (custom !== undefined)
    return { type: "tool_call", id, name: custom.needed("name"), arguments: custom.text("input") ?? "", custom: true }
  const called = call.fields("function")
  if (called === undefined) {
    const path = call.path("function")
    call.mistakes.add(path, `\`${path}\` is missing.`)
    return { type: "tool_call", id, name: "", arguments: "" }
  }
  return { type: "tool_call", id, name: called.needed("name"), arguments: argumentsOf(called) }
}

/** Some clients send the arguments as the object that the text should hold. */
const argumentsOf = (called: RequestFields): string => {
  const value = called.value("arguments")
  return isJsonObject(value) ? JSON.stringify(value) : (called.text("arguments") ?? "")
}

const legacyCall = (message: RequestFields, index: number, legacy: Map<string, string>): ReadonlyArray<InputItem> => {
  const called = message.fields("function_call")
  if (called === undefined) return []
  const name = called.needed("name")
  const id = `${legacyId(name)}_${index}`
  legacy.set(name, id)
  return [{ type: "tool_call", id, name, arguments: argumentsOf(called) }]
}

/**
 * Thoughts of an earlier turn: `thinking_blocks` (as Anthropic has them) or `reasoning_details` (as OpenRouter has them), which keep
 * signatures; else the text under one of its names.
 */
const thoughtsOf = (message: JsonObject): ReadonlyArray<ReasoningItem> => {
  for (const list of [message["thinking_blocks"], message["reasoning_details"]]) {
    const blocks = isList(list) ? list.flatMap((block) => (isJsonObject(block) ? blockOf(block) : [])) : []
    if (blocks.length > 0) return blocks
  }
  const text = [message["reasoning_content"], message["reasoning"]].find(isText)
  return text === undefined ? [] : [{ type: "reasoning", text }]
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== ""

const blockOf = (block: JsonObject): ReadonlyArray<ReasoningItem> => {
  const { data, signature, summary, text, thinking } = block
  const said = [thinking, text, summary].find(isText)
  if (said === undefined && isText(data)) return [{ type: "reasoning", text: "", encrypted: data }]
  if (said === undefined && !isText(signature)) return []
  return [{ type: "reasoning", text: said ?? "", ...(isText(signature) ? { signature } : {}) }]
}
