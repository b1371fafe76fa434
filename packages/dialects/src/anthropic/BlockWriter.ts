import { isJsonObject, type JsonObject } from "@llm-saas/domain/Json"
import type { ModelEvent } from "@llm-saas/domain/ModelEvent"
import { JsonEnd } from "./JsonEnd.ts"
import { lineOf } from "../ServerSentEvent.ts"
import { eventOf } from "./MessageEvent.ts"

type Piece = Extract<
  ModelEvent,
  { readonly type: "reasoning" | "signature" | "encrypted" | "tool_call" | "annotation" }
>

/** A block that has begun, or waits for its turn with what came of it. */
interface Block {
  readonly kind: "text" | "thinking" | "tool" | "redacted"
  readonly start: JsonObject
  readonly call: number | undefined
  /** Where the input of a call ends; undefined for a custom tool, whose text is put into an object. */
  readonly end: JsonEnd | undefined
  readonly custom: boolean
  /** Deltas that came before its turn. */
  waiting: Array<JsonObject>
  /** Whether nothing more comes: a text ends with the next block, a call with its input. */
  over: boolean
}

/**
 * Writes content blocks one after the other: each is started once and stopped once, with the next index, and deltas are only inside. A
 * provider may send the inputs of several calls in turns, which this dialect cannot tell: a block then waits until the one before it is
 * complete, or the answer is.
 */
export class BlockWriter {
  /** The index of the next block. */
  #next = 0
  #open: Block | undefined = undefined
  /** Blocks that wait, in order. */
  readonly #waiting: Array<Block> = []
  /** The provider's own block that is open. */
  #foreign: { readonly index: number; readonly isText: boolean } | undefined = undefined
  readonly #calls = new Map<number, Block>()

  /** Whether the model called a tool. */
  get called(): boolean {
    return this.#calls.size > 0
  }

  text(text: string): string {
    const foreign = this.#foreign
    if (foreign?.isText === true) return textDelta(foreign.index, text)
    const before = this.#latest
    if (before?.kind === "text" && !before.over)
      return this.#open === before ? textDelta(this.#next - 1, text) : this.#add(before, { type: "text_delta", text })
    return this.#begin(block("text", { type: "text", text: "" }), { type: "text_delta", text })
  }

  event(piece: Piece): string {
    switch (piece.type) {
      case "reasoning":
        return this.#thought({ type: "thinking_delta", thinking: piece.text })
      case "signature": {
        const written = this.#thought({ type: "signature_delta", signature: piece.signature })
        const thinking = this.#latest
        if (thinking !== undefined) thinking.over = true
        return written
      }
      case "encrypted": {
        const redacted = block("redacted", { type: "redacted_thinking", data: piece.data })
        redacted.over = true
        return this.#begin(redacted)
      }
      case "annotation": {
        const before = this.#latest
        // A citation belongs to a text, and in this dialect only to one of its own.
        if (piece.dialect !== "anthropic" || before?.kind !== "text" || before.over) return ""
        return this.#add(before, { type: "citations_delta", citation: piece.value })
      }
      case "tool_call":
        return this.#call(piece)
    }
  }

  /** An event that the provider wrote itself: its block counts too. */
  foreign({ content_block: content, index, type }: JsonObject): void {
    const at = typeof index === "number" ? index : this.#next
    if (type === "content_block_start") {
      this.#foreign = { index: at, isText: isJsonObject(content) && content["type"] === "text" }
      this.#next = Math.max(this.#next, at + 1)
    } else if (type === "content_block_stop") this.#foreign = undefined
  }

  /** Ends what is open and writes what waits. */
  end(): string {
    let written = this.#closeForeign()
    while (this.#open !== undefined) written += this.#close()
    return written
  }

  get #latest(): Block | undefined {
    return this.#waiting.at(-1) ?? this.#open
  }

  #thought(thought: JsonObject): string {
    const before = this.#latest
    if (before?.kind === "thinking" && !before.over) return this.#add(before, thought)
    return this.#begin(block("thinking", { type: "thinking", thinking: "", signature: "" }), thought)
  }

  #call({
    arguments: text = "",
    call,
    custom = false,
    id,
    name
  }: Extract<Piece, { readonly type: "tool_call" }>): string {
    const known = this.#calls.get(call)
    let written = ""
    let tool = known
    if (tool === undefined) {
      tool = toolBlock(call, custom, id, name)
      this.#calls.set(call, tool)
      written = this.#begin(tool)
    }
    if (text === "" || tool.over) return written
    tool.end?.push(text)
    written += this.#add(tool, {
      type: "input_json_delta",
      partial_json: tool.custom ? JSON.stringify(text).slice(1, -1) : text
    })
    if (tool.end?.complete === true) {
      tool.over = true
      if (this.#open === tool && this.#waiting.length > 0) written += this.#advance()
    }
    return written
  }

  #begin(next: Block, first?: JsonObject): string {
    if (first !== undefined) next.waiting.push(first)
    const before = this.#latest
    // A text, thoughts and a custom tool's text end where something else begins.
    if (before !== undefined && (before.kind !== "tool" || before.custom)) before.over = true
    this.#waiting.push(next)
    return this.#advance()
  }

  /** Ends blocks that are over, as long as others wait, and starts those. */
  #advance(): string {
    let written = this.#closeForeign()
    while (this.#waiting.length > 0 && (this.#open === undefined || this.#open.over)) {
      written += this.#open === undefined ? this.#start() : this.#close()
    }
    return written
  }

  #start(): string {
    const next = this.#waiting.shift()
    this.#open = next
    if (next === undefined) return ""
    const index = this.#next++
    let written = eventOf({ type: "content_block_start", index, content_block: next.start })
    for (const each of next.waiting) written += delta(index, each)
    next.waiting = []
    return written
  }

  /** Stops the open block and starts the one that waits. */
  #close(): string {
    const open = this.#open
    if (open === undefined) return ""
    open.over = true
    this.#open = undefined
    const index = this.#next - 1
    const tail = open.custom ? delta(index, { type: "input_json_delta", partial_json: '"}' }) : ""
    const stop = eventOf({ type: "content_block_stop", index })
    return tail + stop + (this.#waiting.length > 0 ? this.#start() : "")
  }

  #closeForeign(): string {
    const foreign = this.#foreign
    this.#foreign = undefined
    return foreign === undefined ? "" : eventOf({ type: "content_block_stop", index: foreign.index })
  }

  #add(to: Block, more: JsonObject): string {
    if (this.#open === to) return delta(this.#next - 1, more)
    to.waiting.push(more)
    return ""
  }
}

/** As {@link delta}, for the most frequent event: 0.4 µs instead of 1.0. */
const textDelta = (index: number, text: string): string =>
  `event: content_block_delta\ndata: {"type":"content_block_delta","index":${index},"delta":{"type":"text_delta","text":${lineOf(JSON.stringify(text))}}}\n\n`

const delta = (index: number, more: JsonObject): string => eventOf({ type: "content_block_delta", index, delta: more })

const block = (kind: Block["kind"], start: JsonObject): Block => ({
  kind,
  start,
  call: undefined,
  end: undefined,
  custom: false,
  waiting: [],
  over: false
})

const toolBlock = (call: number, custom: boolean, id: string | undefined, name: string | undefined): Block => ({
  kind: "tool",
  start: { type: "tool_use", id: id ?? `toolu_${call}`, name: name ?? "", input: {} },
  call,
  end: custom ? undefined : new JsonEnd(),
  custom,
  waiting: custom ? [{ type: "input_json_delta", partial_json: '{"input":"' }] : [],
  over: false
})
