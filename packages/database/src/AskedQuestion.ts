import type { KeyId } from "@llm-saas/domain/ApiKey"
import type { AskedGeneration } from "@llm-saas/domain/GenerationRecord"

/** What a question is admitted by, see `work.admit` in `sql/functions/48_admission.sql`. */
export interface AdmissionTerms {
  /** Tokens of question and answer, estimated. */
  readonly estimate: number
  /** The most it may cost by the provider's prices, US dollars as a decimal; undefined: there is no price. */
  readonly worst?: string | undefined
  /** What it costs if this process is lost: US dollars for one token. */
  readonly prices?: { readonly input: TokenPrice; readonly output: TokenPrice } | undefined
}

export interface TokenPrice {
  /** Its row in the database; null: it is of the configuration. */
  readonly price_id: string | null
  readonly price: string | null
  /** Tokens of the question, or the most of the answer. */
  readonly tokens?: number
}

/** The arguments of `app.ask`: the generation as far as it is known, and the question. */
export interface AskedQuestion extends AskedGeneration, AdmissionTerms {
  readonly content: string
  readonly idempotency_key: string | null
  /** Hash of the request's body; null without a key. */
  readonly body_hash: string | null
  /** The API key it is asked with. */
  readonly key_id?: KeyId | undefined
  /** Most characters of earlier turns of the conversation to return. */
  readonly history_characters: number
  /** False: nothing of the content is to be kept. */
  readonly keep?: boolean | undefined
  /** How the key is meant: see `sql/functions/40_asking.sql`. */
  readonly tries?: "first" | "again" | undefined
  /** Whether the model of the conversation is meant, where it has one. */
  readonly takes_model?: boolean | undefined
  /** The calls of tools that it has results for, which are those of the last answer of its conversation. */
  readonly answers?: ReadonlyArray<string> | undefined
  /** The body of a request under `/v1` as it was sent, or the members of a question that is more than its text. */
  readonly request?: string | undefined
}
