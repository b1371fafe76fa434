import type { FinishReason } from "@llm-saas/domain/Generation"
import { isJsonObject, type Json, type JsonObject } from "@llm-saas/domain/Json"
import type { ModelPiece } from "@llm-saas/domain/ModelEvent"
import type { Usage } from "@llm-saas/domain/Usage"
import { sameShape, type Shape, shapedText, shapeOf } from "../Shape.ts"
import { finishOf } from "./StopReasons.ts"
import { jsonOf, parsedJson } from "./JsonText.ts"
import { UsageReader } from "./MessageUsage.ts"

/** How an answer is read. */
export interface ReaderOptions {
  /** `raw`: for a client that speaks this dialect, as the events are. `canonical`: for any other. */
  readonly mode: "raw" | "canonical"
  /** Tools of the request that take a text and no object: see `CUSTOM_INPUT` in `MessagesBody`. */
  readonly customTools?: ReadonlySet<string> | undefined
}

/** A block that has begun and has not ended. */
interface Block {
  readonly type: string
  /** Of a call of a tool. */
  readonly call: number | undefined
  readonly custom: boolean
  /** The input that came with the beginning, JSON. */
  readonly input: string
  /** Whether more than its beginning came. */
  more: boolean
  /** Of a custom tool: its input so far. */
  held: string
  signature: string
}

/** Most blocks that are open at a time. Anthropic opens one. */
const OPEN_BLOCKS = 10_000

/**
 * Reads the answer of `POST /v1/messages`, its events or its whole body, and emits its pieces. What is wrong with it is in `error` and
 * `broken`; it is whole only if a stop reason came. It does no I/O, and does not know bytes.
 *
 * States: nothing → begun (`message_start`) → stopped (`message_delta` with a reason) → done (`message_stop`). What comes after `done`,
 * an error or something that is broken is not read.
 */
export class MessageReader {
  readonly #emit: (piece: ModelPiece) => void
  readonly #raw: boolean
  readonly #customTools: ReadonlySet<string>
  readonly #usage = new UsageReader()
  readonly #blocks = new Map<number, Block>()
  #calls = 0
  /** The beginning of the answer, until something is said: it alone shows nothing, and the request may still be repeated. */
  #head: JsonObject | undefined = undefined
  #shape: Shape | undefined = undefined
  /** The shape of the last event of text. It is used once a second event has it too. */
  #likely: Shape | undefined = undefined
  #stopReason: string | undefined = undefined
  #stopSequence: string | undefined = undefined
  #model: string | undefined = undefined
  #id: string | undefined = undefined
  #begun = false
  #said = false
  #done = false
  #error: JsonObject | undefined = undefined
  #broken: string | undefined = undefined

  constructor(emit: (piece: ModelPiece) => void, { customTools = new Set(), mode }: ReaderOptions) {
    this.#emit = emit
    this.#raw = mode === "raw"
    this.#customTools = customTools
  }

  /** Whether a piece was emitted. */
  get said(): boolean {
    return this.#said
  }

  /** Whether the answer began, also if nothing of it was emitted. */
  get begun(): boolean {
    return this.#begun
  }

  /** Whether the provider said that the answer is over. */
  get done(): boolean {
    return this.#done
  }

  /** The event or the body that tells of an error. */
  get error(): JsonObject | undefined {
    return this.#error
  }

  /** What is wrong with the answer's form, in our words. */
  get broken(): string | undefined {
    return this.#broken
  }

  get finishReason(): FinishReason | undefined {
    return this.#stopReason === undefined ? undefined : finishOf(this.#stopReason)
  }

  get stopSequence(): string | undefined {
    return this.#stopSequence
  }

  get usage(): Usage | undefined {
    return this.#usage.usage
  }

  get model(): string | undefined {
    return this.#model
  }

  /** The provider's id of the answer. */
  get id(): string | undefined {
    return this.#id
  }

  /** Reads the data of one event. False: it was a keep-alive. */
  data(data: string, name = ""): boolean {
    if (this.#over) return true
    const shape = this.#shape
    if (shape !== undefined) {
      const text = shapedText(data, shape)
      if (text !== undefined) {
        this.#say(text)
        return true
      }
    }
    const event = parsedJson(data)
    if (isJsonObject(event)) return this.#event(event, data, name)
    if (name === "ping") return false
    if (name === "error") this.#error = { type: "error", error: { message: data } }
    else this.#broken ??= "an event that is no object of JSON"
    return true
  }

  /** Reads the whole body of an answer that is not streamed. */
  whole(body: JsonObject): void {
    if (this.#over) return
    if (body["type"] === "error" || isJsonObject(body["error"])) {
      this.#error = body
      return
    }
    const { content } = body
    if (!Array.isArray(content)) {
      this.#broken ??= "a message without content"
      return
    }
    this.#begin(body)
    this.#stop(body)
    if (this.#raw) {
      const text = textOf(body)
      this.#say({ type: "raw", dialect: "anthropic", event: body, ...(text === "" ? {} : { text }) })
    } else this.#content(content)
    this.#finish()
    if (this.#stopReason === undefined) this.#broken ??= "a message without a stop_reason"
    this.#done = true
  }

  get #over(): boolean {
    return this.#done || this.#error !== undefined || this.#broken !== undefined
  }

  #event(event: JsonObject, data: string, name: string): boolean {
    const type = typeof event["type"] === "string" ? event["type"] : name
    switch (type) {
      case "ping":
        return false
      case "error":
        this.#error = event
        return true
      // A whole message, from a server that does not stream.
      case "message":
        this.whole(event)
        return true
      case "message_start":
        this.#start(event)
        return true
      case "message_stop":
        this.#ended(event)
        return true
      case "message_delta":
        this.#usage.read(event["usage"])
        if (isJsonObject(event["delta"])) this.#stop(event["delta"])
        break
      case "":
        if (isJsonObject(event["error"])) this.#error = event
        else this.#broken ??= "an event without a type"
        return true
      default:
        break
    }
    if (this.#raw) this.#pass(event, data)
    else this.#read(type, event)
    return true
  }

  #start(event: JsonObject): void {
    const { message } = event
    if (!isJsonObject(message)) {
      this.#broken ??= "message_start without a message"
      return
    }
    this.#begin(message)
    if (this.#raw) this.#head = event
    else if (Array.isArray(message["content"])) this.#content(message["content"])
  }

  #begin(message: JsonObject): void {
    const { id, model } = message
    this.#begun = true
    this.#id = named(id)
    this.#model = named(model)
    this.#usage.read(message["usage"])
  }

  #stop(delta: JsonObject): void {
    const { stop_reason: reason, stop_sequence: sequence } = delta
    if (typeof reason === "string" && reason !== "") this.#stopReason = reason
    if (typeof sequence === "string") this.#stopSequence = sequence
  }

  #ended(event: JsonObject): void {
    this.#done = true
    if (this.#stopReason === undefined) {
      this.#broken ??= "message_stop without a stop_reason"
      return
    }
    if (this.#raw) {
      this.#opening()
      // The writer ends every whole answer itself; only an end that says more is kept.
      if (Object.keys(event).length > 1) this.#say({ type: "raw", dialect: "anthropic", event })
    } else this.#finish()
  }

  /** Emits what was held until here. */
  #finish(): void {
    if (this.#raw) return
    for (const block of this.#blocks.values()) this.#close(block)
    this.#blocks.clear()
    const stopSequence = this.#stopSequence
    if (stopSequence !== undefined && this.#stopReason === "stop_sequence")
      this.#say({ type: "finish", reason: "stop", stopSequence })
  }

  #say(piece: ModelPiece): void {
    this.#said = true
    this.#emit(piece)
  }

  #opening(): void {
    const head = this.#head
    this.#head = undefined
    if (head !== undefined) this.#say({ type: "raw", dialect: "anthropic", event: head })
  }

  /** An event for a client of the same dialect, as it is. */
  #pass(event: JsonObject, data: string): void {
    this.#opening()
    const text = deltaText(event)
    const shape = text === undefined ? undefined : shapeOf(data, text, deltaText)
    if (
      text !== undefined
      && shape !== undefined
      && sameShape(shape, this.#likely)
      && shapedText(data, shape) === text
    ) {
      this.#shape = shape
      this.#say({ type: "shape", dialect: "anthropic", ...shape })
      this.#say(text)
      return
    }
    if (text !== undefined) this.#likely = shape
    const visible = text ?? startText(event)
    this.#say({ type: "raw", dialect: "anthropic", event, ...(visible === "" ? {} : { text: visible }) })
  }

  /** An event in our own words. Types that are not known say nothing. */
  #read(type: string, event: JsonObject): void {
    const { content_block: block, delta, index } = event
    const at = typeof index === "number" ? index : 0
    switch (type) {
      case "content_block_start":
        if (isJsonObject(block)) this.#open(at, block)
        else this.#broken ??= "content_block_start without a block"
        break
      case "content_block_delta":
        if (isJsonObject(delta)) this.#delta(this.#blocks.get(at), delta)
        else this.#broken ??= "content_block_delta without a delta"
        break
      case "content_block_stop": {
        const open = this.#blocks.get(at)
        this.#blocks.delete(at)
        if (open !== undefined) this.#close(open)
        break
      }
      default:
        break
    }
  }

  /** Blocks that came whole. */
  #content(blocks: ReadonlyArray<unknown>): void {
    for (const block of blocks) {
      if (!isJsonObject(block)) continue
      const opened = this.#open(0, block)
      this.#blocks.delete(0)
      for (const citation of listOf(block["citations"]))
        this.#say({ type: "annotation", dialect: "anthropic", value: citation })
      if (opened !== undefined) this.#close(opened)
    }
  }

  #open(index: number, block: JsonObject): Block | undefined {
    const type = typeof block["type"] === "string" ? block["type"] : ""
    const before = this.#blocks.get(index)
    if (before !== undefined) this.#close(before)
    if (this.#blocks.size >= OPEN_BLOCKS) {
      this.#broken ??= "too many blocks at a time"
      return undefined
    }
    const { id, name, signature } = block
    const isCall = type === "tool_use"
    const tool = typeof name === "string" ? name : ""
    const input = isCall && isJsonObject(block["input"]) ? (jsonOf(block["input"]) ?? "{}") : "{}"
    const opened: Block = {
      type,
      call: isCall ? this.#calls++ : undefined,
      custom: isCall && this.#customTools.has(tool),
      input,
      more: false,
      held: "",
      signature: typeof signature === "string" ? signature : ""
    }
    this.#blocks.set(index, opened)
    if (type === "text" && isText(block["text"])) this.#say(block["text"])
    if (type === "thinking" && isText(block["thinking"])) this.#say({ type: "reasoning", text: block["thinking"] })
    if (type === "redacted_thinking" && isText(block["data"])) this.#say({ type: "encrypted", data: block["data"] })
    if (opened.call !== undefined)
      this.#say({
        type: "tool_call",
        call: opened.call,
        id: typeof id === "string" ? id : "",
        name: tool,
        ...(opened.custom ? { custom: true } : {})
      })
    return opened
  }

  #delta(block: Block | undefined, delta: JsonObject): void {
    switch (delta["type"]) {
      case "text_delta":
        if (isText(delta["text"])) this.#say(delta["text"])
        break
      case "thinking_delta":
        if (isText(delta["thinking"])) this.#say({ type: "reasoning", text: delta["thinking"] })
        break
      case "signature_delta":
        if (block !== undefined && isText(delta["signature"])) block.signature = delta["signature"]
        break
      case "citations_delta":
        if (delta["citation"] !== undefined)
          this.#say({ type: "annotation", dialect: "anthropic", value: delta["citation"] })
        break
      case "input_json_delta":
        this.#input(block, delta["partial_json"])
        break
      default:
        break
    }
  }

  #input(block: Block | undefined, json: unknown): void {
    if (block === undefined) {
      this.#broken ??= "input of a call that did not begin"
      return
    }
    if (block.call === undefined || !isText(json)) return
    block.more = true
    if (block.custom) block.held += json
    else this.#say({ type: "tool_call", call: block.call, arguments: json })
  }

  #close(block: Block): void {
    if (block.signature !== "") this.#say({ type: "signature", signature: block.signature })
    if (block.call === undefined) return
    const text = block.custom ? customText(block.more ? block.held : block.input) : block.more ? "" : block.input
    if (text !== "") this.#say({ type: "tool_call", call: block.call, arguments: text })
  }
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== ""

/** A name that may be shown: printable ASCII, at most 200 characters. */
const named = (value: unknown): string | undefined =>
  typeof value === "string" && /^[\x20-\x7e]{1,200}$/u.test(value) ? value : undefined

const listOf = (value: Json | undefined): ReadonlyArray<Json> =>
  typeof value === "object" && value !== null && Array.isArray(value) ? value : []

const deltaText = (event: unknown): string | undefined => {
  if (!isJsonObject(event) || event["type"] !== "content_block_delta") return undefined
  const { delta } = event
  return isJsonObject(delta) && delta["type"] === "text_delta" && typeof delta["text"] === "string"
    ? delta["text"]
    : undefined
}

/** The text that a block begins with, which is empty at Anthropic. */
const startText = ({ content_block: block, type }: JsonObject): string =>
  type === "content_block_start" && isJsonObject(block) && block["type"] === "text" && isText(block["text"])
    ? block["text"]
    : ""

/** The visible text of a whole message. */
export const textOf = ({ content }: JsonObject): string =>
  listOf(content)
    .map((block) => (isJsonObject(block) && block["type"] === "text" && isText(block["text"]) ? block["text"] : ""))
    .join("")

const customText = (input: string): string => {
  const parsed = parsedJson(input)
  return isJsonObject(parsed) && typeof parsed["input"] === "string" ? parsed["input"] : input
}
