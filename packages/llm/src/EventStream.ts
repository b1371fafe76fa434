import type { FinishReason } from "@llm-saas/domain/Generation"
import { isJsonObject, type JsonObject } from "@llm-saas/domain/Json"
import type { Usage } from "@llm-saas/domain/Usage"
import type { Completion } from "@llm-saas/engine/generations/Llm"
import { Result } from "effect"
import type { AnswerReader } from "./AnswerReader.ts"
import { JsonReader } from "./JsonReader.ts"
import { errorOf, type ProviderError } from "./ProviderError.ts"
import { cut, malformed, ProviderFailure, unknownShape } from "./ProviderFailure.ts"
import { type Asked, spoken } from "./Rejection.ts"
import { withSaid } from "./Said.ts"
import { SseReader } from "./SseReader.ts"

/** Most bytes without an event between them, as in `ChatStream`. */
const LIMIT_BYTES = 16_000_000

/** What a dialect reads: its events, or its answer in one value. It is whole only if there is a finish reason. */
export interface EventReader {
  readonly said: boolean
  readonly begun: boolean
  readonly done: boolean
  /** The event or the body that tells of an error. */
  readonly error: JsonObject | undefined
  /** What is wrong with the answer's form, in our words. */
  readonly broken: string | undefined
  readonly finishReason: FinishReason | undefined
  readonly usage: Usage | undefined
  readonly model: string | undefined
  readonly id: string | undefined
  /** How the provider says it served the answer. */
  readonly tier: string | undefined
  readonly data: (data: string, name: string) => void
  readonly whole: (value: JsonObject) => void
}

/**
 * Reads the body of an answer: events, or one value of JSON where it was not asked for a stream, or the server does not stream. What the
 * events say is read by a dialect's {@link EventReader}. `failed` is the failure that an error means.
 */
export class EventStream implements AnswerReader {
  readonly #asked: Asked
  readonly #failureOf: (error: ProviderError, asked: Asked) => ProviderFailure
  readonly #sse = new SseReader()
  #json: JsonReader | undefined = undefined
  /** The body's form, known from its first byte that is not white space. */
  #form: "unknown" | "events" | "json" = "unknown"
  /** Bytes since the last event. */
  #idle = 0
  #failed: ProviderFailure | undefined = undefined
  #error: ProviderError | undefined = undefined
  /** Number of events. One that shows nothing counts too: it comes while the model thinks. */
  events = 0
  readonly message: EventReader

  constructor(
    message: EventReader,
    asked: Asked,
    failureOf: (error: ProviderError, asked: Asked) => ProviderFailure = spoken
  ) {
    this.message = message
    this.#asked = asked
    this.#failureOf = failureOf
  }

  get done(): boolean {
    return this.message.done
  }

  /** Whether the answer began. */
  get begun(): boolean {
    return this.said || this.message.begun
  }

  get said(): boolean {
    return this.message.said
  }

  get error(): ProviderError | undefined {
    return this.#error
  }

  push(bytes: Uint8Array): ProviderFailure | undefined {
    const { events } = this
    this.#read(bytes)
    this.#idle = this.events > events ? 0 : this.#idle + bytes.length
    if (this.#idle > LIMIT_BYTES) this.#failed ??= malformed
    return this.#failure()
  }

  end(): Completion | ProviderFailure {
    if (this.#form === "events" && !this.done) this.#sse.end(this.#last)
    const end = this.#json?.end(this.#value)
    if (end !== undefined && end !== "whole") this.#failed ??= end === "cut" ? cut : malformed
    const { finishReason, model, usage } = this.message
    const failed = this.#failure() ?? (finishReason === undefined ? this.#unfinished : undefined)
    if (failed !== undefined) return withUsage(failed, usage)
    return finishReason === undefined ? cut : { finishReason, usage, model }
  }

  get #unfinished(): ProviderFailure {
    const isNone = this.#form === "json" || (this.#form === "events" && !this.#sse.begun)
    return isNone ? malformed : cut
  }

  #failure(): ProviderFailure | undefined {
    const { broken, error } = this.message
    if (error !== undefined && this.#failed === undefined) {
      this.#error = errorOf(error)
      this.#failed = withSaid(this.#failureOf(this.#error, this.#asked), error)
    }
    if (broken !== undefined) this.#failed ??= unknownShape(broken)
    return this.#failed
  }

  #read(bytes: Uint8Array): void {
    if (this.#form === "unknown") return this.#first(bytes)
    const taken = this.#json === undefined ? this.#sse.push(bytes, this.#event) : this.#json.push(bytes, this.#value)
    if (!taken) this.#failed ??= malformed
  }

  #first(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0
      // White space and the bytes of a byte order mark; no answer begins with these.
      if (byte <= 0x20 || byte === 0xef || byte === 0xbb || byte === 0xbf) continue
      if (byte === 0x3c) {
        this.#failed ??= malformed
        return
      }
      this.#form = byte === 0x7b ? "json" : "events"
      if (this.#form === "json") this.#json = new JsonReader()
      return this.#read(bytes.subarray(at))
    }
  }

  readonly #event = (data: string, name: string): void => {
    if (this.#failed !== undefined) return
    if (data === "" && name !== "error") return
    this.events++
    this.message.data(data, name)
  }

  /** The event at the body's end, which may be cut: whole if it is JSON. */
  readonly #last = (data: string, name: string): void => {
    if (name === "error" || Result.isSuccess(Result.try((): unknown => JSON.parse(data)))) this.#event(data, name)
  }

  readonly #value = (value: unknown): void => {
    this.events++
    if (isJsonObject(value)) this.message.whole(value)
    else this.#failed ??= malformed
  }
}

const withUsage = (failed: ProviderFailure, usage: Completion["usage"]): ProviderFailure => {
  if (usage === undefined) return failed
  const { code, reason, retryable, said, shape, status, waitMs } = failed
  return new ProviderFailure({ code, reason, retryable, said, shape, status, usage, waitMs })
}
