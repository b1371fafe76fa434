import { isWhole } from "@llm-saas/dialects/chat/ChatWriter"
import type { FinishReason } from "@llm-saas/domain/Generation"
import { isJsonObject, type JsonObject } from "@llm-saas/domain/Json"
import { type ModelEvent, type ModelPiece, visibleText } from "@llm-saas/domain/ModelEvent"
import type { Usage } from "@llm-saas/domain/Usage"
import type { Completion } from "@llm-saas/engine/generations/Llm"
import { Predicate } from "effect"
import { blocksIn, type Found, foundIn, unknownTextIn } from "./AnswerText.ts"
import { ChatCalls } from "./ChatCalls.ts"
import { finishOf } from "./FinishReasons.ts"
import { errorOf, holdsError, isError, isNothing, type ProviderError } from "./ProviderError.ts"
import { cut, malformed, ProviderFailure, unknownShape } from "./ProviderFailure.ts"
import { type Asked, spoken } from "./Rejection.ts"
import { withSaid } from "./Said.ts"
import { countIn, laterCount } from "./UsageCount.ts"

/** Names of keep-alive events. */
export const PINGS = new Set(["ping", "keepalive", "keep-alive", "heartbeat"])

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

/** One choice of an answer. */
class Choice {
  source: Source = undefined
  readonly calls: ChatCalls
  /** Whether something of it was read, and no finish reason after it. */
  open = false

  constructor(calls: ChatCalls) {
    this.calls = calls
  }
}

/**
 * An answer of `POST /chat/completions` as its events say it: text, thoughts, calls of tools, the finish reason, token counts, or an error.
 *
 * States: `open` → `finished` (a finish reason was read) → `open` again if more follows. An error or an unknown form lead to `failed`,
 * which is final.
 */
export class ChatAnswer {
  readonly #emit: (piece: ModelPiece) => void
  readonly #asked: Asked
  readonly #reading: Reading
  readonly #choices = new Map<number, Choice>()
  readonly #first: Choice
  #failed: ProviderFailure | undefined = undefined
  #finishReason: FinishReason | undefined = undefined
  #stopSequence: string | undefined = undefined
  /** Whether something followed the finish reason. */
  #reopened = false
  #thought = false
  /** Whether the answer has a text, a refusal or a call. */
  #spoke = false
  #unknownText: string | undefined = undefined
  #counted: Usage | undefined = undefined
  #model: string | undefined = undefined
  /** While an event is read that is passed on as it came: its text, and whether it shows something. Pieces of it are not emitted. */
  #passing: { text: string; shows: boolean } | undefined = undefined
  readonly #held: Array<ModelEvent> = []
  #passedWhole = false
  /** Whether a piece of the answer was emitted. */
  said = false
  /** The provider's id of the answer. */
  id: string | undefined = undefined
  /** The error sent instead of the answer, or in its middle. */
  error: ProviderError | undefined = undefined

  /** `asked`: the question, which the provider may quote. */
  constructor(emit: (piece: ModelPiece) => void, asked: Asked, reading: Reading) {
    this.#emit = emit
    this.#asked = asked
    this.#reading = reading
    this.#first = this.#newChoice(0)
  }

  /** Whether the answer began: with anything that it consists of, also with thoughts that are not shown. */
  get begun(): boolean {
    return this.said || this.#thought
  }

  /** Whether the answer has a text, a refusal or a call. */
  get spoke(): boolean {
    return this.#spoke
  }

  get model(): string | undefined {
    return this.#model
  }

  /** The first failure; nothing is read after it. */
  get failed(): ProviderFailure | undefined {
    return this.#failed
  }

  fail(failed: ProviderFailure): void {
    this.#failed ??= failed
  }

  /** The provider sent an error. */
  readError(error: unknown): void {
    this.error = errorOf(error)
    this.fail(withSaid(spoken(this.error, this.#asked), error))
  }

  /** Reads one event. */
  read(chunk: Record<PropertyKey, unknown>): void {
    if (isError(chunk)) return this.readError(chunk)
    if (hasError(chunk["x_groq"])) return this.readError(chunk["x_groq"])
    if (this.#model === undefined) this.#model = nameOf(chunk["model"])
    if (this.id === undefined) this.id = nameOf(chunk["id"])
    if (!Predicate.isNullish(chunk["usage"]) || chunk["x_groq"] !== undefined) this.#count(chunk)
    const event = this.#passed(chunk)
    if (event !== undefined) this.#passing = { text: "", shows: false }
    this.#choicesOf(chunk)
    if (event !== undefined) this.#pass(event)
  }

  /**
   * A text of the first choice, from an event that is like one read before in all but the text. False: it must be read by
   * {@link ChatAnswer.read}. `shape`: an event to be emitted before it.
   */
  readText(text: string, shape?: ModelEvent): boolean {
    if (this.#failed !== undefined || this.#finishReason !== undefined || this.#first.source !== "delta") return false
    if (this.#held.length > 0) this.#release()
    this.said = true
    if (shape !== undefined) this.#emit(shape)
    this.#emit(text)
    return true
  }

  /**
   * The answer at the end of the body, or the failure: an answer without a finish reason is cut. `done`: the provider said that it is the
   * end. `foreign`: the body was not one of an answer at all.
   */
  end({ done, foreign }: { readonly done: boolean; readonly foreign: boolean }): Completion | ProviderFailure {
    if (this.#failed !== undefined) return this.#withUsage(this.#failed)
    const finishReason = this.#finishReason
    const open = this.#reopened || [...this.#choices.values()].some((choice) => choice.open)
    if (finishReason === undefined || (open && !done)) return this.#withUsage(foreign ? malformed : cut)
    const silent = !this.#spoke && this.#reading.raw === undefined
    const failed = silent ? this.#silent(finishReason) : undefined
    if (failed !== undefined) return this.#withUsage(failed)
    this.#release()
    const stopSequence = this.#stopSequence
    if (stopSequence !== undefined && !this.#reading.simple && this.#reading.raw === undefined)
      this.#piece({ type: "finish", reason: finishReason, stopSequence })
    const called = this.#first.calls.any && (finishReason === "stop" || finishReason === "other")
    return { finishReason: called ? "tool_calls" : finishReason, usage: this.#counted, model: this.#model }
  }

  /**
   * Judges an end without text. A model may answer nothing, or spend all its tokens on thoughts; but counted tokens without any text mean
   * that we did not understand it: a failure. The end itself counts as one token.
   */
  #silent(reason: FinishReason): ProviderFailure | undefined {
    if (reason === "content_filter") return new ProviderFailure({ reason: "content_filtered", retryable: false })
    if (this.#unknownText !== undefined) return unknownShape(this.#unknownText)
    const output = this.#counted?.output ?? 0
    const thoughts = this.#counted?.details?.reasoning ?? 0
    if (output - thoughts <= 1 || (reason === "length" && (this.#thought || thoughts > 0))) return undefined
    return unknownShape(this.#thought ? "tokens of thoughts, and no text" : "tokens, and no text")
  }

  #withUsage(failed: ProviderFailure): ProviderFailure {
    const usage = this.#counted
    if (usage === undefined) return failed
    const { code, retryable, reason, said, shape, status, waitMs } = failed
    return new ProviderFailure({ code, retryable, reason, said, shape, status, waitMs, usage })
  }

  #count(event: Readonly<Record<PropertyKey, unknown>>): void {
    this.#counted = laterCount(this.#counted, countIn(event))
  }

  /** The event as it is passed on, if it is. */
  #passed(chunk: object): JsonObject | undefined {
    const { ownUsage, raw } = this.#reading
    if (raw === undefined || !isJsonObject(chunk)) return undefined
    if (raw === "stream") {
      if (isWhole(chunk)) return undefined
      const { choices, usage } = chunk
      return ownUsage && Array.isArray(choices) && choices.length === 0 && isJsonObject(usage) ? undefined : chunk
    }
    if (!isWhole(chunk) || this.#passedWhole) return undefined
    this.#passedWhole = true
    return chunk
  }

  /** Passes an event on, or keeps it until one shows something: until then the question may be asked again. */
  #pass(event: JsonObject): void {
    const { shows, text } = this.#passing ?? { shows: true, text: "" }
    this.#passing = undefined
    if (this.#failed !== undefined) return
    this.#held.push({ type: "raw", dialect: "chat", event, ...(text === "" ? {} : { text }) })
    if (this.said || shows || this.#held.length > MOST_HELD) this.#release()
  }

  #release(): void {
    for (const event of this.#held.splice(0)) {
      this.said = true
      this.#emit(event)
    }
  }

  #piece(piece: ModelPiece): void {
    if (this.#passing === undefined) {
      this.said = true
      this.#emit(piece)
      return
    }
    this.#passing.shows = true
    this.#passing.text += visibleText(piece)
  }

  /** A form that is not understood is a failure, unless the event goes to a client as it is. */
  #unknown(shape: string): void {
    if (this.#passing === undefined) this.fail(unknownShape(shape))
    else this.#passing.shows = true
  }

  #choicesOf(chunk: Record<PropertyKey, unknown>): void {
    const { choices } = chunk
    if (Array.isArray(choices)) for (const choice of choices) this.#choice(choice)
    else if (Predicate.isObject(choices) || isTurn(chunk)) this.#choice(choices ?? chunk)
    else if (!Predicate.isNullish(choices)) this.#unknown(`choices: ${typeof choices}`)
    else if (isUnknown(chunk)) this.#unknown("an event without a member that is known")
  }

  #newChoice(index: number): Choice {
    const more = index === 0 ? {} : { choice: index }
    const emit = (call: ModelEvent & { readonly type: "tool_call" }) => {
      if (index === 0) this.#speak()
      this.#piece({ ...call, ...more })
    }
    const choice = new Choice(new ChatCalls(emit, this.#reading.newId))
    this.#choices.set(index, choice)
    return choice
  }

  #choice(value: unknown): void {
    if (Predicate.isNullish(value) || this.#failed !== undefined) return
    if (!Predicate.isObject(value)) return this.#unknown(`choice: ${typeof value}`)
    const choice: Record<PropertyKey, unknown> = value
    const { delta, index, message } = choice
    const failing = [choice, delta, message].find(hasError)
    if (failing !== undefined) return this.readError(failing)
    const place = typeof index === "number" && index > 0 ? index : 0
    if (place >= this.#reading.choices || !Number.isInteger(place)) return
    if (!Predicate.isNullish(choice["usage"])) this.#count(choice)
    const known = this.#choices.get(place) ?? this.#newChoice(place)
    this.#said(choice, place, known)
    this.#finish(choice, place, known)
  }

  #said(value: Record<PropertyKey, unknown>, place: number, choice: Choice): void {
    const { delta, message, text } = value
    if (Predicate.isObject(delta) && isTextOnly(delta)) {
      choice.source = "delta"
      return this.#text(delta["content"], place, choice)
    }
    const found = foundIn(delta)
    this.#calls(delta, place, choice)
    if (adds(found) || choice.calls.any) choice.source ??= "delta"
    if (adds(found)) {
      choice.source = "delta"
      return this.#add(found, delta, place, choice)
    }
    if (choice.source === "delta") return
    this.#calls(message, place, choice)
    const whole = foundIn(message)
    const said = adds(whole) ? whole : foundIn(text)
    if (adds(said)) {
      choice.source = "message"
      return this.#add(said, message, place, choice)
    }
    if (!this.#spoke && place === 0) this.#unknownText ??= unknownTextIn(delta) ?? unknownTextIn(message)
  }

  #add({ refusal, text, thinks, thought, unknown }: Found, turn: unknown, place: number, choice: Choice): void {
    if (unknown !== undefined) return this.#unknown(unknown)
    const more = place === 0 ? {} : { choice: place }
    if (thinks) this.#think(thought, turn, place)
    if (text !== "") this.#text(text, place, choice)
    if (refusal === "") return
    choice.open = place > 0
    if (place === 0) this.#speak()
    this.#piece(this.#reading.simple && place === 0 ? refusal : { type: "refusal", text: refusal, ...more })
  }

  #text(text: string, place: number, choice: Choice): void {
    if (place === 0) {
      this.#speak()
      return this.#piece(text)
    }
    choice.open = true
    this.#piece({ type: "text", text, choice: place })
  }

  #speak(): void {
    this.#spoke = true
    this.#reopened = this.#finishReason !== undefined
  }

  #think(text: string, turn: unknown, place: number): void {
    this.#thought = true
    if (this.#passing !== undefined) this.#passing.shows = true
    else if (!this.#reading.simple) {
      if (text !== "") this.#piece({ type: "reasoning", text, ...(place === 0 ? {} : { choice: place }) })
      for (const { data, signature } of place === 0 ? blocksIn(turn) : []) {
        if (signature !== undefined) this.#piece({ type: "signature", signature })
        if (data !== undefined) this.#piece({ type: "encrypted", data })
      }
    }
  }

  /** Calls of tools, and what else a turn has beside its text. */
  #calls(turn: unknown, place: number, choice: Choice): void {
    if (!Predicate.isObject(turn)) return
    const { annotations, audio, function_call: legacy, tool_calls: calls }: Record<PropertyKey, unknown> = turn
    if (Predicate.isObjectOrArray(calls)) {
      choice.open = place > 0
      choice.calls.read(calls)
    }
    if (Predicate.isObject(legacy)) choice.calls.readLegacy(legacy)
    if (place > 0) return
    if (Array.isArray(annotations) && !this.#reading.simple)
      for (const value of annotations)
        if (isJsonObject(value)) this.#piece({ type: "annotation", dialect: "chat", value })
    if (Predicate.hasProperty(audio, "transcript") && isText(audio.transcript)) {
      this.#speak()
      this.#piece(audio.transcript)
    } else if (Predicate.isObject(audio) && this.#passing !== undefined) this.#passing.shows = true
  }

  #finish(choice: Record<PropertyKey, unknown>, place: number, known: Choice): void {
    const reason = choice["finish_reason"] ?? finishDetails(choice)
    if (Predicate.isNullish(reason) || reason === false) return
    if (typeof reason !== "string") {
      this.#unknown(`finish_reason: ${typeof reason}`)
      return
    }
    const finish = finishOf(reason)
    if (finish === undefined) return
    if (finish instanceof ProviderFailure) return this.fail(finish)
    if (this.#passing !== undefined) this.#passing.shows = true
    known.open = false
    if (place > 0) return this.#passing === undefined ? this.#piece(ended(finish, place)) : undefined
    this.#finishReason = finish
    this.#reopened = false
    // vLLM's name.
    if (isText(choice["stop_reason"])) this.#stopSequence = choice["stop_reason"]
  }
}

const ended = (reason: FinishReason, choice: number): ModelEvent => ({ type: "finish", reason, choice })

const isText = (value: unknown): value is string => typeof value === "string" && value !== ""

/** Whether a turn has a text and nothing else, as nearly every one. */
const isTextOnly = (
  turn: Record<PropertyKey, unknown>
): turn is Record<PropertyKey, unknown> & { readonly content: string } => {
  if (!isText(turn["content"])) return false
  for (const name in turn) if (name !== "content" && name !== "role" && turn[name] !== null) return false
  return true
}

const adds = ({ refusal, text, thinks, unknown }: Found): boolean =>
  text !== "" || refusal !== "" || thinks || unknown !== undefined

/** The finish reason of Azure's older models. */
const finishDetails = ({ finish_details: details }: Record<PropertyKey, unknown>): unknown =>
  Predicate.hasProperty(details, "type") ? details.type : undefined

const hasError = (value: unknown): boolean => Predicate.isObject(value) && holdsError(value)

/** Whether an event without `choices` is not understood: it may be an error, in any form. */
const isUnknown = (chunk: Readonly<Record<PropertyKey, unknown>>): boolean => {
  const members = Object.entries(chunk)
  return members.some(([, value]) => !isNothing(value)) && !members.some(([name]) => KNOWN.has(name))
}

/** Whether an event without `choices` is itself a choice. */
const isTurn = ({ delta, message }: Record<PropertyKey, unknown>): boolean =>
  Predicate.isObject(delta) || Predicate.isObject(message)

/** A name or an id: printable ASCII, at most 200 characters; anything else is dropped. */
const nameOf = (model: unknown): string | undefined =>
  typeof model === "string" && /^[\x20-\x7e]{1,200}$/u.test(model) ? model : undefined
