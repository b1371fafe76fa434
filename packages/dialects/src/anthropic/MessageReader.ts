import type { FinishReason } from "@llm-saas/domain/Generation"
import { isJsonObject, type JsonObject } from "@llm-saas/domain/Json"
import type { ModelPiece } from "@llm-saas/domain/ModelEvent"
import type { Usage } from "@llm-saas/domain/Usage"
import { sameShape, type Shape, shapedText, shapeOf } from "../Shape.ts"
import { BlockReader } from "./BlockReader.ts"
import { deltaText, messageText, startText } from "./EventText.ts"
import { parsedJson } from "./JsonText.ts"
import { UsageReader } from "./MessageUsage.ts"
import { finishOf, isGivenUp } from "./StopReasons.ts"

/** How an answer is read. */
export interface ReaderOptions {
  /** `raw`: for a client that speaks this dialect, as the events are. `canonical`: for any other. */
  readonly mode: "raw" | "canonical"
  /** Tools of the request that take a text and no object: see `CUSTOM_INPUT` in `MessagesBody`. */
  readonly customTools?: ReadonlySet<string> | undefined
}

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
  readonly #usage = new UsageReader()
  /** In our own words. */
  readonly #blocks: BlockReader
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
    this.#blocks = new BlockReader((piece) => this.#say(piece), customTools)
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

  /** How the provider says it served the answer. */
  get tier(): string | undefined {
    return this.#usage.tier
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
    if (this.#error !== undefined) return
    if (this.#raw) {
      const text = messageText(body)
      this.#say({ type: "raw", dialect: "anthropic", event: body, ...(text === "" ? {} : { text }) })
    } else this.#blocks.whole(content)
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
        if (this.#error !== undefined) return true
        break
      case "":
        if (isJsonObject(event["error"])) this.#error = event
        else this.#broken ??= "an event without a type"
        return true
      default:
        break
    }
    if (this.#raw) this.#pass(event, data)
    else this.#broken ??= this.#blocks.event(type, event)
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
    else if (Array.isArray(message["content"])) this.#blocks.whole(message["content"])
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
    if (this.#stopReason !== undefined && isGivenUp(this.#stopReason))
      this.#error = { type: "error", error: { type: "api_error", message: "The server gave up." } }
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
    this.#blocks.end()
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
}

/** A name that may be shown: printable ASCII, at most 200 characters. */
const named = (value: unknown): string | undefined =>
  typeof value === "string" && /^[\x20-\x7e]{1,200}$/u.test(value) ? value : undefined
