import { Predicate } from "effect"

/** Content of a piece of an answer: text, thoughts (which are not shown), nothing, or the description of an unknown form. */
export type Piece = { readonly text: string } | { readonly thought: true } | { readonly unknown: string } | undefined

type Fields = Record<PropertyKey, unknown>

/** Types of parts that hold no text of the answer and are left out. */
const OTHER_PARTS = new Set([
  "thinking",
  "redacted_thinking",
  "reasoning",
  "reasoning_content",
  "thought",
  "reference",
  "citation",
  "tool_use",
  "tool_call",
  "tool_reference"
])

const isText = (value: unknown): value is string => typeof value === "string" && value !== ""

/** The content of a `delta` or a `message`, or of a choice itself, for servers that put text there. */
export const pieceOf = (turn: unknown): Piece => {
  if (isText(turn)) return { text: turn }
  if (Predicate.isNullish(turn) || turn === "") return undefined
  if (!Predicate.isObject(turn)) return { unknown: `delta: ${typeof turn}` }
  const fields: Fields = turn
  const content = contentOf(fields["content"])
  if (content !== undefined && !("thought" in content)) return content
  if (isText(fields["refusal"])) return { text: fields["refusal"] }
  if (isText(fields["text"])) return { text: fields["text"] }
  return content ?? (hasThought(fields) ? { thought: true } : undefined)
}

const hasThought = (fields: Fields): boolean =>
  ["reasoning_content", "reasoning", "thinking", "reasoning_text"].some((name) => isText(fields[name]))
  || [fields["reasoning_details"], fields["thinking_blocks"]].some((list) => Array.isArray(list) && list.length > 0)

/** A string, a part, or a list of them, as Mistral and GLM send them. */
const contentOf = (content: unknown): Piece => {
  if (isText(content)) return { text: content }
  if (Predicate.isNullish(content) || content === "") return undefined
  if (Array.isArray(content)) return joined(content.map(partOf))
  return partOf(content)
}

const joined = (pieces: ReadonlyArray<Piece>): Piece => {
  let text = ""
  let thought = false
  for (const piece of pieces) {
    if (piece === undefined) continue
    if ("unknown" in piece) return piece
    if ("text" in piece) text += piece.text
    else thought = true
  }
  if (text !== "") return { text }
  return thought ? { thought: true } : undefined
}

const partOf = (part: unknown): Piece => {
  if (isText(part)) return { text: part }
  if (Predicate.isNullish(part) || part === "") return undefined
  if (!Predicate.isObject(part) || Array.isArray(part)) return { unknown: `content: ${kindOf(part)}` }
  const fields: Fields = part
  const type = fields["type"]
  if (typeof type === "string" && OTHER_PARTS.has(type)) return { thought: true }
  const text = fields["text"] ?? fields["content"] ?? fields["refusal"]
  if (isText(text)) return { text }
  if (Predicate.hasProperty(text, "value") && isText(text.value)) return { text: text.value }
  if (Array.isArray(text)) return joined(text.map(partOf))
  if (Array.isArray(fields["parts"])) return joined(fields["parts"].map(partOf))
  if (text === "" || Object.keys(fields).length === 0 || (text === null && type === "text")) return undefined
  return { unknown: "content: an object without text" }
}

const kindOf = (value: unknown): string => (Array.isArray(value) ? "list" : typeof value)

/** Known members of a turn that are not its text. */
const KNOWN = new Set([
  "role",
  "name",
  "id",
  "type",
  "index",
  "finish_reason",
  "stop_reason",
  "object",
  "model",
  "phase"
])

/** Describes an unknown member that holds a text, which may be the answer. */
export const unknownTextIn = (turn: unknown): string | undefined => {
  if (!Predicate.isObject(turn)) return undefined
  return Object.entries(turn).some(([name, value]) => isText(value) && !KNOWN.has(name) && !THOUGHTS.test(name))
    ? "text under a name that is not known"
    : undefined
}

const THOUGHTS = /reason|think|thought|signature|audio|tool|function/u
