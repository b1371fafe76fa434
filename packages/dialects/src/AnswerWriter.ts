import type { FinishReason } from "@llm-saas/domain/Generation"
import type { JsonObject } from "@llm-saas/domain/Json"
import type { Usage } from "@llm-saas/domain/Usage"

/** What is known of an answer before its first piece. */
export interface AnswerHead {
  /** A UUID. Doors make their ids of it, so that an answer is found by any of them. */
  readonly generationId: string
  /** Seconds since 1970. */
  readonly createdAt: number
  /** The model as the client named it. */
  readonly model: string
  /** The request's body, of which some dialects repeat members. */
  readonly request: JsonObject
}

/** How an answer ended that is whole. */
export interface AnswerEnd {
  readonly finishReason: FinishReason
  /** Undefined where the provider did not count. */
  readonly usage: Usage | undefined
  /** The model that answered, as the provider names it. */
  readonly model: string | undefined
}

/** A failure as a door tells it. */
export interface DoorError {
  /** The HTTP status, which is also meant where it can no longer be sent. */
  readonly status: number
  /** Our stable code, see `domain/Problem`. */
  readonly code: string
  /** For people. Contains nothing secret. */
  readonly message: string
  /** The member of the request that is wrong, as a path with dots. */
  readonly param?: string | undefined
  /** Seconds until it may be tried again. */
  readonly retryAfter?: number | undefined
  readonly requestId: string
}

/**
 * Writes one answer as the server-sent events of a dialect, in the order of its log. It has a state: entries are given in order, from the
 * first one. Results are whole events with their blank line, or empty.
 */
export interface AnswerWriter {
  /** What comes before the first entry. */
  readonly begin: () => string
  /** One entry of the log, see `domain/ModelEvent`. */
  readonly entry: (entry: string) => string
  /** The end of a whole answer. */
  readonly end: (end: AnswerEnd) => string
  /** The end of an answer that is not whole. No client can take it for a good end. */
  readonly failure: (error: DoorError) => string
}

/** An answer as one value of JSON. */
export type WholeAnswer = (head: AnswerHead, entries: ReadonlyArray<string>, end: AnswerEnd) => JsonObject
