import { embeddingsIn } from "@llm-saas/dialects/Embeddings"
import type { EmbeddingAnswer } from "@llm-saas/domain/Embedding"
import { Result } from "effect"
import type { AnswerReader } from "./AnswerReader.ts"
import { errorOf, isError, type ProviderError } from "./ProviderError.ts"
import { cut, malformed, type ProviderFailure } from "./ProviderFailure.ts"
import { type Asked, spoken } from "./Rejection.ts"
import { withSaid } from "./Said.ts"

/** Longest body: two thousand vectors of 3,072 numbers in digits are about 80 MB, in base64 34 MB. */
const LIMIT_BYTES = 100_000_000

/** Reads the body of an answer of `POST /embeddings`. */
export class EmbeddingsReader implements AnswerReader<EmbeddingAnswer> {
  readonly #inputs: number
  readonly #asked: Asked
  readonly #parts: Array<Uint8Array> = []
  #length = 0
  events = 0
  readonly done = false
  readonly said = false
  error: ProviderError | undefined = undefined

  /** `inputs`: how many vectors were asked for. */
  constructor(inputs: number, asked: Asked) {
    this.#inputs = inputs
    this.#asked = asked
  }

  get begun(): boolean {
    return this.#length > 0
  }

  push(bytes: Uint8Array): ProviderFailure | undefined {
    this.events++
    this.#parts.push(bytes)
    this.#length += bytes.length
    return this.#length > LIMIT_BYTES ? malformed : undefined
  }

  end(): EmbeddingAnswer | ProviderFailure {
    if (this.#length > LIMIT_BYTES) return malformed
    const text = Buffer.concat(this.#parts).toString()
    const parsed = Result.try((): unknown => JSON.parse(text))
    if (Result.isFailure(parsed)) return /[}\]]\s*$/u.test(text.slice(-9)) || !text.startsWith("{") ? malformed : cut
    const answer = embeddingsIn(parsed.success, this.#inputs)
    if (answer !== undefined) return answer
    const said = parsed.success
    if (typeof said !== "object" || said === null || Array.isArray(said) || !isError({ ...said })) return malformed
    this.error = errorOf(said)
    return withSaid(spoken(this.error, this.#asked), said)
  }
}
