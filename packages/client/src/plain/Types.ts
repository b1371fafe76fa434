// The API's types in plain TypeScript: users of this client do not need Effect, not even for its types. A test compares each with the
// API's schemas.

/** A user's rights in their tenant. */
export type Role = "admin" | "user"

/** Whether people may create an account in the tenant themselves. */
export type Registration = "open" | "closed"

/** A customer of the installation. */
export interface Tenant {
  readonly id: string
  readonly name: string
  readonly registration: Registration
  /** ISO 8601, like all times in this file. */
  readonly created_at: string
}

/** A person of one tenant. */
export interface User {
  readonly id: string
  readonly tenant_id: string
  readonly email: string
  readonly role: Role
  readonly status: "active" | "disabled"
  readonly created_at: string
}

/** The client's own user, with the tenant. */
export interface Profile extends User {
  readonly tenant: Tenant
}

/** A bearer token. `expires_in` is in seconds. */
export interface Token {
  readonly access_token: string
  readonly token_type: "bearer"
  readonly expires_in: number
}

/** The status of an answer; the last four are final. */
export type GenerationStatus = "streaming" | "completed" | "failed" | "cancelled" | "interrupted"

/** Why the model stopped by itself. */
export type FinishReason = "stop" | "length" | "content_filter" | "tool_calls" | "other"

/** Why there is no whole answer. */
export type FailureReason =
  | "model_unauthorized"
  | "model_rate_limited"
  | "model_unavailable"
  | "model_error"
  | "model_rejected"
  | "content_filtered"
  | "context_too_long"
  | "prompt_rejected"
  | "model_malformed"
  | "model_timeout"
  | "model_cut"
  | "answer_too_long"
  | "shutdown"
  | "process_lost"
  | "internal"

/** A question and its answer. */
export interface Message {
  readonly id: string
  readonly conversation_id: string | null
  readonly generation_id: string | null
  readonly user_id: string
  readonly content: string
  /** Null until the answer ended; partial if it did not complete. */
  readonly response: string | null
  readonly model: string | null
  readonly status: GenerationStatus
  readonly finish_reason: FinishReason | null
  readonly failure: FailureReason | null
  readonly tokens_in: number | null
  readonly tokens_out: number | null
  readonly approx_tokens_in: number | null
  readonly approx_tokens_out: number | null
  /** Milliseconds from the request to the end of the answer, and to its first token. */
  readonly latency_ms: number | null
  readonly ttft_ms: number | null
  readonly created_at: string
}

/** A series of messages. */
export interface Conversation {
  readonly id: string
  readonly user_id: string
  readonly title: string | null
  readonly created_at: string
  readonly updated_at: string
}

/** An answer's status and its text so far. */
export interface Generation {
  readonly id: string
  readonly message_id: string
  readonly status: GenerationStatus
  readonly finish_reason: FinishReason | null
  readonly failure: FailureReason | null
  readonly text: string
  /** The last token's position. */
  readonly seq: number
  readonly created_at: string
}

/** A user's rating of an answer. */
export interface Feedback {
  readonly message_id: string
  readonly user_id: string
  readonly rating: number
  readonly comment: string | null
  readonly created_at: string
  readonly updated_at: string
}

/** Whether the installation's tenants are kept apart: the rules, the trials and their findings. */
export interface IsolationReport {
  readonly ok: boolean
  readonly checked_at: string
  readonly server_version: string
  readonly schema_version: number
  readonly login: string
  readonly checks: ReadonlyArray<{
    readonly kind: "rule" | "trial"
    readonly name: string
    readonly tried: number
    readonly findings: number
  }>
  readonly findings: ReadonlyArray<{ readonly check: string; readonly object: string; readonly detail: string }>
  readonly notes: ReadonlyArray<string>
}

/** One page of a list, newest first. */
export interface Page<Row> {
  readonly data: ReadonlyArray<Row>
  /** The cursor of the next page; null on the last one. */
  readonly next_cursor: string | null
}

/** One event of an answer's stream. */
export type StreamEvent =
  | {
      readonly type: "start"
      readonly generation_id: string
      readonly message_id: string
      readonly conversation_id: string | null
      readonly model: string
    }
  /** One token; `seq` counts from 1, without gaps. */
  | { readonly type: "delta"; readonly seq: number; readonly text: string }
  | {
      readonly type: "usage"
      readonly tokens_in: number | null
      readonly tokens_out: number | null
      readonly approx_tokens_in: number | null
      readonly approx_tokens_out: number | null
      readonly latency_ms: number | null
    }
  /** The answer is whole, and stored. */
  | {
      readonly type: "end"
      readonly status: "completed"
      readonly finish_reason: FinishReason | null
      readonly message_id: string
      readonly seq: number
    }

/** A question, and its conversation. */
export interface Question {
  readonly content: string
  readonly conversation_id?: string | null
}

/** Where a page starts, and its number of rows: at most 100. */
export interface PageQuery {
  readonly limit?: number
  readonly cursor?: string
}

/** Stable codes of the problems. */
export type ProblemCode =
  | "invalid_request"
  | "unknown_parameter"
  | "malformed_request"
  | "malformed_json"
  | "invalid_utf8"
  | "unauthenticated"
  | "invalid_credentials"
  | "forbidden"
  | "registration_refused"
  | "not_found"
  | "tenant_creation_closed"
  | "tenant_not_found"
  | "user_not_found"
  | "conversation_not_found"
  | "message_not_found"
  | "generation_not_found"
  | "method_not_allowed"
  | "request_timeout"
  | "tenant_required"
  | "email_taken"
  | "last_admin"
  | "generation_cancelled"
  | "still_running"
  | "payload_too_large"
  | "unsupported_media_type"
  | "expectation_failed"
  | "prompt_too_long"
  | "content_filtered"
  | "context_too_long"
  | "prompt_rejected"
  | "idempotency_mismatch"
  | "too_many_requests"
  | "headers_too_large"
  | "internal_error"
  | "model_failed"
  | "unavailable"
  | "model_unavailable"
  | "model_timed_out"

/** A problem as the server sends it (RFC 9457). */
export interface Problem {
  /** Where the server explains this kind of problem: `/problems/{code}`. */
  readonly type: string
  readonly status: number
  readonly title: string
  /** What happened, as a sentence for people. */
  readonly detail: string
  readonly code: ProblemCode
  readonly request_id?: string
  /** Seconds to wait before the next try. */
  readonly retry_after?: number
  /** If the model failed: why, and the id under which the partial answer is stored. */
  readonly reason?: FailureReason
  readonly generation_id?: string
  /** If the request is not valid: what is wrong with it. */
  readonly errors?: ReadonlyArray<{ readonly path: ReadonlyArray<string | number>; readonly message: string }>
  readonly max_characters?: number
}
