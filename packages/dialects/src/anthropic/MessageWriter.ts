import { isJsonObject, type JsonObject } from "@llm-saas/domain/Json"
import { type ModelEvent, pieceOf } from "@llm-saas/domain/ModelEvent"
import { answerId } from "../AnswerId.ts"
import type { AnswerEnd, AnswerHead, AnswerWriter, DoorError } from "../AnswerWriter.ts"
import { lineOf } from "../ServerSentEvent.ts"
import type { Shape } from "../Shape.ts"
import { BlockWriter } from "./BlockWriter.ts"
import { errorBody } from "./Errors.ts"
import { estimatedOutput, estimatedTokens, utf8Length } from "./InputEstimate.ts"
import { eventOf } from "./MessageEvent.ts"
import { MessageReader } from "./MessageReader.ts"
import { usageBody } from "./MessageUsage.ts"
import { stopOf } from "./StopReasons.ts"

/** The prefix of an answer's id. */
export const ID_PREFIX = "msg_"

/** The answer of `POST /v1/messages` with `stream: true`. */
export const messageWriter = (head: AnswerHead): AnswerWriter => new MessageWriter(head)

/**
 * States: nothing is written until the first entry, because the provider's own `message_start` may be that one; then open blocks, as
 * {@link BlockWriter} has them, or the provider's own events; then the end.
 */
class MessageWriter implements AnswerWriter {
  readonly #head: AnswerHead
  #blocks = new BlockWriter()
  #started = false
  /** Whether the provider's own end was written, all but its last event. */
  #stopped = false
  /** The provider's own last event. It is written only after a whole answer. */
  #last: JsonObject | undefined = undefined
  #shape: Shape | undefined = undefined
  #stopSequence: string | undefined = undefined
  #refused = false
  /** Bytes of the answer, for providers that do not count. */
  #bytes = 0

  constructor(head: AnswerHead) {
    this.#head = head
  }

  readonly begin = (): string => ""

  readonly entry = (entry: string): string => {
    const piece = pieceOf(entry)
    if (typeof piece !== "string") return this.#event(piece)
    const shape = this.#shape
    if (shape !== undefined)
      return `event: content_block_delta\ndata: ${lineOf(`${shape.before}${JSON.stringify(piece)}${shape.after}`)}\n\n`
    this.#bytes += utf8Length(piece)
    return this.#start() + this.#blocks.text(piece)
  }

  readonly end = ({ finishReason, usage }: AnswerEnd): string => {
    if (this.#stopped) return eventOf(this.#last ?? { type: "message_stop" })
    const start = this.#start()
    const blocks = this.#blocks.end()
    const counted = usage ?? {
      input: estimatedTokens(this.#head.request),
      output: estimatedOutput(this.#bytes)
    }
    const stopReason = stopOf(finishReason, {
      stopSequence: this.#stopSequence,
      called: this.#blocks.called,
      refused: this.#refused
    })
    const stopSequence = stopReason === "stop_sequence" ? (this.#stopSequence ?? null) : null
    return (
      start
      + blocks
      + eventOf({
        type: "message_delta",
        delta: { stop_reason: stopReason, stop_sequence: stopSequence },
        usage: usageBody(counted)
      })
      + eventOf({ type: "message_stop" })
    )
  }

  readonly failure = (error: DoorError): string => eventOf(errorBody(error))

  #start(): string {
    if (this.#started) return ""
    this.#started = true
    const { generationId, model, request } = this.#head
    return eventOf({
      type: "message_start",
      message: {
        id: answerId(ID_PREFIX, generationId),
        type: "message",
        role: "assistant",
        model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        // Clients show and add up these; the provider's count may come only at the end.
        usage: usageBody({ input: estimatedTokens(request), output: 0 })
      }
    })
  }

  #event(event: ModelEvent): string {
    switch (event.type) {
      case "raw":
        return event.dialect === "anthropic" ? this.#raw(event.event) : this.#text(event.text ?? "")
      case "shape":
        // Texts in the shape of another dialect are texts.
        this.#shape = event.dialect === "anthropic" ? { before: event.before, after: event.after } : undefined
        return ""
      case "refusal":
        if ((event.choice ?? 0) !== 0) return ""
        this.#refused = true
        return this.#text(event.text)
      case "finish":
        if ((event.choice ?? 0) === 0 && event.stopSequence !== undefined) this.#stopSequence = event.stopSequence
        return ""
      case "reasoning":
      case "tool_call":
        if ((event.choice ?? 0) !== 0) return ""
        this.#bytes += utf8Length((event.type === "reasoning" ? event.text : event.arguments) ?? "")
        return this.#start() + this.#blocks.event(event)
      case "signature":
      case "encrypted":
      case "annotation":
        return this.#start() + this.#blocks.event(event)
      // Of another choice than the first: this dialect has one.
      case "text":
        return ""
    }
  }

  #text(text: string): string {
    if (text === "") return ""
    this.#bytes += utf8Length(text)
    return this.#start() + this.#blocks.text(text)
  }

  /** The provider's own event, as it came, but for the answer's id. */
  #raw(event: JsonObject): string {
    const { delta, message, type } = event
    switch (type) {
      case "message":
        return this.#whole(event)
      case "message_start":
        if (this.#started) return ""
        this.#started = true
        return eventOf({
          ...event,
          ...(isJsonObject(message)
            ? { message: { ...message, id: answerId(ID_PREFIX, this.#head.generationId) } }
            : {})
        })
      case "message_stop":
        this.#last = event
        return ""
      case "message_delta":
        if (isJsonObject(delta) && typeof delta["stop_reason"] === "string") this.#stopped = true
        break
      default:
        this.#blocks.foreign(event)
    }
    return this.#start() + eventOf(event)
  }

  /** A whole message that is told as a stream: the request was asked for at once, and a repetition of it wants events. */
  #whole(message: JsonObject): string {
    let written = ""
    const reader = new MessageReader(
      (piece) => {
        written += typeof piece === "string" ? this.#text(piece) : this.#event(piece)
      },
      { mode: "canonical" }
    )
    reader.whole(message)
    return written
  }
}
