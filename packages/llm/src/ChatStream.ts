import { chunkText } from "@llm-saas/dialects/chat/ChatShape"
import { sameShape, type Shape, shapedText, shapeOf } from "@llm-saas/dialects/Shape"
import { isJsonObject } from "@llm-saas/domain/Json"
import type { ModelPiece } from "@llm-saas/domain/ModelEvent"
import type { Completion } from "@llm-saas/engine/generations/Llm"
import { Predicate, Result } from "effect"
import type { AnswerReader } from "./AnswerReader.ts"
import { ChatAnswer } from "./ChatAnswer.ts"
import { PINGS } from "./ChatEvents.ts"
import { type Reading, TEXTS } from "./ChatOutput.ts"
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

/** Longest whole answer that was asked for as one: it may hold several choices, their log probabilities, or audio. */
const WHOLE_CHARACTERS = 16_000_000

/** Most events in a row whose form no later one had, until none is looked at any more: some servers add random letters to each. */
const MOST_MISSES = 8

/**
 * Reads the body of an answer of `POST /chat/completions` with `stream: true`, as OpenAI and compatible servers send it. It also reads a
 * whole answer in JSON, or one value per line, for servers that send that instead. What the events say is in {@link ChatAnswer}.
 *
 * An event that adds only text is nearly always written as the one before it: it is known by that, and its JSON is not parsed.
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
  /** How the last event was written that added only text, and how many such were learned for nothing. */
  #shape: Shape | undefined = undefined
  #misses = 0
  /** The shape that was emitted, where events are passed on as they came. */
  #shown: Shape | undefined = undefined
  readonly #raw: boolean
  readonly #whole: boolean
  /** Number of events, without comments, pings and empty events, which some servers send as keep-alive. */
  events = 0
  /** Whether the provider sent `[DONE]`. */
  done = false

  /** `asked`: the question, which the provider may quote. */
  constructor(emit: (piece: ModelPiece) => void, asked: Asked = { texts: [], maxTokens: 0 }, reading: Reading = TEXTS) {
    this.#answer = new ChatAnswer(emit, asked, reading)
    this.#raw = reading.raw === "stream"
    this.#whole = reading.raw === "whole"
  }

  /** Whether the answer began: with text, or with thoughts (which are not shown). */
  get begun(): boolean {
    return this.#answer.begun
  }

  /** Whether a piece of the answer was emitted. */
  get said(): boolean {
    return this.#answer.said
  }

  /** The provider's id of the answer. */
  get id(): string | undefined {
    return this.#answer.id
  }

  /** The model that answers, as the provider names it. */
  get model(): string | undefined {
    return this.#answer.model
  }

  /** How the provider says it served the answer. */
  get tier(): string | undefined {
    return this.#answer.tier
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
    const foreign = this.#form === "json" ? !answer.spoke : this.#form === "events" && !this.#sse.begun
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
      if (this.#form === "json") this.#json = this.#whole ? new JsonReader(WHOLE_CHARACTERS) : new JsonReader()
      return this.#read(bytes.subarray(at))
    }
    return undefined
  }

  readonly #event = (data: string, name: string): void => {
    if (this.done || this.#answer.failed !== undefined) return
    if (name !== "" && this.#named(data, name)) return
    if (data.startsWith("{")) {
      if (this.#shape !== undefined && this.#shaped(data, this.#shape)) return
      const parsed = Result.try((): unknown => JSON.parse(data))
      if (Result.isFailure(parsed)) return this.#answer.fail(malformed)
      this.#value(parsed.success)
      if (this.#misses < MOST_MISSES) this.#learn(data, parsed.success)
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

  /** Reads an event that adds only text, by its shape. False: it is another. */
  #shaped(data: string, shape: Shape): boolean {
    const text = shapedText(data, shape)
    if (text === undefined) return false
    const news = this.#raw && !sameShape(shape, this.#shown)
    const { after, before } = shape
    if (!this.#answer.readText(text, news ? { type: "shape", dialect: "chat", before, after } : undefined)) return false
    if (news) this.#shown = shape
    this.#misses = 0
    this.events++
    return true
  }

  #learn(data: string, event: unknown): void {
    const text = onlyText(event)
    if (text === undefined) return
    this.#misses++
    this.#shape = this.#misses < MOST_MISSES ? shapeOf(data, text, chunkText) : undefined
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

/** The text of an event that adds nothing else: one like it in all but the text may be taken for the text. */
const onlyText = (event: unknown): string | undefined => {
  const text = chunkText(event)
  if (text === undefined || text === "" || !isJsonObject(event)) return undefined
  const { choices, error, usage } = event
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined
  if (!isJsonObject(choice) || !isJsonObject(choice["delta"]) || !isEmpty(error) || !isEmpty(usage)) return undefined
  const { delta, finish_reason: finish, index } = choice
  const rest = Object.entries(delta).filter(([name]) => name !== "content" && name !== "role")
  const isPlain = isEmpty(finish) && (index === 0 || index === undefined) && rest.every(([, value]) => isEmpty(value))
  return isPlain ? text : undefined
}

const isEmpty = (value: unknown): boolean =>
  Predicate.isNullish(value) || value === "" || (Array.isArray(value) && value.length === 0)
