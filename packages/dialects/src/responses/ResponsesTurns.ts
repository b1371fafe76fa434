import { isJsonObject, type Json, type JsonObject } from "@llm-saas/domain/Json"
import type { InputItem } from "@llm-saas/domain/ModelRequest"
import { isList, Mistakes, RequestFields } from "../RequestFields.ts"
import { type ItemPrefix, itemId } from "./ResponsesIds.ts"
import { inputOf, type Referenced } from "./ResponsesInput.ts"

/** What an earlier response adds to the input of a later one: its own input, then its output. It was checked when it was asked. */
export const turnOf = (
  body: JsonObject,
  output: ReadonlyArray<JsonObject>,
  referenced: Referenced
): ReadonlyArray<InputItem> => [
  ...inputOf(new RequestFields(body, new Mistakes()), referenced),
  ...inputOf(new RequestFields({ input: output }, new Mistakes()))
]

/** The input of a response as its list of items, oldest first. Each has an id: its own, or one of its place. */
export const inputItems = (generationId: string, { input }: JsonObject): ReadonlyArray<JsonObject> => {
  const list: ReadonlyArray<Json> = isList(input)
    ? input
    : typeof input === "string"
      ? [{ role: "user", content: input }]
      : []
  const seen = new Set<string>()
  return list.filter(isJsonObject).map((item, index) => {
    const { type } = item
    const prefix = PREFIXES.get(typeof type === "string" ? type : "message") ?? "item_"
    const own = typeof item["id"] === "string" && !seen.has(item["id"]) ? item["id"] : undefined
    const id = own ?? itemId(prefix, generationId, "input", index)
    seen.add(id)
    return prefix === "msg_" ? { ...messageOf(item), id } : { ...item, id }
  })
}

const PREFIXES: ReadonlyMap<string, ItemPrefix> = new Map([
  ["message", "msg_"],
  ["reasoning", "rs_"],
  ["function_call", "fc_"],
  ["function_call_output", "fco_"],
  ["custom_tool_call", "ctc_"],
  ["custom_tool_call_output", "ctco_"]
])

const messageOf = (item: JsonObject): JsonObject => {
  const { content, role } = item
  const type = role === "assistant" ? "output_text" : "input_text"
  return {
    status: "completed",
    ...item,
    type: "message",
    content: typeof content === "string" ? [{ type, text: content }] : (content ?? [])
  }
}

/** Which part of a list of items. */
export interface ItemPage {
  /** The id of the last item that the client has. */
  readonly after?: string | undefined
  /** 1 to 100. */
  readonly limit?: number | undefined
  /** The newest first, unless it is `asc`. */
  readonly order?: "asc" | "desc" | undefined
}

/** As at OpenAI. */
const PAGE_ITEMS = 20

/** A page of items in OpenAI's form. An id that is not in the list is the list's beginning. */
export const itemPage = (
  items: ReadonlyArray<JsonObject>,
  { after, limit = PAGE_ITEMS, order = "desc" }: ItemPage = {}
): JsonObject => {
  const ordered = order === "desc" ? items.toReversed() : items
  const from = after === undefined ? 0 : ordered.findIndex(({ id }) => id === after) + 1
  const data = ordered.slice(from, from + limit)
  return {
    object: "list",
    data,
    first_id: data.at(0)?.["id"] ?? null,
    last_id: data.at(-1)?.["id"] ?? null,
    has_more: from + data.length < ordered.length
  }
}
