import type { FinishReason } from "@llm-saas/domain/Generation"
import type { Usage } from "@llm-saas/domain/Usage"
import type { Completion } from "@llm-saas/engine/generations/Llm"
import { Predicate } from "effect"
import { pieceOf, unknownTextIn } from "./AnswerText.ts"
import { finishOf } from "./FinishReasons.ts"
import { errorOf, holdsError, isError, isNothing, type ProviderError } from "./ProviderError.ts"
import { cut, malformed, ProviderFailure, unknownShape } from "./ProviderFailure.ts"
import { type Asked, spoken } from "./Rejection.ts"
import { countIn, laterCount, type UsageCount } from "./UsageCount.ts"

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

/**
 * An answer of `POST /chat/completions` as its events say it: text, thoughts, the finish reason, token counts, or an error.
 *
 * States: `open` → `finished` (a finish reason was read) → `open` again if more text follows. An error or an unknown form lead to `failed`,
 * which is final.
 */
export class ChatAnswer {
  readonly #emit: (text: string) => void
  readonly #asked: Asked
  #failed: ProviderFailure | undefined = undefined
  #finishReason: FinishReason | undefined = undefined
  /** Whether text followed the finish reason. */
  #reopened = false
  #source: Source = undefined
  #thought = false
  #unknownText: string | undefined = undefined
  #counted: UsageCount | undefined = undefined
  #model: string | undefined = undefined
  /** Whether some text of the answer was emitted. */
  said = false
  /** The error sent instead of the answer, or in its middle. */
  error: ProviderError | undefined = undefined

  /** `asked`: the question, which the provider may quote. */
  constructor(emit: (text: string) => void, asked: Asked) {
    this.#emit = emit
    this.#asked = asked
  }

  /** Whether the answer began: with text, or with thoughts (which are not shown). */
  get begun(): boolean {
    return this.said || this.#thought
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
    this.fail(spoken(this.error, this.#asked))
  }

  /** Reads one event. */
  read(chunk: Record<PropertyKey, unknown>): void {
    if (isError(chunk)) return this.readError(chunk)
    if (hasError(chunk["x_groq"])) return this.readError(chunk["x_groq"])
    if (this.#model === undefined) this.#model = modelOf(chunk["model"])
    if (!Predicate.isNullish(chunk["usage"]) || chunk["x_groq"] !== undefined) this.#count(chunk)
    const { choices } = chunk
    if (Array.isArray(choices)) for (const choice of choices) this.#choice(choice)
    else if (Predicate.isObject(choices) || isTurn(chunk)) this.#choice(choices ?? chunk)
    else if (!Predicate.isNullish(choices)) this.fail(unknownShape(`choices: ${typeof choices}`))
    else if (isUnknown(chunk)) this.fail(unknownShape("an event without a member that is known"))
  }

  /**
   * The answer at the end of the body, or the failure: an answer without a finish reason is cut. `done`: the provider said that it is the
   * end. `foreign`: the body was not one of an answer at all.
   */
  end({ done, foreign }: { readonly done: boolean; readonly foreign: boolean }): Completion | ProviderFailure {
    if (this.#failed !== undefined) return this.#withUsage(this.#failed)
    const finishReason = this.#finishReason
    if (finishReason === undefined || (this.#reopened && !done)) return this.#withUsage(foreign ? malformed : cut)
    const failed = this.said ? undefined : this.#silent(finishReason)
    if (failed !== undefined) return this.#withUsage(failed)
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
    if (this.#unknownText !== undefined) return unknownShape(this.#unknownText)
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

  #count(event: Readonly<Record<PropertyKey, unknown>>): void {
    this.#counted = laterCount(this.#counted, countIn(event))
  }

  #choice(value: unknown): void {
    if (Predicate.isNullish(value) || this.#failed !== undefined) return
    if (!Predicate.isObject(value)) return this.fail(unknownShape(`choice: ${typeof value}`))
    const choice: Record<PropertyKey, unknown> = value
    const { delta, index, message } = choice
    const failing = [choice, delta, message].find(hasError)
    if (failing !== undefined) return this.readError(failing)
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
      if (!this.said) this.#unknownText ??= unknownTextIn(delta) ?? unknownTextIn(message)
      return
    }
    if ("unknown" in piece) return this.fail(unknownShape(piece.unknown))
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
    if (typeof reason !== "string") return this.fail(unknownShape(`finish_reason: ${typeof reason}`))
    const finish = finishOf(reason)
    if (finish === undefined) return
    if (finish instanceof ProviderFailure) return this.fail(finish)
    this.#finishReason = finish
    this.#reopened = false
  }
}

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

/** The model's name: printable ASCII, at most 200 characters; anything else is dropped. */
const modelOf = (model: unknown): string | undefined =>
  typeof model === "string" && /^[\x20-\x7e]{1,200}$/u.test(model) ? model : undefined
