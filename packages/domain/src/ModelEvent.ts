import { Result } from "effect"
import { isJsonObject, type Json, type JsonObject } from "./Json.ts"
import type { Dialect } from "./ModelRequest.ts"

/**
 * A piece of an answer that is not plain text of its first choice. `choice` counts from 0, which is meant where it is missing. Calls of
 * tools and blocks of thoughts are in the order in which they were begun.
 */
export type ModelEvent =
  /** More text of another choice than the first. */
  | { readonly type: "text"; readonly text: string; readonly choice: number }
  /** More of a refusal, which is shown instead of an answer. */
  | { readonly type: "refusal"; readonly text: string; readonly choice?: number | undefined }
  /** More of the model's thoughts. A new block begins after a `signature`, and after anything else than thoughts. */
  | { readonly type: "reasoning"; readonly text: string; readonly choice?: number | undefined }
  /** The provider's proof of the block of thoughts before it, which ends the block. */
  | { readonly type: "signature"; readonly signature: string }
  /** A block of encrypted thoughts, whole. */
  | { readonly type: "encrypted"; readonly data: string }
  /** More of a call of a tool. `call` numbers the calls of a choice from 0. `id` and `name` come with its first piece, and only there. */
  | {
      readonly type: "tool_call"
      readonly call: number
      readonly id?: string | undefined
      readonly name?: string | undefined
      readonly arguments?: string | undefined
      readonly custom?: boolean | undefined
      readonly choice?: number | undefined
    }
  /** A citation of the text before it, in the form of its dialect. */
  | { readonly type: "annotation"; readonly dialect: Dialect; readonly value: Json }
  /** The end of a choice, where there is more to say of it than the reason: a stop sequence, or another choice than the first. */
  | {
      readonly type: "finish"
      readonly reason: string
      readonly stopSequence?: string | undefined
      readonly choice?: number | undefined
    }
  /**
   * An event exactly as the provider sent it, for a client that speaks the same dialect. `text`: what it adds to the visible text.
   */
  | { readonly type: "raw"; readonly dialect: Dialect; readonly event: JsonObject; readonly text?: string | undefined }
  /**
   * How the texts after it are written in the provider's own form: `before`, the text as JSON, `after`. So an event of a stream that adds
   * only text is stored as that text, and is sent exactly as it came.
   */
  | { readonly type: "shape"; readonly dialect: Dialect; readonly before: string; readonly after: string }

/** What a provider sends: a text of the first choice, which is by far the most frequent, or an event. */
export type ModelPiece = string | ModelEvent

/**
 * The mark of an entry that is an event: a record separator, then a brace. No token of text begins so: `Tokens` puts a record separator
 * only at a token's end. See RFC 7464, which writes sequences of JSON in this way.
 */
const MARK = "\u001e"

/** An event as an entry of an answer's log. It has no line end, no NUL and no half of a surrogate pair: JSON escapes them. */
export const entryOf = (event: ModelEvent): string => MARK + JSON.stringify(event).replaceAll(UNSAFE, escaped)

/** Ends of lines for Python and JavaScript, which JSON does not escape. */
const UNSAFE = /[\u0085\u2028\u2029]/gu
const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

/** Whether the entry of a log is an event; otherwise it is a text. */
export const isEvent = (entry: string): boolean => entry.startsWith("\u001e{")

/** The piece that an entry of a log is. */
export const pieceOf = (entry: string): ModelPiece => {
  if (!isEvent(entry)) return entry
  const parsed = Result.try((): unknown => JSON.parse(entry.slice(1)))
  return Result.isSuccess(parsed) && isModelEvent(parsed.success) ? parsed.success : entry
}

/** Only what {@link entryOf} wrote is read, so its kind is enough. */
const isModelEvent = (value: unknown): value is ModelEvent => isJsonObject(value) && typeof value["type"] === "string"

/** What a piece adds to the answer's visible text: the text of the first choice, or its refusal. */
export const visibleText = (piece: ModelPiece): string => {
  if (typeof piece === "string") return piece
  switch (piece.type) {
    case "refusal":
      return (piece.choice ?? 0) === 0 ? piece.text : ""
    case "raw":
      return piece.text ?? ""
    case "text":
    case "reasoning":
    case "signature":
    case "encrypted":
    case "tool_call":
    case "annotation":
    case "finish":
    case "shape":
      return ""
  }
}

/** The visible text of a log, as it can be stored. */
export const visibleTextOf = (entries: ReadonlyArray<string>): string =>
  storable(entries.map((entry) => visibleText(pieceOf(entry))).join(""))

/** An event may say NUL and halves of surrogate pairs, a text of the database may not. */
export const storable = (text: string): string => text.replaceAll("\0", "\ufffd").toWellFormed()

/** Members of events, ours and providers', that hold what the model wrote. */
const WRITTEN = new Set([
  "text",
  "arguments",
  "refusal",
  "content",
  "reasoning",
  "reasoning_content",
  "thinking",
  "partial_json",
  "delta",
  "input"
])

/** What the model wrote in a piece: text, thoughts, arguments of tools. For estimates of its length. */
export const wordsOf = (piece: ModelPiece): string => {
  if (typeof piece === "string") return piece
  let words = ""
  const collect = (value: unknown, written: boolean): void => {
    if (typeof value === "string") words += written ? value : ""
    else if (Array.isArray(value)) for (const each of value) collect(each, written)
    else if (isJsonObject(value)) for (const [name, each] of Object.entries(value)) collect(each, WRITTEN.has(name))
  }
  if (piece.type === "raw") collect(piece.event, false)
  else if (piece.type !== "shape" && piece.type !== "annotation") collect(piece, false)
  return words
}
