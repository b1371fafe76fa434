import type { Completion } from "@llm-saas/engine/generations/Llm"
import { Predicate, Result } from "effect"
import type { AnswerReader } from "./AnswerReader.ts"
import { ChatAnswer, PINGS } from "./ChatAnswer.ts"
import { JsonReader } from "./JsonReader.ts"
import { FAILING, type ProviderError } from "./ProviderError.ts"
import { cut, malformed, type ProviderFailure } from "./ProviderFailure.ts"
import type { Asked } from "./Rejection.ts"
import { SseReader } from "./SseReader.ts"

/** The data of the last event. */
const END = /^"?\[done\]"?$/iu

/**
 * Most bytes without an event between them: comments, white space, or an event that is not complete. More than the longest event, and
 * more than keep-alives of an hour; without it, compressed white space would be read for as long as time allows.
 */
const LIMIT_BYTES = 16_000_000

/**
 * Reads the body of an answer of `POST /chat/completions` with `stream: true`, as OpenAI and compatible servers send it. It also reads a
 * whole answer in JSON, or one value per line, for servers that send that instead. What the events say is in {@link ChatAnswer}.
 *
 * `[DONE]` ends the answer from every state but `failed`; invalid bytes fail it. The answer is whole only if its body ends after a finish
 * reason: at once, or with `[DONE]` after more text.
 */
export class ChatStream implements AnswerReader {
  readonly #answer: ChatAnswer
  readonly #sse = new SseReader()
  #json: JsonReader | undefined = undefined
  /** The body's form, known from its first byte that is not white space. */
  #form: "unknown" | "events" | "json" = "unknown"
  /** Bytes since the last event. */
  #idle = 0
  /** Number of events, without comments, pings and empty events, which some servers send as keep-alive. */
  events = 0
  /** Whether the provider sent `[DONE]`. */
  done = false

  /** `asked`: the question, which the provider may quote. */
  constructor(emit: (text: string) => void, asked: Asked = { texts: [], maxTokens: 0 }) {
    this.#answer = new ChatAnswer(emit, asked)
  }

  /** Whether the answer began: with text, or with thoughts (which are not shown). */
  get begun(): boolean {
    return this.#answer.begun
  }

  /** Whether some text of the answer was emitted. */
  get said(): boolean {
    return this.#answer.said
  }

  /** The error sent instead of the answer, or in its middle. */
  get error(): ProviderError | undefined {
    return this.#answer.error
  }

  /** Reads more of the body. Returns the failure, if there is one; call nothing after it. */
  push(bytes: Uint8Array): ProviderFailure | undefined {
    const { events } = this
    const failed = this.#read(bytes)
    this.#idle = this.events > events ? 0 : this.#idle + bytes.length
    if (this.#idle > LIMIT_BYTES) this.#answer.fail(malformed)
    return failed ?? this.#answer.failed
  }

  #read(bytes: Uint8Array): ProviderFailure | undefined {
    if (this.#form === "unknown") return this.#first(bytes)
    const taken = this.#json === undefined ? this.#sse.push(bytes, this.#event) : this.#json.push(bytes, this.#value)
    if (!taken) this.#answer.fail(malformed)
    return this.#answer.failed
  }

  /** The answer at the end of the body, or the failure. */
  end(): Completion | ProviderFailure {
    const answer = this.#answer
    if (answer.failed === undefined && this.#json !== undefined) {
      const end = this.#json.end(this.#value)
      if (end !== "whole") answer.fail(end === "cut" ? cut : malformed)
    }
    if (this.#form === "events" && !this.done && answer.failed === undefined) this.#sse.end(this.#last)
    const foreign = this.#form === "json" ? !answer.said : this.#form === "events" && !this.#sse.begun
    return answer.end({ done: this.done, foreign })
  }

  #first(bytes: Uint8Array): ProviderFailure | undefined {
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0
      // White space and the bytes of a byte order mark; no answer begins with these.
      if (byte <= 0x20 || byte === 0xef || byte === 0xbb || byte === 0xbf) continue
      if (byte === 0x3c) {
        this.#answer.fail(malformed)
        return this.#answer.failed
      }
      this.#form = byte === 0x7b || byte === 0x5b ? "json" : "events"
      if (this.#form === "json") this.#json = new JsonReader()
      return this.#read(bytes.subarray(at))
    }
    return undefined
  }

  readonly #event = (data: string, name: string): void => {
    if (this.done || this.#answer.failed !== undefined) return
    if (name !== "" && this.#named(data, name)) return
    if (data.startsWith("{")) {
      const parsed = Result.try((): unknown => JSON.parse(data))
      if (Result.isSuccess(parsed)) this.#value(parsed.success)
      else this.#answer.fail(malformed)
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
    if (Result.isFailure(parsed) || !Predicate.isObjectOrArray(parsed.success)) this.#answer.fail(malformed)
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
    this.#answer.readError(Result.isSuccess(parsed) ? parsed.success : data)
    return true
  }

  readonly #value = (value: unknown): void => {
    if (this.done || this.#answer.failed !== undefined) return
    if (Array.isArray(value)) {
      for (const each of value) this.#value(each)
      return
    }
    if (!Predicate.isObject(value)) return this.#answer.fail(malformed)
    const chunk: Record<PropertyKey, unknown> = value
    if (typeof chunk["type"] === "string" && PINGS.has(chunk["type"])) return
    this.events++
    this.#answer.read(chunk)
  }
}
