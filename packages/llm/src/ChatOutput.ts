import { isWhole } from "@llm-saas/dialects/chat/ChatWriter"
import { isJsonObject, type JsonObject } from "@llm-saas/domain/Json"
import { type ModelEvent, type ModelPiece, visibleText } from "@llm-saas/domain/ModelEvent"

/** How an answer is read. */
export interface Reading {
  /**
   * `stream`, `whole`: events that are chunks, or one whole answer, are passed on as they came. Others, and all where it is undefined, are
   * canonical pieces.
   */
  readonly raw?: "stream" | "whole" | undefined
  /** Number of answers that were asked for: others are not read. */
  readonly choices: number
  /**
   * For a client that knows only texts and calls of tools: a refusal is a text, thoughts are not shown. So an answer that has nothing but
   * thoughts yet may still be asked for again.
   */
  readonly simple: boolean
  /** Whether only we asked for the usage of the stream: an event of nothing else is not passed on. */
  readonly ownUsage: boolean
  /** An id for calls of tools that have none. */
  readonly newId: () => string
}

/** As a text alone. */
export const TEXTS: Reading = { choices: 1, simple: true, ownUsage: true, newId: () => "call" }

/** Most events that wait for the first one that shows something. */
const MOST_HELD = 16

/** The pieces of an answer: as they are read, or the events that they are in as they came. */
export class ChatOutput {
  readonly #emit: (piece: ModelPiece) => void
  readonly #reading: Reading
  /** While an event is read that is passed on as it came. Its pieces are not emitted. */
  #passing: { readonly event: JsonObject; text: string; shows: boolean } | undefined = undefined
  readonly #held: Array<ModelEvent> = []
  #passedWhole = false
  /** Whether a piece was emitted. */
  said = false

  constructor(emit: (piece: ModelPiece) => void, reading: Reading) {
    this.#emit = emit
    this.#reading = reading
  }

  /** Whether the event that is read is passed on as it came. */
  get passing(): boolean {
    return this.#passing !== undefined
  }

  /** An event begins. */
  begin(chunk: object): void {
    if (this.#reading.raw === undefined || !isJsonObject(chunk)) return
    if (this.#passes(chunk)) this.#passing = { event: chunk, text: "", shows: false }
  }

  /** The event that is read shows something, beside its pieces. */
  shows(): void {
    if (this.#passing !== undefined) this.#passing.shows = true
  }

  piece(piece: ModelPiece): void {
    if (this.#passing === undefined) return this.now(piece)
    this.#passing.shows = true
    this.#passing.text += visibleText(piece)
  }

  /** A piece that is in no event which is passed on. */
  now(piece: ModelPiece): void {
    if (this.#held.length > 0) this.release()
    this.said = true
    this.#emit(piece)
  }

  /** The event was read. It waits until one shows something: until then the question may be asked again. */
  end(failed: boolean): void {
    const passing = this.#passing
    this.#passing = undefined
    if (passing === undefined || failed) return
    const { event, shows, text } = passing
    this.#held.push({ type: "raw", dialect: "chat", event, ...(text === "" ? {} : { text }) })
    if (this.said || shows || this.#held.length > MOST_HELD) this.release()
  }

  /** Emits the events that wait. */
  release(): void {
    for (const event of this.#held.splice(0)) {
      this.said = true
      this.#emit(event)
    }
  }

  #passes(chunk: JsonObject): boolean {
    const { ownUsage, raw } = this.#reading
    if (raw === "whole") {
      const first = isWhole(chunk) && !this.#passedWhole
      this.#passedWhole ||= first
      return first
    }
    const { choices, usage } = chunk
    const isUsage = Array.isArray(choices) && choices.length === 0 && isJsonObject(usage)
    return !isWhole(chunk) && !(ownUsage && isUsage)
  }
}
