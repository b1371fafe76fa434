import { isJsonObject, type Json, type JsonObject } from "@llm-saas/domain/Json"
import type { InputItem, MessageItem, Part, Source } from "@llm-saas/domain/ModelRequest"
import { sourceOf } from "../DataUrl.ts"
import { isList, type RequestFields } from "../RequestFields.ts"
import { jsonOf } from "./JsonText.ts"

export const foreign = (value: Json): Part => ({ type: "foreign", dialect: "anthropic", value })

/** The items of one message: its parts, and the calls, results and thoughts among them, in order. */
export const itemsOf = (message: RequestFields, role: MessageItem["role"]): ReadonlyArray<InputItem> => {
  const content = message.value("content")
  if (typeof content === "string") return [{ type: "message", role, parts: [{ type: "text", text: content }] }]
  const blocks = blocksOf(message, "content")
  const items: Array<InputItem> = []
  let parts: Array<Part> = []
  const close = () => {
    if (parts.length > 0) items.push({ type: "message", role, parts })
    parts = []
  }
  for (const block of blocks) {
    const item = itemOf(block)
    if (item === undefined) parts.push(...partsOf(block))
    else {
      close()
      items.push(item)
    }
  }
  close()
  return items.length === 0 ? [{ type: "message", role, parts: [] }] : items
}

/** A block that is an item of its own. */
const itemOf = (block: RequestFields): InputItem | undefined => {
  switch (block.value("type")) {
    case "tool_use": {
      const input = jsonOf(block.value("input") ?? {})
      if (input === undefined) block.mistakes.wrong(block.path("input"), "nested less deeply")
      return { type: "tool_call", id: block.needed("id"), name: block.needed("name"), arguments: input ?? "{}" }
    }
    case "tool_result": {
      const failed = block.flag("is_error")
      return {
        type: "tool_result",
        id: block.needed("tool_use_id"),
        parts: contentOf(block),
        ...(failed === true ? { failed } : {})
      }
    }
    case "thinking": {
      const signature = block.text("signature")
      // Other providers' thoughts have an empty signature.
      const proof = signature === undefined || signature === "" ? {} : { signature }
      return { type: "reasoning", text: block.text("thinking") ?? "", ...proof }
    }
    case "redacted_thinking":
      return { type: "reasoning", text: "", encrypted: block.needed("data") }
    default:
      return undefined
  }
}

/** What a member holds: a text, or blocks. */
export const contentOf = (owner: RequestFields, name = "content"): ReadonlyArray<Part> => {
  const content = owner.value(name)
  if (content === undefined) return []
  return typeof content === "string" ? [{ type: "text", text: content }] : blocksOf(owner, name).flatMap(partsOf)
}

const blocksOf = (owner: RequestFields, name: string): ReadonlyArray<RequestFields> => {
  const content = owner.value(name)
  const path = owner.path(name)
  if (content === undefined) owner.mistakes.missing(path)
  if (!isList(content)) {
    owner.mistakes.wrong(path, "a string or a list")
    return []
  }
  const blocks = owner.objects(name)
  for (const block of blocks) block.needed("type")
  return blocks
}

/** A block as parts. One that no other dialect has stays as it is. */
const partsOf = (block: RequestFields): ReadonlyArray<Part> => {
  switch (block.value("type")) {
    case "text":
      return [{ type: "text", text: block.needed("text") }]
    case "image": {
      const source = placeOf(block.fields("source"))
      return [source === undefined ? foreign(block.object) : { type: "image", source }]
    }
    case "document":
      return documentOf(block)
    // Search results of the client's own are texts for any model.
    case "search_result":
      return texts(block.value("content")) ?? [foreign(block.object)]
    default:
      return [foreign(block.object)]
  }
}

const documentOf = (block: RequestFields): ReadonlyArray<Part> => {
  const source = block.fields("source")
  const title = block.text("title")
  switch (source?.value("type")) {
    case "text":
      return [{ type: "text", text: source.needed("data") }]
    case "content":
      return texts(source.value("content")) ?? [foreign(block.object)]
    default: {
      const place = placeOf(source)
      return [
        place === undefined
          ? foreign(block.object)
          : { type: "file", source: place, ...(title === undefined ? {} : { name: title }) }
      ]
    }
  }
}

/** The texts and images of blocks within a block. Undefined: there is something else among them. */
const texts = (content: Json | undefined): ReadonlyArray<Part> | undefined => {
  if (typeof content === "string") return [{ type: "text", text: content }]
  if (!isList(content)) return undefined
  const parts = content.flatMap((each): ReadonlyArray<Part> => {
    if (!isJsonObject(each)) return []
    if (each["type"] === "text" && typeof each["text"] === "string") return [{ type: "text", text: each["text"] }]
    const { source } = each
    const place = each["type"] === "image" && isJsonObject(source) ? sourceFrom(source) : undefined
    return place === undefined ? [] : [{ type: "image", source: place }]
  })
  return parts.length === content.length ? parts : undefined
}

const placeOf = (source: RequestFields | undefined): Source | undefined =>
  source === undefined ? undefined : sourceFrom(source.object)

const sourceFrom = ({ data, file_id: id, media_type: mediaType, type, url }: JsonObject): Source | undefined => {
  if (type === "base64" && typeof data === "string" && typeof mediaType === "string")
    return { kind: "data", mediaType, data }
  if (type === "url" && typeof url === "string") return sourceOf(url)
  return type === "file" && typeof id === "string" ? { kind: "id", id } : undefined
}
