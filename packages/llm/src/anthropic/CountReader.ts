import { isJsonObject } from "@llm-saas/domain/Json"
import type { AnswerReader } from "../AnswerReader.ts"
import { JsonReader } from "../JsonReader.ts"
import { errorOf, type ProviderError } from "../ProviderError.ts"
import { cut, malformed, type ProviderFailure, unknownShape } from "../ProviderFailure.ts"

/** Reads the answer of `POST /v1/messages/count_tokens`. */
export class CountReader implements AnswerReader<number> {
  readonly #json = new JsonReader()
  #count: number | undefined = undefined
  #error: ProviderError | undefined = undefined
  events = 0
  readonly done = false
  readonly begun = false
  readonly said = false

  get error(): ProviderError | undefined {
    return this.#error
  }

  push(bytes: Uint8Array): ProviderFailure | undefined {
    return this.#json.push(bytes, this.#value) ? undefined : malformed
  }

  end(): number | ProviderFailure {
    const end = this.#json.end(this.#value)
    if (end !== "whole") return end === "cut" ? cut : malformed
    return this.#count ?? (this.events === 0 ? cut : unknownShape("a count without input_tokens"))
  }

  readonly #value = (value: unknown): void => {
    this.events++
    if (!isJsonObject(value)) return
    const { input_tokens: count } = value
    if (typeof count === "number" && Number.isInteger(count) && count >= 0) this.#count = count
    else this.#error = errorOf(value)
  }
}
