import { isJsonObject, type Json, type JsonObject } from "@llm-saas/domain/Json"
import { isList } from "../RequestFields.ts"
import type { Shape } from "../Shape.ts"
import { inputOf, parsedJson } from "./JsonText.ts"

/** A block of the provider's own, as its events make it. */
interface Block {
  readonly start: JsonObject
  readonly text: Array<string>
  readonly thinking: Array<string>
  readonly input: Array<string>
  readonly citations: Array<Json>
  signature: string | undefined
}

/** The whole message that a provider's own events make, or that came whole. */
export class RawMessage {
  #start: JsonObject | undefined = undefined
  #whole: JsonObject | undefined = undefined
  readonly #blocks = new Map<number, Block>()
  #delta: JsonObject = {}
  #usage: JsonObject = {}
  #shape: Shape | undefined = undefined

  /** Undefined: there is none of this dialect. */
  get message(): JsonObject | undefined {
    if (this.#whole !== undefined || this.#start === undefined) return this.#whole
    const { usage } = this.#start
    const content = [...this.#blocks].sort(([one], [other]) => one - other).map(([, block]) => blockBody(block))
    return {
      ...this.#start,
      ...this.#delta,
      content,
      usage: { ...(isJsonObject(usage) ? usage : {}), ...this.#usage }
    }
  }

  shape({ after, before, dialect }: Shape & { readonly dialect: string }): void {
    this.#shape = dialect === "anthropic" ? { before, after } : undefined
  }

  /** A text in the shape that was told last. False: there is none. */
  text(text: string): boolean {
    const shape = this.#shape
    if (shape === undefined) return false
    const event = parsedJson(`${shape.before}${JSON.stringify(text)}${shape.after}`)
    if (isJsonObject(event)) this.event(event)
    return true
  }

  event(event: JsonObject): void {
    const { content_block: block, delta, index, message, type, usage } = event
    const at = typeof index === "number" ? index : 0
    switch (type) {
      case "message":
        this.#whole = event
        break
      case "message_start":
        if (isJsonObject(message)) this.#start = message
        break
      case "content_block_start":
        if (isJsonObject(block)) this.#blocks.set(at, newBlock(block))
        break
      case "content_block_delta":
        if (isJsonObject(delta)) this.#read(this.#blocks.get(at), delta)
        break
      case "message_delta":
        if (isJsonObject(delta)) this.#delta = { ...this.#delta, ...delta }
        if (isJsonObject(usage)) this.#usage = { ...this.#usage, ...given(usage) }
        break
      default:
        break
    }
  }

  #read(block: Block | undefined, delta: JsonObject): void {
    if (block === undefined) return
    const { citation, partial_json: json, signature, text, thinking } = delta
    if (typeof text === "string") block.text.push(text)
    if (typeof thinking === "string") block.thinking.push(thinking)
    if (typeof json === "string") block.input.push(json)
    if (typeof signature === "string") block.signature = signature
    if (citation !== undefined) block.citations.push(citation)
  }
}

/** Counts that do not apply are null, and change nothing. */
const given = (usage: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== null))

const newBlock = (start: JsonObject): Block => ({
  start,
  text: [],
  thinking: [],
  input: [],
  citations: [],
  signature: undefined
})

const blockBody = ({ citations, input, signature, start, text, thinking }: Block): JsonObject => ({
  ...start,
  ...(text.length === 0 ? {} : { text: textOf(start["text"]) + text.join("") }),
  ...(thinking.length === 0 ? {} : { thinking: textOf(start["thinking"]) + thinking.join("") }),
  ...(signature === undefined ? {} : { signature }),
  ...(input.length === 0 ? {} : { input: inputOf(input.join("")) }),
  ...(citations.length === 0 ? {} : { citations: [...listOf(start["citations"]), ...citations] })
})

const textOf = (value: Json | undefined): string => (typeof value === "string" ? value : "")

const listOf = (value: unknown): ReadonlyArray<Json> => (isList(value) ? value : [])
