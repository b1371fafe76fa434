import { isJsonObject } from "./Json.ts"
import { pieceOf } from "./ModelEvent.ts"

/** What an answer has beside its text. */
export interface Written {
  readonly calls: ReadonlyArray<WrittenCall>
  readonly thoughts: string
}

/** A call of a tool. */
export interface WrittenCall {
  readonly id: string
  readonly name: string
  readonly args: string
}

interface Call {
  id: string
  name: string
  args: string
}

/** Calls and thoughts in the entries of an answer's log, in canonical form or as a provider of any dialect sent them. */
export const writtenIn = (entries: ReadonlyArray<string>): Written => {
  const calls = new Map<string, Call>()
  let thoughts = ""
  const add = (key: string, { args, id, name }: Partial<Record<keyof Call, unknown>>) => {
    const call = calls.get(key) ?? { id: "", name: "", args: "" }
    calls.set(key, call)
    if (typeof id === "string" && call.id === "") call.id = id
    if (typeof name === "string" && call.name === "") call.name = name
    if (typeof args === "string") call.args += args
  }
  for (const entry of entries) {
    const piece = pieceOf(entry)
    if (typeof piece === "string") continue
    if (piece.type === "reasoning") thoughts += piece.text
    else if (piece.type === "tool_call")
      add(`${piece.choice ?? 0} ${piece.call}`, { id: piece.id, name: piece.name, args: piece.arguments })
    else if (piece.type === "raw") {
      switch (piece.dialect) {
        case "chat":
          thoughts += chat(piece.event, add)
          break
        case "anthropic":
          thoughts += anthropic(piece.event, add)
          break
        case "responses":
          responses(piece.event, add)
          break
      }
    }
  }
  return { calls: [...calls.values()], thoughts }
}

type Add = (key: string, call: Partial<Record<keyof Call, unknown>>) => void

const objects = (value: unknown) => (Array.isArray(value) ? value.filter(isJsonObject) : [])
const text = (value: unknown): string => (typeof value === "string" ? value : "")

/** A chunk, or a whole answer. */
const chat = (event: unknown, add: Add): string => {
  let thoughts = ""
  for (const choice of objects(isJsonObject(event) ? event["choices"] : undefined)) {
    const turn = isJsonObject(choice["delta"]) ? choice["delta"] : choice["message"]
    if (!isJsonObject(turn)) continue
    thoughts += text(turn["reasoning_content"] ?? turn["reasoning"])
    for (const [index, call] of objects(turn["tool_calls"]).entries()) {
      const called = isJsonObject(call["function"])
        ? call["function"]
        : isJsonObject(call["custom"])
          ? call["custom"]
          : {}
      const args = called["arguments"] ?? called["input"]
      add(`${String(choice["index"] ?? 0)} ${String(call["index"] ?? index)}`, {
        id: call["id"],
        name: called["name"],
        args
      })
    }
  }
  return thoughts
}

/** An event of a stream, or a whole message. */
const anthropic = (event: unknown, add: Add): string => {
  if (!isJsonObject(event)) return ""
  const { content_block: begun, delta, index } = event
  let thoughts = ""
  const block = (key: string, value: unknown) => {
    if (!isJsonObject(value)) return
    if (value["type"] === "thinking") thoughts += text(value["thinking"])
    if (value["type"] !== "tool_use") return
    const { input } = value
    const whole = isJsonObject(input) && Object.keys(input).length > 0 ? JSON.stringify(input) : ""
    add(key, { id: value["id"], name: value["name"], args: whole })
  }
  for (const [place, each] of objects(event["content"]).entries()) block(String(place), each)
  block(String(index), begun)
  if (isJsonObject(delta)) {
    thoughts += text(delta["thinking"])
    if (typeof delta["partial_json"] === "string") add(String(index), { args: delta["partial_json"] })
  }
  return thoughts
}

/** Only whole items: deltas repeat them. */
const responses = (event: unknown, add: Add): void => {
  if (!isJsonObject(event)) return
  const items =
    event["type"] === "response.output_item.done"
      ? [event["item"]]
      : event["object"] === "response"
        ? event["output"]
        : []
  for (const item of objects(items))
    if (item["type"] === "function_call" || item["type"] === "custom_tool_call")
      add(text(item["id"]), { id: item["call_id"], name: item["name"], args: item["arguments"] ?? item["input"] })
}
