import type { Limits } from "./Admission.ts"

/** Limits of generations. */
export interface GenerationOptions {
  readonly limits: Limits
  /** Characters (code points) a question may have. */
  readonly promptCharacters: number
  /** Characters (code points) an answer may have; a longer one fails and keeps the text so far. */
  readonly answerCharacters: number
  /** Tokens of earlier turns that go to the model with a question in a conversation. */
  readonly contextTokens: number
  /** Answers that one user may read at once at this process, asked or followed. One more is refused. */
  readonly readersPerUser: number
  /** How long an answer goes on when its last reader has left; 0: not at all. */
  readonly graceMs: number
}
