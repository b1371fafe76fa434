import { isJsonObject, type Json, type JsonObject } from "@llm-saas/domain/Json"
import type { ModelPiece } from "@llm-saas/domain/ModelEvent"
import { isList } from "../RequestFields.ts"
import { jsonOf, parsedJson } from "./JsonText.ts"

/** A block that has begun and has not ended. */
interface Block {
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
 * Reads content blocks, in events or whole, and emits what they are in our own words. Types of blocks and deltas that are not known say
 * nothing. Each method returns what is wrong with the blocks, in our words.
 */
export class BlockReader {
  readonly #emit: (piece: ModelPiece) => void
  readonly #customTools: ReadonlySet<string>
  readonly #blocks = new Map<number, Block>()
  #calls = 0

  /** `customTools`: those that take a text and no object. */
  constructor(emit: (piece: ModelPiece) => void, customTools: ReadonlySet<string>) {
    this.#emit = emit
    this.#customTools = customTools
  }

  /** One event. */
  event(type: string, { content_block: block, delta, index }: JsonObject): string | undefined {
    const at = typeof index === "number" ? index : 0
    switch (type) {
      case "content_block_start":
        return isJsonObject(block) ? this.#start(at, block) : "content_block_start without a block"
      case "content_block_delta":
        return isJsonObject(delta) ? this.#delta(this.#blocks.get(at), delta) : "content_block_delta without a delta"
      case "content_block_stop": {
        const open = this.#blocks.get(at)
        this.#blocks.delete(at)
        if (open !== undefined) this.#close(open)
        return undefined
      }
      default:
        return undefined
    }
  }

  /** Blocks that came whole. */
  whole(blocks: ReadonlyArray<unknown>): void {
    for (const block of blocks) {
      if (!isJsonObject(block)) continue
      const opened = this.#open(block)
      if (isList(block["citations"])) for (const citation of block["citations"]) this.#cite(citation)
      this.#close(opened)
    }
  }

  /** Ends what was not ended. */
  end(): void {
    for (const block of this.#blocks.values()) this.#close(block)
    this.#blocks.clear()
  }

  #start(index: number, block: JsonObject): string | undefined {
    const before = this.#blocks.get(index)
    if (before !== undefined) this.#close(before)
    if (this.#blocks.size >= OPEN_BLOCKS) return "too many blocks at a time"
    this.#blocks.set(index, this.#open(block))
    return undefined
  }

  #open(block: JsonObject): Block {
    const { data, id, input, name, signature, text, thinking, type } = block
    const opened: Block = {
      call: type === "tool_use" ? this.#calls++ : undefined,
      custom: type === "tool_use" && typeof name === "string" && this.#customTools.has(name),
      input: type === "tool_use" && isJsonObject(input) ? (jsonOf(input) ?? "{}") : "{}",
      more: false,
      held: "",
      signature: typeof signature === "string" ? signature : ""
    }
    if (type === "text" && isText(text)) this.#emit(text)
    if (type === "thinking" && isText(thinking)) this.#emit({ type: "reasoning", text: thinking })
    if (type === "redacted_thinking" && isText(data)) this.#emit({ type: "encrypted", data })
    if (opened.call !== undefined)
      this.#emit({
        type: "tool_call",
        call: opened.call,
        id: typeof id === "string" ? id : "",
        name: typeof name === "string" ? name : "",
        ...(opened.custom ? { custom: true } : {})
      })
    return opened
  }

  #delta(block: Block | undefined, delta: JsonObject): string | undefined {
    const { citation, partial_json: json, signature, text, thinking, type } = delta
    switch (type) {
      case "text_delta":
        if (isText(text)) this.#emit(text)
        return undefined
      case "thinking_delta":
        if (isText(thinking)) this.#emit({ type: "reasoning", text: thinking })
        return undefined
      case "signature_delta":
        if (block !== undefined && isText(signature)) block.signature = signature
        return undefined
      case "citations_delta":
        if (citation !== undefined) this.#cite(citation)
        return undefined
      case "input_json_delta":
        if (block === undefined) return "input of a call that did not begin"
        this.#input(block, json)
        return undefined
      default:
        return undefined
    }
  }

  #cite(citation: Json): void {
    this.#emit({ type: "annotation", dialect: "anthropic", value: citation })
  }

  #input(block: Block, json: unknown): void {
    if (block.call === undefined || !isText(json)) return
    block.more = true
    if (block.custom) block.held += json
    else this.#emit({ type: "tool_call", call: block.call, arguments: json })
  }

  #close(block: Block): void {
    if (block.signature !== "") this.#emit({ type: "signature", signature: block.signature })
    if (block.call === undefined) return
    const text = block.custom ? customText(block.more ? block.held : block.input) : block.more ? "" : block.input
    if (text !== "") this.#emit({ type: "tool_call", call: block.call, arguments: text })
  }
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== ""

const customText = (input: string): string => {
  const parsed = parsedJson(input)
  return isJsonObject(parsed) && typeof parsed["input"] === "string" ? parsed["input"] : input
}
