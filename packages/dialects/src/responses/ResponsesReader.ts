import type { FinishReason } from "@llm-saas/domain/Generation"
import { isJsonObject, type Json, type JsonObject } from "@llm-saas/domain/Json"
import type { ModelPiece } from "@llm-saas/domain/ModelEvent"
import type { Usage, UsageDetails } from "@llm-saas/domain/Usage"
import { Result } from "effect"
import { isList } from "../RequestFields.ts"
import { isKept } from "../Shape.ts"

/** Events that show nothing: after them alone the request may be repeated. */
const SILENT: ReadonlySet<Json | undefined> = new Set([
  "response.output_item.added",
  "response.content_part.added",
  "response.reasoning_summary_part.added"
])

/** Statuses of a response that ended well. Servers leave it out. */
const ENDED: ReadonlySet<Json | undefined> = new Set([undefined, "completed", "incomplete"])

/** Members of the last response that its events or its request say already. They can be long. */
const SAID: ReadonlySet<string> = new Set(["instructions", "output", "tools"])

/** Members of a delta that a writer knows without it. An obfuscation is noise. */
const KNOWN: ReadonlySet<string> = new Set([
  "type",
  "item_id",
  "output_index",
  "content_index",
  "delta",
  "logprobs",
  "sequence_number",
  "obfuscation"
])

/**
 * Reads the events of `POST /responses`, and emits them as they are: for clients that speak Responses. A delta of a text is emitted as that
 * text. The response that ends it comes without what its events and its request say already. It does no I/O.
 *
 * States: nothing → begun (any event) → ended (`response.completed` or `response.incomplete`, of a response that says no other status and
 * no error). An error, `response.failed` and what is broken are final too.
 */
export class ResponsesReader {
  readonly #emit: (piece: ModelPiece) => void
  /** Events that wait for one that shows something. */
  #silent: Array<JsonObject> = []
  /** Where plain texts go. */
  #address = ""
  #called = false
  #begun = false
  #said = false
  #ended: JsonObject | undefined = undefined
  #error: JsonObject | undefined = undefined
  #broken: string | undefined = undefined
  #id: string | undefined = undefined
  #model: string | undefined = undefined
  /** How it was served, by the last event that says it: the first may only repeat the request. */
  tier: string | undefined = undefined

  constructor(emit: (piece: ModelPiece) => void) {
    this.#emit = emit
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
    return this.#ended !== undefined
  }

  get error(): JsonObject | undefined {
    return this.#error
  }

  /** What is wrong with the answer's form, in our words. */
  get broken(): string | undefined {
    return this.#broken
  }

  get id(): string | undefined {
    return this.#id
  }

  get model(): string | undefined {
    return this.#model
  }

  get usage(): Usage | undefined {
    const usage = this.#ended?.["usage"]
    return isJsonObject(usage) ? usageOf(usage) : undefined
  }

  get finishReason(): FinishReason | undefined {
    if (this.#ended === undefined) return undefined
    const { incomplete_details: details, status } = this.#ended
    if (status !== "incomplete") return this.#called ? "tool_calls" : "stop"
    const reason = isJsonObject(details) ? details["reason"] : undefined
    return reason === "content_filter" ? "content_filter" : reason === "max_output_tokens" ? "length" : "other"
  }

  /** One event: its data, and its name. */
  data(data: string, name: string): void {
    if (this.#over || data === "[DONE]") return
    const value = Result.getOrUndefined(Result.try((): unknown => JSON.parse(data)))
    if (isJsonObject(value)) this.#event(value)
    else if (name === "error") this.#error = { message: data }
    else this.#broken = "an event that is no object"
  }

  /** A body of one value. */
  whole(value: JsonObject): void {
    if (this.#over) return
    if (value["object"] !== "response") {
      this.#error = value
      return
    }
    if (!this.#isEnd(value)) return
    const output = isList(value["output"]) ? value["output"] : []
    this.#lifecycle(value)
    for (const item of output) this.#item(item)
    this.#show(value, output.map(textIn).join(""))
    this.#ended = value
  }

  get #over(): boolean {
    return this.done || this.#error !== undefined || this.#broken !== undefined
  }

  #event(event: JsonObject): void {
    const { response, type } = event
    this.#begun = true
    if (isJsonObject(response)) this.#lifecycle(response)
    switch (type) {
      case "error":
        this.#error = event
        return
      case "response.failed":
        this.#error = isJsonObject(response) ? response : event
        return
      case "response.created":
      case "response.queued":
      case "response.in_progress":
        return
      case "response.completed":
      case "response.incomplete":
        return this.#end(event)
      case "response.output_item.done":
        this.#item(event["item"])
        break
      case "response.content_part.added":
        this.#address = addressOf(event)
        break
      case "response.output_text.delta":
        return this.#delta(event)
    }
    if (typeof type !== "string") this.#broken = "an event without a type"
    else if (!this.#said && SILENT.has(type)) this.#silent.push(event)
    else this.#show(event)
  }

  #lifecycle({ id, model, service_tier: tier }: JsonObject): void {
    if (typeof id === "string") this.#id ??= id
    if (typeof model === "string") this.#model ??= model
    if (typeof tier === "string") this.tier = tier
  }

  #item(item: Json | undefined): void {
    const type = isJsonObject(item) ? item["type"] : undefined
    if (type === "function_call" || type === "custom_tool_call") this.#called = true
  }

  #delta(event: JsonObject): void {
    const { delta, logprobs } = event
    const text = typeof delta === "string" ? delta : ""
    const plain =
      isKept(text)
      && addressOf(event) === this.#address
      && (logprobs === undefined || (isList(logprobs) && logprobs.length === 0))
      && Object.keys(event).every((name) => KNOWN.has(name))
    if (!plain) return this.#show(event, text)
    this.#release()
    this.#emit(text)
  }

  /** Whether a response that should be the last one has ended well, as it says itself: an event's name is not enough. */
  #isEnd(response: JsonObject): boolean {
    const { error, status } = response
    if (status === "failed" || !(error === undefined || error === null)) this.#error = response
    else if (!ENDED.has(status)) this.#broken = "an end of a response that has not ended"
    return !this.#over
  }

  #end(event: JsonObject): void {
    const { response } = event
    if (!isJsonObject(response)) {
      this.#broken = "an end without a response"
      return
    }
    if (!this.#isEnd(response)) return
    this.#ended = response
    const rest = Object.entries(response).filter(([name]) => !SAID.has(name))
    this.#show({ ...event, response: Object.fromEntries(rest) })
  }

  #show(event: JsonObject, text?: string): void {
    this.#release()
    this.#emit({ type: "raw", dialect: "responses", event, ...(text === undefined || text === "" ? {} : { text }) })
  }

  #release(): void {
    this.#said = true
    for (const event of this.#silent) this.#emit({ type: "raw", dialect: "responses", event })
    this.#silent = []
  }
}

const addressOf = ({ content_index, item_id, output_index }: JsonObject): string =>
  JSON.stringify([item_id ?? null, output_index ?? null, content_index ?? null])

const textIn = (item: Json): string =>
  isJsonObject(item) && isList(item["content"])
    ? item["content"]
        .map((part) => (isJsonObject(part) && typeof part["text"] === "string" ? part["text"] : ""))
        .join("")
    : ""

const usageOf = (usage: JsonObject): Usage | undefined => {
  const count = (value: Json | undefined) =>
    typeof value === "number" && Number.isInteger(value) && value >= 0 ? value : undefined
  const input = count(usage["input_tokens"])
  const output = count(usage["output_tokens"])
  if (input === undefined || output === undefined) return undefined
  const { input_tokens_details: read, output_tokens_details: written } = usage
  const found = {
    cacheRead: isJsonObject(read) ? count(read["cached_tokens"]) : undefined,
    cacheWrite: isJsonObject(read) ? count(read["cache_write_tokens"]) : undefined,
    reasoning: isJsonObject(written) ? count(written["reasoning_tokens"]) : undefined
  }
  const details: UsageDetails = Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined))
  return { input, output, ...(Object.keys(details).length === 0 ? {} : { details }) }
}
