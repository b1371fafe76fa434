import { Predicate } from "effect"

/** What a turn of an answer, or a piece of one, adds. */
export interface Found {
  text: string
  refusal: string
  thought: string
  /** Whether there are thoughts, also such as have no text. */
  thinks: boolean
  /** The description of an unknown form, in which the text may be. */
  unknown: string | undefined
}

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

/** Reads a `delta` or a `message`, or a choice itself, for servers that put text there. */
export const foundIn = (turn: unknown): Found => {
  const found: Found = { text: "", refusal: "", thought: "", thinks: false, unknown: undefined }
  if (isText(turn)) found.text = turn
  else if (Predicate.isObject(turn)) readTurn(turn, found)
  else if (!Predicate.isNullish(turn) && turn !== "") found.unknown = `delta: ${typeof turn}`
  return found
}

const readTurn = (fields: Fields, found: Found): void => {
  const before = found.thought
  readContent(fields["content"], found)
  if (found.text === "" && found.unknown === undefined) {
    if (isText(fields["refusal"])) found.refusal = fields["refusal"]
    else if (isText(fields["text"])) found.text = fields["text"]
  }
  if (found.thought === before) found.thought += thoughtIn(fields)
  found.thinks ||= found.thought !== "" || listsOf(fields).length > 0
}

/** The names of thoughts. Some servers send them under two names at once. */
const THOUGHT_NAMES = ["reasoning_content", "reasoning", "reasoning_text", "thinking"]

const thoughtIn = (fields: Fields): string => {
  const name = THOUGHT_NAMES.find((each) => isText(fields[each]))
  const text = name === undefined ? undefined : fields[name]
  if (typeof text === "string") return text
  return blocksIn(fields)
    .map(({ text }) => text)
    .join("")
}

/** A block of thoughts as gateways send it: `reasoning_details` of OpenRouter, `thinking_blocks` of LiteLLM. */
export interface ThoughtBlock {
  readonly text: string
  readonly signature: string | undefined
  /** Encrypted thoughts. */
  readonly data: string | undefined
}

const listsOf = (fields: Fields): ReadonlyArray<unknown> =>
  [fields["thinking_blocks"], fields["reasoning_details"]].find(
    (list): list is ReadonlyArray<unknown> => Array.isArray(list) && list.length > 0
  ) ?? []

export const blocksIn = (turn: unknown): ReadonlyArray<ThoughtBlock> => {
  if (!Predicate.isObject(turn)) return []
  return listsOf(turn).flatMap((block) => {
    if (!Predicate.isObject(block)) return []
    const { data, signature, summary, text, thinking }: Fields = block
    return [
      {
        text: [thinking, text, summary].find(isText) ?? "",
        signature: isText(signature) ? signature : undefined,
        data: isText(data) ? data : undefined
      }
    ]
  })
}

/** A string, a part, or a list of them, as Mistral and GLM send them. */
const readContent = (content: unknown, found: Found): void => {
  if (isText(content)) found.text += content
  else if (Array.isArray(content)) for (const part of content) readPart(part, found)
  else readPart(content, found)
}

const readPart = (part: unknown, found: Found): void => {
  if (isText(part)) found.text += part
  else if (!Predicate.isNullish(part) && part !== "") {
    if (Predicate.isObject(part) && !Array.isArray(part)) readFields(part, found)
    else found.unknown ??= `content: ${kindOf(part)}`
  }
}

const readFields = (fields: Fields, found: Found): void => {
  const type = fields["type"]
  if (typeof type === "string" && OTHER_PARTS.has(type)) {
    found.thinks = true
    const thought = THOUGHTFUL.test(type) ? (fields["thinking"] ?? fields["reasoning"] ?? fields["text"]) : undefined
    found.thought += thoughtText(thought)
    return
  }
  const text = fields["text"] ?? fields["content"] ?? fields["refusal"]
  if (isText(text)) found.text += text
  else if (Predicate.hasProperty(text, "value") && isText(text.value)) found.text += text.value
  else if (Array.isArray(text)) for (const each of text) readPart(each, found)
  else if (Array.isArray(fields["parts"])) for (const each of fields["parts"]) readPart(each, found)
  else if (!(text === "" || Object.keys(fields).length === 0 || (text === null && type === "text")))
    found.unknown ??= "content: an object without text"
}

const THOUGHTFUL = /think|reason|thought/u

/** Thoughts of a part: a text, or Mistral's list of parts. */
const thoughtText = (value: unknown): string => {
  if (typeof value === "string") return value
  if (!Array.isArray(value)) return ""
  return value
    .map((part: unknown) => (Predicate.hasProperty(part, "text") && typeof part.text === "string" ? part.text : ""))
    .join("")
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
