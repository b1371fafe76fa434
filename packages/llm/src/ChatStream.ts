import type { FinishReason, Usage } from "@llm-saas/domain/Generation"
import type { Completion } from "@llm-saas/engine/generations/Llm"
import { Predicate, Result } from "effect"
import { pieceOf, strangerIn } from "./AnswerText.ts"
import { cut, ProviderFailure, malformed, unknownShape } from "./ProviderFailure.ts"
import { finishOf } from "./FinishReasons.ts"
import { JsonReader } from "./JsonReader.ts"
import { errorOf, FAILING, holdsError, isError, isNothing, type ProviderError } from "./ProviderError.ts"
import { type Asked, spoken } from "./Rejection.ts"
import { SseReader } from "./SseReader.ts"
import { type UsageCount, countIn, laterCount } from "./UsageCount.ts"

/** Names of keep-alive events. */
const PINGS = new Set(["ping", "keepalive", "keep-alive", "heartbeat"])

/** The data of the last event. */
const END = /^"?\[done\]"?$/iu

/**
 * Most bytes without an event between them: comments, white space, or an event that is not complete. More than the longest event, and
 * more than keep-alives of an hour; without it, compressed white space would be read for as long as time allows.
 */
const LIMIT_BYTES = 16_000_000

/** Members of events that are known to be no answer and no error: an event without `choices` has at least one of them. */
const KNOWN = new Set([
  "choices",
  "id",
  "object",
  "created",
  "model",
  "usage",
  "x_groq",
  "system_fingerprint",
  "service_tier",
  "provider",
  "obfuscation",
  "prompt_filter_results",
  "prompt_annotations",
  "prompt_token_ids",
  "prompt_progress",
  "timings",
  "metrics",
  "metadata",
  "citations",
  "search_results",
  "annotations",
  "request_id",
  "base_resp",
  "success",
  "done",
  ...PINGS
])

/** Where a choice's text comes from. After a `delta`, a `message` only repeats the text. */
type Source = "delta" | "message" | undefined

/**
 * Reads an answer of `POST /chat/completions` with `stream: true`, as OpenAI and compatible servers send it. It also reads a whole answer
 * in JSON, or one value per line, for servers that send that instead.
 *
 * States: `open` → `finished` (a finish reason was read) → `open` again if more text follows → `done` (`[DONE]`). An error, an unknown
 * form or invalid bytes lead from every state but `done` to `failed`, which is final. The answer is whole only if its body ends in
 * `finished`, or in `done` after a finish reason.
 */
export class ChatStream {
  readonly #sse = new SseReader()
  #json: JsonReader | undefined = undefined
  /** The body's form, known from its first byte that is not white space. */
  #form: "unknown" | "events" | "json" = "unknown"
  readonly #emit: (text: string) => void
  readonly #asked: Asked
  #failed: ProviderFailure | undefined = undefined
  #finishReason: FinishReason | undefined = undefined
  /** Whether text followed the finish reason. */
  #reopened = false
  #source: Source = undefined
  #thought = false
  #stranger: string | undefined = undefined
  #counted: UsageCount | undefined = undefined
  /** Bytes since the last event. */
  #idle = 0
  #model: string | undefined = undefined
  /** Number of events, without comments, pings and empty events, which some servers send as keep-alive. */
  events = 0
  /** Whether some text of the answer was emitted. */
  said = false
  /** The error sent instead of the answer, or in its middle. */
  error: ProviderError | undefined = undefined
  /** Whether the provider sent `[DONE]`. */
  done = false

  /** `asked`: the question, which the provider may quote. */
  constructor(emit: (text: string) => void, asked: Asked = { texts: [], maxTokens: 0 }) {
    this.#emit = emit
    this.#asked = asked
  }

  /** Whether the answer began: with text, or with thoughts (which are not shown). */
  get begun(): boolean {
    return this.said || this.#thought
  }

  /** Reads more of the body. Returns the failure, if there is one; call nothing after it. */
  push(bytes: Uint8Array): ProviderFailure | undefined {
    const { events } = this
    const failed = this.#read(bytes)
    this.#idle = this.events > events ? 0 : this.#idle + bytes.length
    if (this.#idle > LIMIT_BYTES) this.#fail(malformed)
    return failed ?? this.#failed
  }

  #read(bytes: Uint8Array): ProviderFailure | undefined {
    if (this.#form === "unknown") return this.#first(bytes)
    const taken = this.#json === undefined ? this.#sse.push(bytes, this.#event) : this.#json.push(bytes, this.#value)
    if (!taken) this.#fail(malformed)
    return this.#failed
  }

  /** The answer at the end of the body, or the failure: an answer without a finish reason is cut. */
  end(): Completion | ProviderFailure {
    if (this.#failed === undefined && this.#json !== undefined) {
      const end = this.#json.end(this.#value)
      if (end !== "whole") this.#fail(end === "cut" ? cut : malformed)
    }
    if (this.#form === "events" && !this.done && this.#failed === undefined) this.#sse.end(this.#last)
    if (this.#failed !== undefined) return this.#withUsage(this.#failed)
    const finishReason = this.#finishReason
    if (finishReason === undefined || (this.#reopened && !this.done)) {
      const foreign = this.#form === "json" ? !this.said : this.#form === "events" && !this.#sse.begun
      return this.#withUsage(foreign ? malformed : cut)
    }
    if (!this.said) {
      const failed = this.#silent(finishReason)
      if (failed !== undefined) return this.#withUsage(failed)
    }
    return { finishReason, usage: this.#usage, model: this.#model }
  }

  get #usage(): Usage | undefined {
    return this.#counted === undefined ? undefined : { input: this.#counted.input, output: this.#counted.output }
  }

  /**
   * Judges an end without text. A model may answer nothing, or spend all its tokens on thoughts; but counted tokens without any text mean
   * that we did not understand it: a failure. The end itself counts as one token.
   */
  #silent(reason: FinishReason): ProviderFailure | undefined {
    if (reason === "content_filter") return new ProviderFailure({ reason: "content_filtered", retryable: false })
    if (this.#stranger !== undefined) return unknownShape(this.#stranger)
    const { output, thoughts } = this.#counted ?? { output: 0, thoughts: 0 }
    if (output - thoughts <= 1 || (reason === "length" && (this.#thought || thoughts > 0))) return undefined
    return unknownShape(this.#thought ? "tokens of thoughts, and no text" : "tokens, and no text")
  }

  #withUsage(failed: ProviderFailure): ProviderFailure {
    const usage = this.#usage
    if (usage === undefined) return failed
    const { code, retryable, reason, shape, status, waitMs } = failed
    return new ProviderFailure({ code, retryable, reason, shape, status, waitMs, usage })
  }

  #hear(error: unknown): void {
    this.error = errorOf(error)
    this.#fail(spoken(this.error, this.#asked))
  }

  #fail(failed: ProviderFailure): void {
    this.#failed ??= failed
  }

  #first(bytes: Uint8Array): ProviderFailure | undefined {
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0
      // White space and the bytes of a byte order mark; no answer begins with these.
      if (byte <= 0x20 || byte === 0xef || byte === 0xbb || byte === 0xbf) continue
      if (byte === 0x3c) {
        this.#fail(malformed)
        return this.#failed
      }
      this.#form = byte === 0x7b || byte === 0x5b ? "json" : "events"
      if (this.#form === "json") this.#json = new JsonReader()
      return this.#read(bytes.subarray(at))
    }
    return undefined
  }

  readonly #event = (data: string, name: string): void => {
    if (this.done || this.#failed !== undefined) return
    if (name !== "" && this.#named(data, name)) return
    if (data.startsWith("{")) {
      const parsed = Result.try((): unknown => JSON.parse(data))
      if (Result.isSuccess(parsed)) this.#value(parsed.success)
      else this.#fail(malformed)
      return
    }
    const word = data.trim()
    if (word === "" || word === "null") return
    this.events++
    if (END.test(word)) {
      this.done = true
      return
    }
    const parsed = Result.try((): unknown => JSON.parse(data))
    if (Result.isFailure(parsed) || !Predicate.isObjectOrArray(parsed.success)) this.#fail(malformed)
    else this.#value(parsed.success)
  }

  /** The event at the body's end: whole if it is an object or a list in JSON, as no beginning of one is. */
  readonly #last = (data: string, name: string): void => {
    const whole = /^\s*[[{]/u.test(data) && Result.isSuccess(Result.try((): unknown => JSON.parse(data)))
    if (whole || FAILING.test(name) || END.test(data.trim())) this.#event(data, name)
  }

  /** Handles an event that is identified by its name; false: it is not. */
  #named(data: string, name: string): boolean {
    if (!FAILING.test(name)) return PINGS.has(name)
    const parsed = Result.try((): unknown => JSON.parse(data))
    this.events++
    this.#hear(Result.isSuccess(parsed) ? parsed.success : data)
    return true
  }

  readonly #value = (value: unknown): void => {
    if (this.done || this.#failed !== undefined) return
    if (Array.isArray(value)) {
      for (const each of value) this.#value(each)
      return
    }
    if (!Predicate.isObject(value)) return this.#fail(malformed)
    const chunk: Record<PropertyKey, unknown> = value
    if (typeof chunk["type"] === "string" && PINGS.has(chunk["type"])) return
    this.events++
    if (isError(chunk)) return this.#hear(chunk)
    if (hasError(chunk["x_groq"])) return this.#hear(chunk["x_groq"])
    if (this.#model === undefined) this.#model = modelOf(chunk["model"])
    if (!Predicate.isNullish(chunk["usage"]) || chunk["x_groq"] !== undefined) this.#count(chunk)
    const { choices } = chunk
    if (Array.isArray(choices)) for (const choice of choices) this.#choice(choice)
    else if (Predicate.isObject(choices) || isTurn(chunk)) this.#choice(choices ?? chunk)
    else if (!Predicate.isNullish(choices)) this.#fail(unknownShape(`choices: ${typeof choices}`))
    else if (isStranger(chunk)) this.#fail(unknownShape("an event without a member that is known"))
  }

  #count(event: Readonly<Record<PropertyKey, unknown>>): void {
    this.#counted = laterCount(this.#counted, countIn(event))
  }

  #choice(value: unknown): void {
    if (Predicate.isNullish(value) || this.#failed !== undefined) return
    if (!Predicate.isObject(value)) return this.#fail(unknownShape(`choice: ${typeof value}`))
    const choice: Record<PropertyKey, unknown> = value
    const { delta, index, message } = choice
    const failing = [choice, delta, message].find(hasError)
    if (failing !== undefined) return this.#hear(failing)
    // We request a single choice.
    if (typeof index === "number" && index > 0) return
    if (!Predicate.isNullish(choice["usage"])) this.#count(choice)
    this.#text(choice)
    this.#finish(choice["finish_reason"] ?? finishDetails(choice))
  }

  #text(choice: Record<PropertyKey, unknown>): void {
    const { delta, message, text } = choice
    let source: Source = "delta"
    let piece = pieceOf(delta)
    if (piece === undefined && this.#source !== "delta") {
      source = "message"
      piece = pieceOf(message) ?? pieceOf(text)
    }
    if (piece === undefined) {
      if (!this.said) this.#stranger ??= strangerIn(delta) ?? strangerIn(message)
      return
    }
    if ("unknown" in piece) return this.#fail(unknownShape(piece.unknown))
    if ("thought" in piece) {
      this.#thought = true
      return
    }
    this.#source = source
    this.said = true
    this.#reopened = this.#finishReason !== undefined
    this.#emit(piece.text)
  }

  #finish(reason: unknown): void {
    if (Predicate.isNullish(reason) || reason === false) return
    if (typeof reason !== "string") return this.#fail(unknownShape(`finish_reason: ${typeof reason}`))
    const finish = finishOf(reason)
    if (finish === undefined) return
    if (finish instanceof ProviderFailure) return this.#fail(finish)
    this.#finishReason = finish
    this.#reopened = false
  }
}

/** The finish reason of Azure's older models. */
const finishDetails = ({ finish_details: details }: Record<PropertyKey, unknown>): unknown =>
  Predicate.hasProperty(details, "type") ? details.type : undefined

const hasError = (value: unknown): boolean => Predicate.isObject(value) && holdsError(value)

/** Whether an event without `choices` is not understood: it may be an error, in any form. */
const isStranger = (chunk: Readonly<Record<PropertyKey, unknown>>): boolean => {
  const members = Object.entries(chunk)
  return members.some(([, value]) => !isNothing(value)) && !members.some(([name]) => KNOWN.has(name))
}

/** Whether an event without `choices` is itself a choice. */
const isTurn = ({ delta, message }: Record<PropertyKey, unknown>): boolean =>
  Predicate.isObject(delta) || Predicate.isObject(message)

/** The model's name: printable ASCII, at most 200 characters; anything else is dropped. */
const modelOf = (model: unknown): string | undefined =>
  typeof model === "string" && /^[\x20-\x7e]{1,200}$/u.test(model) ? model : undefined
