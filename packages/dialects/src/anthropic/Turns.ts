import { isJsonObject, type Json, type JsonObject } from "@llm-saas/domain/Json"
import type { InputItem, Part, Source } from "@llm-saas/domain/ModelRequest"
import { Result } from "effect"
import * as Base64 from "effect/encoding/Base64"
import { sourceOf } from "../DataUrl.ts"
import type { Drops } from "./Dropped.ts"
import { inputOf } from "./JsonText.ts"

/** The instructions of all system messages. This dialect has them apart from the turns. */
export const systemText = (input: ReadonlyArray<InputItem>, drops: Drops): string => {
  const place = input.findIndex((item) => !isSystem(item))
  if (place !== -1 && input.slice(place).some(isSystem)) drops.add("place of system messages")
  return input
    .flatMap((item) => (item.type === "message" && isSystem(item) ? item.parts : []))
    .flatMap((part) => {
      if (part.type === "text" && part.text !== "") return [part.text]
      if (part.type !== "text") drops.add("parts of another dialect")
      return []
    })
    .join("\n\n")
}

const isSystem = (item: InputItem): boolean =>
  item.type === "message" && (item.role === "system" || item.role === "developer")

interface Turn {
  readonly role: "user" | "assistant"
  readonly content: Array<JsonObject>
}

/** The turns, users' and the model's in alternation: neighbours of one side are one message. */
export const turnsOf = (input: ReadonlyArray<InputItem>, drops: Drops): ReadonlyArray<JsonObject> => {
  const turns: Array<Turn> = []
  const add = (role: Turn["role"], blocks: ReadonlyArray<JsonObject>) => {
    if (blocks.length === 0) return
    const last = turns.at(-1)
    if (last?.role === role) last.content.push(...blocks)
    else turns.push({ role, content: [...blocks] })
  }
  for (const item of input) {
    switch (item.type) {
      case "message":
        if (item.name !== undefined) drops.add("names of participants")
        if (item.role === "user" || item.role === "assistant")
          add(item.role, blocksOf(item.parts, drops, item.role === "assistant"))
        break
      case "tool_call": {
        const input = item.custom === true ? { input: item.arguments } : inputOf(item.arguments)
        add("assistant", [{ type: "tool_use", id: callId(item.id), name: item.name, input }])
        break
      }
      case "tool_result": {
        const content = resultOf(item.parts, drops)
        const failed = item.failed === true ? { is_error: true } : {}
        add("user", [{ type: "tool_result", tool_use_id: callId(item.id), ...content, ...failed }])
        break
      }
      case "reasoning":
        add("assistant", thoughtOf(item, drops))
        break
    }
  }
  return turns.map(({ content, role }) => ({ role, content: role === "user" ? resultsFirst(content) : content }))
}

/** The results of calls are what a user's message begins with. */
const resultsFirst = (content: ReadonlyArray<JsonObject>): ReadonlyArray<JsonObject> => {
  const isResult = ({ type }: JsonObject) => type === "tool_result"
  return [...content.filter(isResult), ...content.filter((block) => !isResult(block))]
}

/** This dialect takes letters, digits, `_` and `-` in an id. */
const callId = (id: string): string => (id === "" ? "_" : id.replaceAll(/[^\w-]/gu, "_"))

const thoughtOf = (
  { encrypted, signature, text }: Extract<InputItem, { readonly type: "reasoning" }>,
  drops: Drops
): ReadonlyArray<JsonObject> => {
  if (signature !== undefined && signature !== "") return [{ type: "thinking", thinking: text, signature }]
  if (encrypted !== undefined && encrypted !== "") return [{ type: "redacted_thinking", data: encrypted }]
  drops.add("unsigned thoughts")
  return []
}

const resultOf = (parts: ReadonlyArray<Part>, drops: Drops): { readonly content?: Json } => {
  const [first] = parts
  if (parts.length === 1 && first?.type === "text") return { content: first.text }
  const content = blocksOf(parts, drops, false)
  return content.length === 0 ? {} : { content }
}

const blocksOf = (parts: ReadonlyArray<Part>, drops: Drops, isModels: boolean): ReadonlyArray<JsonObject> =>
  parts.flatMap((part): ReadonlyArray<JsonObject> => {
    switch (part.type) {
      case "text":
      case "refusal":
        // An empty text is refused.
        return part.text === "" ? [] : [{ type: "text", text: part.text }]
      case "image":
        if (part.detail !== undefined && part.detail !== "auto") drops.add("image detail")
        return isModels ? dropped(drops, "parts of another dialect") : imageOf(part.source, drops)
      case "file":
        return isModels ? dropped(drops, "parts of another dialect") : fileOf(part.source, part.name, drops)
      case "audio":
        return dropped(drops, "audio")
      case "foreign":
        return part.dialect === "anthropic" && isJsonObject(part.value)
          ? [part.value]
          : dropped(drops, "parts of another dialect")
    }
  })

const dropped = (drops: Drops, what: Parameters<Drops["add"]>[0]): ReadonlyArray<never> => {
  drops.add(what)
  return []
}

const imageOf = (source: Source, drops: Drops): ReadonlyArray<JsonObject> => {
  const place = placeOf(source)
  return place === undefined ? dropped(drops, "file ids") : [{ type: "image", source: place }]
}

/** An address that holds the data is data. Ids of another provider's files mean nothing here. */
const placeOf = (given: Source): JsonObject | undefined => {
  const source = given.kind === "url" ? sourceOf(given.url) : given
  switch (source.kind) {
    case "url":
      return { type: "url", url: source.url }
    case "data":
      return { type: "base64", media_type: source.mediaType, data: source.data }
    case "id":
      return undefined
  }
}

const fileOf = (given: Source, name: string | undefined, drops: Drops): ReadonlyArray<JsonObject> => {
  const source = given.kind === "url" ? sourceOf(given.url) : given
  const title = name === undefined ? {} : { title: name }
  if (source.kind === "id") return dropped(drops, "file ids")
  if (source.kind === "url") return [{ type: "document", source: { type: "url", url: source.url }, ...title }]
  const mediaType = source.mediaType.toLowerCase()
  if (mediaType.startsWith("image/")) return imageOf(source, drops)
  if (mediaType === "application/pdf")
    return [{ type: "document", source: { type: "base64", media_type: mediaType, data: source.data }, ...title }]
  if (!mediaType.startsWith("text/") && mediaType !== "application/json") return dropped(drops, "files of other types")
  const text = Result.getOrUndefined(Base64.decodeString(source.data))
  return text === undefined || text === ""
    ? dropped(drops, "files of other types")
    : [{ type: "document", source: { type: "text", media_type: "text/plain", data: text }, ...title }]
}
