import type { FinishReason } from "@llm-saas/domain/Generation"
import { isJsonObject } from "@llm-saas/domain/Json"
import type { ModelEvent, ModelPiece } from "@llm-saas/domain/ModelEvent"
import type { Usage } from "@llm-saas/domain/Usage"
import type { Completion } from "@llm-saas/engine/generations/Llm"
import { Predicate } from "effect"
import { blocksIn, type Found, foundIn, unknownTextIn } from "./AnswerText.ts"
import { ChatCalls } from "./ChatCalls.ts"
import { finishDetails, hasError, isTextOnly, isTurn, isUnknown, nameOf } from "./ChatEvents.ts"
import { ChatOutput, type Reading } from "./ChatOutput.ts"
import { finishOf } from "./FinishReasons.ts"
import { errorOf, isError, type ProviderError } from "./ProviderError.ts"
import { cut, malformed, ProviderFailure, unknownShape } from "./ProviderFailure.ts"
import { type Asked, spoken } from "./Rejection.ts"
import { withSaid } from "./Said.ts"
import { countIn, laterCount } from "./UsageCount.ts"

// Longer than other files: one state, and each part of an event that changes it.

/** Where a choice's text comes from. After a `delta`, a `message` only repeats the text. */
type Source = "delta" | "message" | undefined

/** One choice of an answer. */
class Choice {
  source: Source = undefined
  readonly calls: ChatCalls
  /** Whether something of it was read, and no finish reason after it. */
  open = false
  /** Whether it had a finish reason. */
  finished = false

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
  readonly #output: ChatOutput
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
  #tier: string | undefined = undefined
  /** The provider's id of the answer. */
  id: string | undefined = undefined
  /** The error sent instead of the answer, or in its middle. */
  error: ProviderError | undefined = undefined

  /** `asked`: the question, which the provider may quote. */
  constructor(emit: (piece: ModelPiece) => void, asked: Asked, reading: Reading) {
    this.#output = new ChatOutput(emit, reading)
    this.#asked = asked
    this.#reading = reading
    this.#first = this.#newChoice(0)
  }

  /** Whether a piece of the answer was emitted. */
  get said(): boolean {
    return this.#output.said
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

  /** How it was served, by the last event that says it: the first may only repeat the request. */
  get tier(): string | undefined {
    return this.#tier
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
    this.#tier = nameOf(chunk["service_tier"]) ?? this.#tier
    if (!Predicate.isNullish(chunk["usage"]) || chunk["x_groq"] !== undefined) this.#count(chunk)
    this.#output.begin(chunk)
    this.#choicesOf(chunk)
    this.#output.end(this.#failed !== undefined)
  }

  /**
   * A text of the first choice, from an event that is like one read before in all but the text. False: it must be read by
   * {@link ChatAnswer.read}. `shape`: an event to be emitted before it.
   */
  readText(text: string, shape?: ModelEvent): boolean {
    if (this.#failed !== undefined || this.#finishReason !== undefined || this.#first.source !== "delta") return false
    if (shape !== undefined) this.#output.now(shape)
    this.#output.now(text)
    return true
  }

  /**
   * The answer at the end of the body, or the failure: an answer without a finish reason is cut. `done`: the provider said that it is the
   * end. `foreign`: the body was not one of an answer at all.
   */
  end({ done, foreign }: { readonly done: boolean; readonly foreign: boolean }): Completion | ProviderFailure {
    if (this.#failed !== undefined) return this.#withUsage(this.#failed)
    const finishReason = this.#finishReason
    const choices = [...this.#choices.values()]
    const open = this.#reopened || choices.some((choice) => choice.open)
    // The provider's word for the end counts only for choices that had their reason.
    const unfinished = choices.some((choice) => choice.open && !choice.finished)
    if (finishReason === undefined || unfinished || (open && !done)) return this.#withUsage(foreign ? malformed : cut)
    const silent = !this.#spoke && this.#reading.raw === undefined
    const failed = silent ? this.#silent(finishReason) : undefined
    if (failed !== undefined) return this.#withUsage(failed)
    this.#output.release()
    const stopSequence = this.#stopSequence
    if (stopSequence !== undefined && !this.#reading.simple && this.#reading.raw === undefined)
      this.#output.piece({ type: "finish", reason: finishReason, stopSequence })
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

  /** A form that is not understood is a failure, unless the event goes to a client as it is. */
  #unknown(shape: string): void {
    if (this.#output.passing) this.#output.shows()
    else this.fail(unknownShape(shape))
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
      else choice.open = true
      this.#output.piece({ ...call, ...more })
    }
    const choice: Choice = new Choice(new ChatCalls(emit, this.#reading.newId))
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
    this.#add(found, delta, place, choice)
    this.#beside(delta, place, choice)
    if (adds(found) || (choice.calls.any && choice.source === undefined)) choice.source = "delta"
    if (choice.source === "delta") return
    const whole = foundIn(message)
    const said = adds(whole) ? whole : foundIn(text)
    this.#add(said, message, place, choice)
    this.#beside(message, place, choice)
    if (adds(said)) choice.source = "message"
    else if (!this.#spoke && place === 0) this.#unknownText ??= unknownTextIn(delta) ?? unknownTextIn(message)
  }

  #add({ refusal, text, thinks, thought, unknown }: Found, turn: unknown, place: number, choice: Choice): void {
    if (unknown !== undefined) return this.#unknown(unknown)
    const more = place === 0 ? {} : { choice: place }
    if (thinks) this.#think(thought, turn, place)
    if (text !== "") this.#text(text, place, choice)
    if (refusal === "") return
    choice.open = place > 0
    if (place === 0) this.#speak()
    this.#output.piece(this.#reading.simple && place === 0 ? refusal : { type: "refusal", text: refusal, ...more })
  }

  #text(text: string, place: number, choice: Choice): void {
    if (place === 0) {
      this.#speak()
      return this.#output.piece(text)
    }
    choice.open = true
    this.#output.piece({ type: "text", text, choice: place })
  }

  #speak(): void {
    this.#spoke = true
    this.#reopened = this.#finishReason !== undefined
  }

  #think(text: string, turn: unknown, place: number): void {
    this.#thought = true
    this.#output.shows()
    if (!this.#reading.simple && !this.#output.passing) {
      if (text !== "") this.#output.piece({ type: "reasoning", text, ...(place === 0 ? {} : { choice: place }) })
      for (const { data, signature } of place === 0 ? blocksIn(turn) : []) {
        if (signature !== undefined) this.#output.piece({ type: "signature", signature })
        if (data !== undefined) this.#output.piece({ type: "encrypted", data })
      }
    }
  }

  /** Calls of tools, and what else a turn has beside its text. */
  #beside(turn: unknown, place: number, choice: Choice): void {
    if (!Predicate.isObject(turn)) return
    const { annotations, audio, function_call: legacy, tool_calls: calls }: Record<PropertyKey, unknown> = turn
    if (Predicate.isObjectOrArray(calls)) choice.calls.read(calls)
    if (Predicate.isObject(legacy)) choice.calls.readLegacy(legacy)
    if (place > 0) return
    if (Array.isArray(annotations) && !this.#reading.simple)
      for (const value of annotations)
        if (isJsonObject(value)) this.#output.piece({ type: "annotation", dialect: "chat", value })
    if (Predicate.hasProperty(audio, "transcript") && isText(audio.transcript)) {
      this.#speak()
      this.#output.piece(audio.transcript)
    } else if (Predicate.isObject(audio)) this.#output.shows()
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
    this.#output.shows()
    known.open = false
    known.finished = true
    if (place > 0) return this.#output.piece(ended(finish, place))
    this.#finishReason = finish
    this.#reopened = false
    // vLLM's name.
    if (isText(choice["stop_reason"])) this.#stopSequence = choice["stop_reason"]
  }
}

const ended = (reason: FinishReason, choice: number): ModelEvent => ({ type: "finish", reason, choice })

const isText = (value: unknown): value is string => typeof value === "string" && value !== ""

const adds = ({ refusal, text, thinks, unknown }: Found): boolean =>
  text !== "" || refusal !== "" || thinks || unknown !== undefined
