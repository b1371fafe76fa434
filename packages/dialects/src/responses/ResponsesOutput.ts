import { isJsonObject, type Json, type JsonObject } from "@llm-saas/domain/Json"
import { isEvent, type ModelEvent, pieceOf } from "@llm-saas/domain/ModelEvent"
import type { AnswerHead } from "../AnswerWriter.ts"
import { isList } from "../RequestFields.ts"
import { itemId, type ItemPrefix } from "./ResponsesIds.ts"
import {
  type CallItem,
  type Growing,
  type Item,
  itemJson,
  isSummary,
  type MessageItem,
  type MessagePart,
  partJson,
  type ReasoningItem,
  type Status,
  SUMMARY,
  THOUGHTS,
  thoughtsJson
} from "./ResponsesItem.ts"
import { sealed, signed } from "./ResponsesThoughts.ts"

// Longer than other files: the states of an output's items, which one class has to keep together.

/** Takes the events of an output, in order. */
export interface OutputSink {
  readonly event: (type: string, members: JsonObject) => void
  /** More of a text, which is by far the most frequent event. */
  readonly delta: (growing: Growing, text: string) => void
}

/** For an output of which only the items are wanted. */
export const NO_SINK: OutputSink = { event: () => {}, delta: () => {} }

type ToolCall = Extract<ModelEvent, { readonly type: "tool_call" }>

/**
 * The items of a response's output, put together of the entries of its log, with the events that tell how they grow. The same entries make
 * the same events, whenever and wherever they are read.
 *
 * At most one message or block of thoughts is open at a time: it ends when anything else begins. Calls are open until the end, because
 * providers may send the arguments of several in turn.
 */
export class ResponsesOutput {
  readonly #generationId: string
  readonly #sink: OutputSink
  /** Clients that ask for a summary look for thoughts there, and others where thoughts are. */
  readonly #summary: boolean
  readonly #encrypted: boolean
  readonly #items: Array<Item> = []
  readonly #calls = new Map<number, CallItem>()
  #open: MessageItem | ReasoningItem | undefined = undefined
  #part: MessagePart | undefined = undefined
  /** The text that a provider's own events began: plain texts go on with it. */
  #rawText: Growing | undefined = undefined
  /** The response as a provider that speaks Responses ended it, or sent it as a whole. */
  #provider: JsonObject | undefined = undefined

  /** `encrypted`: whether encrypted thoughts are shown although the client did not ask for them. */
  constructor({ generationId, request }: AnswerHead, sink: OutputSink, encrypted = false) {
    this.#generationId = generationId
    this.#sink = sink
    const { include, reasoning } = request
    this.#summary = isJsonObject(reasoning) && (reasoning["summary"] ?? reasoning["generate_summary"] ?? null) !== null
    this.#encrypted = encrypted || (isList(include) && include.includes("reasoning.encrypted_content"))
  }

  /** The items as they are now. */
  get items(): ReadonlyArray<JsonObject> {
    return this.#items.map((item) => itemJson(item, this.#encrypted))
  }

  /** The provider's own response, where it speaks Responses. */
  get provider(): JsonObject | undefined {
    return this.#provider
  }

  entry(entry: string): void {
    const piece = isEvent(entry) ? pieceOf(entry) : entry
    if (typeof piece === "string") this.#said("text", piece)
    else this.#event(piece)
  }

  /** Ends what is still open. */
  close(status: Exclude<Status, "in_progress">): void {
    this.#closeOpen(status)
    for (const call of this.#calls.values()) {
      this.#done(call.growing)
      this.#itemDone(call, status)
    }
    this.#calls.clear()
  }

  /** What is still open is no more than it is. */
  abandon(): void {
    if (this.#open !== undefined) this.#open.status = "incomplete"
    for (const call of this.#calls.values()) call.status = "incomplete"
  }

  #event(event: ModelEvent): void {
    switch (event.type) {
      case "refusal":
        if ((event.choice ?? 0) === 0) this.#said("refusal", event.text)
        return
      case "reasoning":
        if ((event.choice ?? 0) === 0) this.#thought(event.text)
        return
      case "signature": {
        const open = this.#open?.type === "reasoning" ? this.#open : this.#openReasoning()
        open.encrypted = signed(event.signature)
        return this.#closeOpen("completed")
      }
      case "encrypted":
        this.#openReasoning().encrypted = sealed(event.data)
        return this.#closeOpen("completed")
      case "tool_call":
        if ((event.choice ?? 0) === 0) this.#called(event)
        return
      case "annotation": {
        const annotation = annotationOf(event)
        if (annotation !== undefined) this.#annotated(annotation)
        return
      }
      case "raw":
        if (event.dialect === "responses") this.#raw(event.event)
        else this.#said("text", event.text ?? "")
        return
      // Responses has one choice, and names its end by itself.
      case "text":
      case "finish":
      case "shape":
        return
    }
  }

  #said(whole: "text" | "refusal", text: string): void {
    if (text === "") return
    const growing = (whole === "text" ? this.#rawText : undefined) ?? this.#partFor(whole).growing
    growing.text += text
    this.#sink.delta(growing, text)
  }

  #annotated(annotation: JsonObject): void {
    const { annotations, growing } = this.#partFor("text")
    annotations.push(annotation)
    this.#sink.event("response.output_text.annotation.added", {
      ...growing.address,
      annotation_index: annotations.length - 1,
      annotation
    })
  }

  /** The part of the open message that texts of this kind go to. */
  #partFor(whole: "text" | "refusal"): MessagePart {
    if (this.#part?.growing.whole === whole) return this.#part
    const message = this.#open?.type === "message" ? this.#open : this.#openMessage()
    this.#closePart()
    const index = message.parts.length
    const address = { item_id: message.id, output_index: message.index, content_index: index }
    const growing: Growing =
      whole === "text"
        ? textOf(address, "")
        : { event: "response.refusal", address, beside: {}, whole, named: {}, text: "" }
    const part: MessagePart = { index, growing, annotations: [] }
    message.parts.push(part)
    this.#part = part
    this.#sink.event("response.content_part.added", { ...address, part: partJson(part) })
    return part
  }

  #openMessage(): MessageItem {
    this.#closeOpen("completed")
    return (this.#open = this.#added({ type: "message", ...this.#place("msg_"), parts: [] }))
  }

  #openReasoning(): ReasoningItem {
    this.#closeOpen("completed")
    const item: ReasoningItem = { type: "reasoning", ...this.#place("rs_"), growing: undefined, encrypted: undefined }
    return (this.#open = this.#added(item))
  }

  #thought(text: string): void {
    if (text === "") return
    const item = this.#open?.type === "reasoning" ? this.#open : this.#openReasoning()
    const growing = (item.growing ??= this.#beginThoughts(item))
    growing.text += text
    this.#sink.delta(growing, text)
  }

  #beginThoughts({ id, index }: ReasoningItem): Growing {
    const address = {
      item_id: id,
      output_index: index,
      ...(this.#summary ? { summary_index: 0 } : { content_index: 0 })
    }
    const event = this.#summary ? SUMMARY : THOUGHTS
    const growing: Growing = { event, address, beside: {}, whole: "text", named: {}, text: "" }
    this.#sink.event(`${partEventOf(growing)}.added`, { ...address, part: thoughtsJson(growing) })
    return growing
  }

  #called({ arguments: text = "", call, custom, id, name }: ToolCall): void {
    const found = this.#calls.get(call)
    const item = found ?? this.#openCall(call, id, name ?? "", custom === true)
    if (text === "") return
    item.growing.text += text
    this.#sink.delta(item.growing, text)
  }

  #openCall(call: number, id: string | undefined, name: string, custom: boolean): CallItem {
    this.#closeOpen("completed")
    const place = this.#place(custom ? "ctc_" : "fc_")
    const item: CallItem = {
      ...place,
      type: custom ? "custom_tool_call" : "function_call",
      callId: id ?? `call_${place.id}`,
      name,
      growing: {
        event: custom ? "response.custom_tool_call_input" : "response.function_call_arguments",
        address: { item_id: place.id, output_index: place.index },
        beside: {},
        whole: custom ? "input" : "arguments",
        named: custom ? {} : { name },
        text: ""
      }
    }
    this.#calls.set(call, item)
    return this.#added(item)
  }

  #closePart(): void {
    const part = this.#part
    if (part === undefined) return
    this.#part = undefined
    this.#done(part.growing)
    this.#sink.event("response.content_part.done", { ...part.growing.address, part: partJson(part) })
  }

  #closeOpen(status: Exclude<Status, "in_progress">): void {
    this.#closePart()
    const item = this.#open
    if (item === undefined) return
    this.#open = undefined
    if (item.type === "reasoning" && item.growing !== undefined) {
      const { growing } = item
      this.#done(growing)
      this.#sink.event(`${partEventOf(growing)}.done`, { ...growing.address, part: thoughtsJson(growing) })
    }
    this.#itemDone(item, status)
  }

  #done({ address, event, named, text, whole }: Growing): void {
    this.#sink.event(`${event}.done`, { ...address, [whole]: text, ...named })
  }

  #place(prefix: ItemPrefix): { readonly id: string; readonly index: number; status: Status } {
    const index = this.#items.length
    return { id: itemId(prefix, this.#generationId, "output", index), index, status: "in_progress" }
  }

  #added<I extends Item>(item: I): I {
    this.#items.push(item)
    this.#sink.event("response.output_item.added", {
      output_index: item.index,
      item: itemJson(item, this.#encrypted)
    })
    return item
  }

  #itemDone(item: Item, status: Exclude<Status, "in_progress">): void {
    item.status = status
    this.#sink.event("response.output_item.done", { output_index: item.index, item: itemJson(item, this.#encrypted) })
  }

  /** An event of a provider that speaks Responses. Those that begin and end a response are written by us. */
  #raw(event: JsonObject): void {
    const { item, output_index: index, response, type } = event
    switch (type) {
      case undefined:
        return this.#whole(event)
      case "response.created":
      case "response.queued":
      case "response.in_progress":
        return
      case "response.completed":
      case "response.incomplete":
      case "response.failed":
        if (isJsonObject(response)) this.#provider = response
        return
      case "response.output_item.added":
      case "response.output_item.done":
        this.#rawText = undefined
        // An index that leaves a gap is not believed.
        if (isJsonObject(item) && typeof index === "number" && index >= 0 && index <= this.#items.length)
          this.#items[Math.trunc(index)] = rawItem(item, Math.trunc(index))
        break
      case "response.content_part.added":
        this.#beginRawText(event)
        break
      case "response.output_text.delta":
        if (this.#rawText !== undefined && typeof event["delta"] === "string") this.#rawText.text += event["delta"]
        break
      case "response.content_part.done":
        this.#rawText = undefined
    }
    if (typeof type === "string") this.#sink.event(type, event)
  }

  #beginRawText({ content_index = null, item_id = null, output_index = null, part }: JsonObject): void {
    this.#rawText = undefined
    const item = typeof output_index === "number" ? this.#items[output_index] : undefined
    if (item?.type !== "raw" || !isJsonObject(part) || part["type"] !== "output_text") return
    this.#rawText = textOf({ item_id, output_index, content_index }, "")
    item.texts.push(this.#rawText)
  }

  /** A response that came as one value: each item is one that was added and is done. */
  #whole(response: JsonObject): void {
    this.#provider = response
    for (const value of isList(response["output"]) ? response["output"] : []) {
      if (!isJsonObject(value)) continue
      const item = rawItem(value, this.#items.length)
      this.#added(item)
      this.#replay(value, item.index)
      this.#itemDone(item, "completed")
    }
  }

  /** The texts of a message that came whole, for clients that read only deltas. */
  #replay({ content, id, type }: JsonObject, output_index: number): void {
    if (type !== "message" || !isList(content)) return
    for (const [content_index, part] of content.entries()) {
      if (!isJsonObject(part) || typeof part["text"] !== "string") continue
      const address = { item_id: id ?? "", output_index, content_index }
      const growing = textOf(address, part["text"])
      this.#sink.event("response.content_part.added", { ...address, part: { ...part, text: "" } })
      this.#sink.delta(growing, growing.text)
      this.#done(growing)
      this.#sink.event("response.content_part.done", { ...address, part })
    }
  }
}

const rawItem = (value: JsonObject, index: number): Item => ({
  type: "raw",
  id: "",
  index,
  status: "completed",
  value,
  texts: []
})

const textOf = (address: JsonObject, text: string): Growing => ({
  event: "response.output_text",
  address,
  beside: { logprobs: [] },
  whole: "text",
  named: { logprobs: [] },
  text
})

/** A summary is a list of parts of its own, and thoughts are content. */
const partEventOf = (growing: Growing): string =>
  isSummary(growing) ? "response.reasoning_summary_part" : "response.content_part"

/** Citations in the words of Responses, which has the members of Chat Completions one level higher. */
const annotationOf = ({
  dialect,
  value
}: {
  readonly dialect: string
  readonly value: Json
}): JsonObject | undefined => {
  if (!isJsonObject(value)) return undefined
  if (dialect === "responses") return value
  const citation = value["url_citation"]
  return dialect === "chat" && isJsonObject(citation) ? { type: "url_citation", ...citation } : undefined
}
