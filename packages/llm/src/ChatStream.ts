import type { FinishReason, Usage } from "@llm-saas/domain/Generation"
import type { Completion } from "@llm-saas/engine/Llm"
import { Predicate, Result } from "effect"
import { cut, Failed, malformed, refusal } from "./Failed.ts"
import { SseReader } from "./SseReader.ts"

/** Reads an answer of `POST /chat/completions` with `stream: true`, as OpenAI and those who speak like it send it. */
export class ChatStream {
  readonly #sse = new SseReader()
  readonly #emit: (text: string) => void
  #bytes = 0
  #failed: Failed | undefined = undefined
  #finishReason: FinishReason | undefined = undefined
  #usage: Usage | undefined = undefined
  #model: string | undefined = undefined
  /** How many events have come. Comments, which some servers send to keep the line open, are none. */
  events = 0
  /** Whether some of the answer has come: text, or thoughts that are not ours to show. */
  begun = false
  /** Whether the provider has said that nothing more comes. */
  done = false

  constructor(emit: (text: string) => void) {
    this.#emit = emit
  }

  /** More of the body. Answers the failure that it brought, if it did; nothing is to be read after one. */
  push(bytes: Uint8Array): Failed | undefined {
    this.#bytes += bytes.length
    if (!this.#sse.push(bytes, this.#event)) this.#failed ??= malformed
    return this.#failed
  }

  /** What came of it, when nothing more comes: an answer without the provider's word that it ended is cut. */
  end(): Completion | Failed {
    if (this.#failed !== undefined) return this.#failed
    if (this.#finishReason === undefined && !this.done) return this.events === 0 && this.#bytes > 0 ? malformed : cut
    return { finishReason: this.#finishReason ?? "other", usage: this.#usage, model: this.#model }
  }

  readonly #event = (data: string): void => {
    if (this.done || this.#failed !== undefined) return
    this.events++
    if (data.trim() === "[DONE]") {
      this.done = true
      return
    }
    const parsed = Result.try((): unknown => JSON.parse(data))
    this.#failed = Result.isSuccess(parsed) ? this.#chunk(parsed.success) : malformed
  }

  #chunk(chunk: unknown): Failed | undefined {
    if (!Predicate.isObject(chunk)) return malformed
    if (Predicate.hasProperty(chunk, "error") && !Predicate.isNullish(chunk.error)) return spoken(chunk.error)
    if (Predicate.hasProperty(chunk, "model")) this.#model ??= modelOf(chunk.model)
    if (Predicate.hasProperty(chunk, "usage")) this.#usage = usageOf(chunk.usage) ?? this.#usage
    if (!Predicate.hasProperty(chunk, "choices") || !Array.isArray(chunk.choices)) return undefined
    const choice: unknown = chunk.choices[0]
    if (Predicate.hasProperty(choice, "delta")) this.#delta(choice.delta)
    if (Predicate.hasProperty(choice, "finish_reason") && typeof choice.finish_reason === "string") {
      // As some gateways say that the provider behind them failed.
      if (choice.finish_reason === "error") return new Failed({ reason: "model_error", passing: true })
      this.#finishReason = FINISH.get(choice.finish_reason) ?? "other"
    }
    return undefined
  }

  #delta(delta: unknown): void {
    if (!Predicate.isObject(delta)) return
    let text: unknown = undefined
    if (Predicate.hasProperty(delta, "content")) text = delta.content
    if (Predicate.isNullish(text) && Predicate.hasProperty(delta, "refusal")) text = delta.refusal
    if (isText(text)) {
      this.begun = true
      this.#emit(text)
    } else if (!this.begun) {
      this.begun =
        (Predicate.hasProperty(delta, "reasoning_content") && isText(delta.reasoning_content))
        || (Predicate.hasProperty(delta, "reasoning") && isText(delta.reasoning))
    }
  }
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== ""

const FINISH = new Map<string, FinishReason>([
  ["stop", "stop"],
  ["eos", "stop"],
  ["end_turn", "stop"],
  ["length", "length"],
  ["max_tokens", "length"],
  ["content_filter", "content_filter"],
  ["tool_calls", "tool_calls"],
  ["function_call", "tool_calls"]
])

/** An error in the place of an event: the response had begun before the provider failed. Some say which status it would have been. */
const spoken = (error: unknown): Failed => {
  const code = Predicate.hasProperty(error, "code") ? error.code : undefined
  const status = code === "rate_limit_exceeded" ? 429 : Number(code)
  return Number.isInteger(status) && status >= 400 && status < 600
    ? refusal(status, {}, "", 0)
    : new Failed({ reason: "model_error", passing: true })
}

/** A name as providers give them; anything else is not kept. */
const modelOf = (model: unknown): string | undefined =>
  typeof model === "string" && /^[\x20-\x7e]{1,200}$/u.test(model) ? model : undefined

const usageOf = (usage: unknown): Usage | undefined => {
  if (!Predicate.hasProperty(usage, "prompt_tokens") || !Predicate.hasProperty(usage, "completion_tokens"))
    return undefined
  const { completion_tokens: output, prompt_tokens: input } = usage
  return isCount(input) && isCount(output) ? { input, output } : undefined
}

const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 2_147_483_647
