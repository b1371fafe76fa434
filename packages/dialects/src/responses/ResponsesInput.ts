import { isJsonObject, type JsonObject } from "@llm-saas/domain/Json"
import type { InputItem, MessageItem, ReasoningItem } from "@llm-saas/domain/ModelRequest"
import { isList, Mistakes, RequestFields } from "../RequestFields.ts"
import { thoughtsOf } from "./ResponsesThoughts.ts"
import { partsOf } from "./ResponsesParts.ts"

/** Items of earlier answers that a request names by their ids, in the form that Responses sends them in. */
export type Referenced = ReadonlyMap<string, JsonObject>

const NONE: Referenced = new Map()

/** The items of `input`: a text, or a list. */
export const inputOf = (body: RequestFields, referenced: Referenced = NONE): ReadonlyArray<InputItem> => {
  const input = body.value("input")
  if (typeof input === "string") return [{ type: "message", role: "user", parts: [{ type: "text", text: input }] }]
  if (input !== undefined && !isList(input)) {
    body.mistakes.add(body.path("input"), "`input` must be a string or a list of items.")
    return []
  }
  return itemsOf(body, "input", referenced)
}

/** `instructions`, which some clients send as a list of items. */
export const instructionsOf = (body: RequestFields): ReadonlyArray<InputItem> => {
  const instructions = body.value("instructions")
  if (isList(instructions)) return itemsOf(body, "instructions", NONE)
  const text = body.text("instructions")
  return text === undefined || text === "" ? [] : [{ type: "message", role: "system", parts: [{ type: "text", text }] }]
}

const itemsOf = (body: RequestFields, name: string, referenced: Referenced): ReadonlyArray<InputItem> =>
  body.objects(name).flatMap((item) => itemOf(item, referenced))

/**
 * Items that belong to a tool of the provider, such as `web_search_call`, are a user's message with a part that only Responses knows:
 * a translation leaves them out.
 */
const itemOf = (item: RequestFields, referenced: Referenced): ReadonlyArray<InputItem> => {
  // A message may leave its type out.
  switch (item.text("type") ?? "message") {
    case "message":
      return [messageOf(item)]
    case "function_call":
      return [
        {
          type: "tool_call",
          id: item.needed("call_id"),
          name: item.needed("name"),
          arguments: item.text("arguments") ?? ""
        }
      ]
    case "custom_tool_call":
      return [
        {
          type: "tool_call",
          id: item.needed("call_id"),
          name: item.needed("name"),
          arguments: item.text("input") ?? "",
          custom: true
        }
      ]
    case "function_call_output":
    case "custom_tool_call_output":
      return [{ type: "tool_result", id: item.needed("call_id"), parts: partsOf(item, "output") }]
    case "reasoning":
      return reasoningOf(item)
    case "item_reference":
      return referenceOf(item, referenced)
    default:
      return [{ type: "message", role: "user", parts: [{ type: "foreign", dialect: "responses", value: item.object }] }]
  }
}

const messageOf = (item: RequestFields): MessageItem => {
  const role = item.needed("role")
  const path = item.path("content")
  if (!item.has("content")) item.mistakes.add(path, `\`${path}\` is missing.`)
  const parts = partsOf(item, "content")
  switch (role) {
    case "user":
    case "assistant":
    case "system":
    case "developer":
      return { type: "message", role, parts }
    default:
      item.mistakes.add(item.path("role"), `\`${item.path("role")}\` must be user, assistant, system or developer.`)
      return { type: "message", role: "user", parts }
  }
}

const reasoningOf = (item: RequestFields): ReadonlyArray<ReasoningItem> => {
  const said = textsOf(item.object["summary"])
  return [thoughtsOf(said === "" ? textsOf(item.object["content"]) : said, item.text("encrypted_content"))]
}

/** Summaries are apart from each other as paragraphs are. */
const textsOf = (parts: unknown): string =>
  (isList(parts) ? parts : [])
    .flatMap((part) => (isJsonObject(part) && typeof part["text"] === "string" ? [part["text"]] : []))
    .join("\n\n")

const referenceOf = (item: RequestFields, referenced: Referenced): ReadonlyArray<InputItem> => {
  const path = item.path("id")
  const found = referenced.get(item.needed("id"))
  if (found === undefined) {
    item.mistakes.add(path, `\`${path}\` is no item of an answer that is kept.`)
    return []
  }
  // What is wrong with it is no fault of this request.
  return itemOf(new RequestFields(found, new Mistakes(), path), NONE)
}
