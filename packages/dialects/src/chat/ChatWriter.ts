import { isJsonObject, type JsonObject } from "@llm-saas/domain/Json"
import { isEvent, type ModelEvent, pieceOf } from "@llm-saas/domain/ModelEvent"
import { answerId } from "../AnswerId.ts"
import type { AnswerEnd, AnswerHead, AnswerWriter, DoorError } from "../AnswerWriter.ts"
import { isList } from "../RequestFields.ts"
import { lineOf } from "../ServerSentEvent.ts"
import { type ChatDelta, ChatDeltas, deltasIn, isLegacy } from "./ChatDelta.ts"
import { chatError } from "./ChatErrors.ts"
import { asksUsage } from "./ChatForward.ts"
import { ShapedTexts } from "./ChatShape.ts"
import { chatUsageOf } from "./ChatUsage.ts"

/** The prefix of ids of chat completions. */
export const CHAT_ID = "chatcmpl-"

const DONE = "data: [DONE]\n\n"
const frame = (data: JsonObject) => `data: ${lineOf(JSON.stringify(data))}\n\n`

/** Writes an answer as the chunks of a chat completion. */
export const chatWriter = (head: AnswerHead): AnswerWriter => new ChatWriter(head)

class ChatWriter implements AnswerWriter {
  readonly #id: string
  readonly #head: AnswerHead
  readonly #usageAsked: boolean
  readonly #legacy: boolean
  readonly #deltas: ChatDeltas
  /** Choices of which something was written, and those that ended. */
  readonly #begun = new Set<number>()
  readonly #finished = new Set<number>()
  readonly #called = new Set<number>()
  #counted = false
  /** How texts are written: around a text in JSON. */
  #before = ""
  #after = ""
  #shaped: ShapedTexts | undefined = undefined

  constructor(head: AnswerHead) {
    this.#head = head
    this.#id = answerId(CHAT_ID, head.generationId)
    this.#usageAsked = asksUsage(head.request)
    this.#legacy = isLegacy(head.request)
    this.#deltas = new ChatDeltas(this.#legacy)
  }

  readonly begin = (): string => ""

  readonly entry = (entry: string): string => {
    if (!isEvent(entry)) return this.#text(entry)
    const piece = pieceOf(entry)
    return typeof piece === "string" ? this.#text(piece) : this.#event(piece)
  }

  readonly end = ({ finishReason, usage }: AnswerEnd): string => {
    let text = ""
    for (const choice of new Set([0, ...this.#begun]))
      if (!this.#finished.has(choice))
        text += this.#delta({ choice, delta: {}, finish: choice === 0 ? finishReason : "stop" })
    if (this.#usageAsked && !this.#counted && usage !== undefined)
      text += frame({ ...this.#chunk([]), usage: chatUsageOf(usage) })
    return text + DONE
  }

  readonly failure = (error: DoorError): string => frame(chatError(error))

  #text(text: string): string {
    if (text === "") return ""
    if (this.#shaped !== undefined) return this.#shaped.frame(text)
    if (!this.#begun.has(0)) return this.#delta({ choice: 0, delta: { content: text } })
    this.#deltas.text()
    if (this.#before === "") {
      const [before, after] = frame(this.#chunk([chatChoice({ choice: 0, delta: { content: "" } })])).split(
        '"content":""'
      )
      this.#before = `${before ?? ""}"content":`
      this.#after = after ?? ""
    }
    return this.#before + lineOf(JSON.stringify(text)) + this.#after
  }

  #event(event: ModelEvent): string {
    if (event.type === "shape" && event.dialect === "chat") {
      this.#shaped = new ShapedTexts(event, this.#id)
      this.#begun.add(0)
      return ""
    }
    if (event.type === "raw" && event.dialect === "chat") return this.#raw(event.event)
    const delta = this.#deltas.of(event)
    return delta === undefined ? "" : this.#delta(delta)
  }

  /** An event of the provider's own is written as it came, with our id. */
  #raw(event: JsonObject): string {
    const deltas = deltasIn(event)
    for (const { choice, delta, finish } of deltas) {
      this.#begun.add(choice)
      if (finish !== undefined) this.#finished.add(choice)
      if ("tool_calls" in delta) this.#called.add(choice)
    }
    if (isJsonObject(event["usage"])) this.#counted = true
    if (!isWhole(event)) return frame("id" in event ? { ...event, id: this.#id } : event)
    // A whole answer in a stream: each of its choices is one chunk.
    return frame({
      ...this.#chunk(deltas.map(chatChoice)),
      ...(this.#usageAsked && isJsonObject(event["usage"]) ? { usage: event["usage"] } : {})
    })
  }

  #delta({ choice, delta, finish }: ChatDelta): string {
    if ("tool_calls" in delta || "function_call" in delta) this.#called.add(choice)
    const first = !this.#begun.has(choice)
    this.#begun.add(choice)
    if (finish !== undefined) this.#finished.add(choice)
    const reason = finish === undefined ? undefined : finishWord(finish, this.#called.has(choice), this.#legacy)
    const content = "tool_calls" in delta || "function_call" in delta ? null : ""
    const role = first ? { role: "assistant", content } : {}
    return frame(this.#chunk([chatChoice({ choice, delta: { ...role, ...delta }, finish: reason })]))
  }

  #chunk(choices: ReadonlyArray<JsonObject>): JsonObject {
    return {
      id: this.#id,
      object: "chat.completion.chunk",
      created: this.#head.createdAt,
      model: this.#head.model,
      choices,
      ...(this.#usageAsked ? { usage: null } : {})
    }
  }
}

const chatChoice = ({ choice, delta, finish }: ChatDelta): JsonObject => ({
  index: choice,
  delta,
  logprobs: null,
  finish_reason: finish ?? null
})

/** Whether it is a whole answer and no chunk. */
export const isWhole = ({ choices }: JsonObject): boolean =>
  isList(choices) && choices.some((choice) => isJsonObject(choice) && isJsonObject(choice["message"]))

/** The reason as Chat Completions names it. A choice with calls ended for them, whatever the provider says. */
export const finishWord = (reason: string, called: boolean, legacy: boolean): string => {
  if (called && (reason === "stop" || reason === "tool_calls" || reason === "other"))
    return legacy ? "function_call" : "tool_calls"
  return reason === "other" ? "stop" : reason
}
