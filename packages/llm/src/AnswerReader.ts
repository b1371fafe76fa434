import type { Completion } from "@llm-saas/engine/generations/Llm"
import type { ProviderError } from "./ProviderError.ts"
import type { ProviderFailure } from "./ProviderFailure.ts"

/**
 * Reads the body of a provider's answer in the form of one dialect. `A` is what a whole answer ends with. It emits what it reads by a
 * function of its own.
 */
export interface AnswerReader<A = Completion> {
  /** Number of events so far, without keep-alives. */
  readonly events: number
  /** Whether the provider said that the answer is over. */
  readonly done: boolean
  /** Whether the answer began: with text, or with thoughts. */
  readonly begun: boolean
  /** Whether a piece of the answer was emitted: after it the request is not repeated. */
  readonly said: boolean
  /** The error sent instead of the answer, or in its middle. */
  readonly error: ProviderError | undefined
  /** Reads more of the body. Returns the failure, if there is one; nothing is called after it but `end`. */
  readonly push: (bytes: Uint8Array) => ProviderFailure | undefined
  /** The answer at the end of the body, or the failure. */
  readonly end: () => A | ProviderFailure
}
