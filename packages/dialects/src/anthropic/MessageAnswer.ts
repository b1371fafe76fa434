import type { Json, JsonObject } from "@llm-saas/domain/Json"
import { type ModelEvent, pieceOf } from "@llm-saas/domain/ModelEvent"
import { answerId } from "../AnswerId.ts"
import type { WholeAnswer } from "../AnswerWriter.ts"
import { estimatedOutput, estimatedTokens, utf8Length } from "./InputEstimate.ts"
import { inputOf } from "./JsonText.ts"
import { usageBody } from "./MessageUsage.ts"
import { ID_PREFIX } from "./MessageWriter.ts"
import { RawMessage } from "./RawMessage.ts"
import { stopOf } from "./StopReasons.ts"

/** The answer of `POST /v1/messages` without `stream`. */
export const messageAnswer: WholeAnswer = (head, entries, { finishReason, model, usage }) => {
  const id = answerId(ID_PREFIX, head.generationId)
  const content = new Content()
  for (const entry of entries) {
    const piece = pieceOf(entry)
    if (typeof piece !== "string") content.event(piece)
    else content.text(piece)
  }
  const own = content.raw.message
  if (own !== undefined) return { ...own, id }
  const { called, refused, stopSequence } = content
  const stopReason = stopOf(finishReason, { called, refused, stopSequence })
  return {
    id,
    type: "message",
    role: "assistant",
    model: model ?? head.model,
    content: content.blocks,
    stop_reason: stopReason,
    stop_sequence: stopReason === "stop_sequence" ? (stopSequence ?? null) : null,
    usage: usageBody(usage ?? { input: estimatedTokens(head.request), output: estimatedOutput(content.bytes) })
  }
}

/** A block as it grows. */
type Block =
  | { readonly kind: "text"; readonly texts: Array<string>; readonly citations: Array<Json> }
  | { readonly kind: "thinking"; readonly texts: Array<string>; signature: string }
  | { readonly kind: "redacted"; readonly data: string }
  | {
      readonly kind: "tool"
      readonly id: string
      readonly name: string
      readonly custom: boolean
      readonly texts: Array<string>
    }

/** The content that the entries of a log make. */
class Content {
  readonly raw = new RawMessage()
  readonly #blocks: Array<Block> = []
  readonly #calls = new Map<number, Extract<Block, { readonly kind: "tool" }>>()
  refused = false
  stopSequence: string | undefined = undefined
  /** UTF-8 bytes, for providers that do not count. */
  bytes = 0

  get called(): boolean {
    return this.#calls.size > 0
  }

  get blocks(): ReadonlyArray<JsonObject> {
    return this.#blocks.map(blockBody)
  }

  text(text: string): void {
    if (text === "" || this.raw.text(text)) return
    this.bytes += utf8Length(text)
    const last = this.#blocks.at(-1)
    if (last?.kind === "text") last.texts.push(text)
    else this.#blocks.push({ kind: "text", texts: [text], citations: [] })
  }

  event(event: ModelEvent): void {
    if ("choice" in event && (event.choice ?? 0) !== 0) return
    switch (event.type) {
      case "raw":
        if (event.dialect === "anthropic") this.raw.event(event.event)
        else this.text(event.text ?? "")
        break
      case "shape":
        this.raw.shape(event)
        break
      case "refusal":
        this.refused = true
        this.text(event.text)
        break
      case "reasoning":
        this.bytes += utf8Length(event.text)
        this.#thinking().texts.push(event.text)
        break
      case "signature":
        this.#thinking().signature = event.signature
        break
      case "encrypted":
        this.#blocks.push({ kind: "redacted", data: event.data })
        break
      case "annotation": {
        const last = this.#blocks.at(-1)
        if (event.dialect === "anthropic" && last?.kind === "text") last.citations.push(event.value)
        break
      }
      case "tool_call":
        this.#call(event)
        break
      case "finish":
        if (event.stopSequence !== undefined) this.stopSequence = event.stopSequence
        break
      case "text":
        break
    }
  }

  /** The block of thoughts that is not signed yet, or a new one. */
  #thinking(): Extract<Block, { readonly kind: "thinking" }> {
    const last = this.#blocks.at(-1)
    if (last?.kind === "thinking" && last.signature === "") return last
    const next: Block = { kind: "thinking", texts: [], signature: "" }
    this.#blocks.push(next)
    return next
  }

  #call({
    arguments: text = "",
    call,
    custom = false,
    id,
    name
  }: Extract<ModelEvent, { readonly type: "tool_call" }>): void {
    this.bytes += utf8Length(text)
    const known = this.#calls.get(call)
    if (known !== undefined) {
      known.texts.push(text)
      return
    }
    const block: Extract<Block, { readonly kind: "tool" }> = {
      kind: "tool",
      id: id ?? `toolu_${call}`,
      name: name ?? "",
      custom,
      texts: [text]
    }
    this.#calls.set(call, block)
    this.#blocks.push(block)
  }
}

const blockBody = (block: Block): JsonObject => {
  switch (block.kind) {
    case "text":
      return {
        type: "text",
        text: block.texts.join(""),
        ...(block.citations.length === 0 ? {} : { citations: block.citations })
      }
    case "thinking":
      return { type: "thinking", thinking: block.texts.join(""), signature: block.signature }
    case "redacted":
      return { type: "redacted_thinking", data: block.data }
    case "tool": {
      const text = block.texts.join("")
      return { type: "tool_use", id: block.id, name: block.name, input: block.custom ? { input: text } : inputOf(text) }
    }
  }
}
