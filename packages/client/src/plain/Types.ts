import type { Budget, FailureReason, Limits, PasswordFlaw, ProblemCode } from "./Schemas.ts"

// The API's types in plain TypeScript: those the document has, and a few that it does not name.

export type * from "./Schemas.ts"

/** One page of a list, newest first. */
export interface Page<Row> {
  readonly data: ReadonlyArray<Row>
  /** The cursor of the next page; null on the last one. */
  readonly next_cursor: string | null
}

/** Where a page starts, and its number of rows: at most 100. */
export interface PageQuery {
  readonly limit?: number
  readonly cursor?: string
}

/** Which usage, and how it is summed. Days as in `2026-11-30`, in UTC, both included. */
export interface UsageQuery {
  readonly group_by?: ReadonlyArray<"day" | "user" | "key" | "model" | "door">
  readonly from?: string
  readonly to?: string
  readonly scope?: "own" | "tenant"
  /** At most 1,000; 100 unless it is said. */
  readonly limit?: number
  readonly cursor?: string
}

/** How a tenant's identity provider failed. */
export type SsoFailure = "not_allowed" | "unreachable" | "no_discovery" | "refused" | "invalid_answer"

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
  /** If the model failed: why, and the id under which the partial answer is stored. If a password is refused, or a provider of logins failed: why. */
  readonly reason?: FailureReason | PasswordFlaw | SsoFailure
  readonly generation_id?: string
  /** If the request is not valid: what is wrong with it. */
  readonly errors?: ReadonlyArray<{ readonly path: ReadonlyArray<string | number>; readonly message: string }>
  readonly max_characters?: number
  /** If a login has a second step: what it goes on with, for how many seconds, and by what. */
  readonly challenge?: string
  readonly expires_in?: number
  /** For `navigator.credentials.get`, where there is a passkey. */
  readonly passkey?: Readonly<Record<string, unknown>>
  /** That, or what may prove who asks. */
  readonly methods?: ReadonlyArray<"password" | "totp" | "passkey" | "recovery_code">
  /** If a login at a provider fits several accounts: the address that goes on with each. */
  readonly tenants?: ReadonlyArray<{ readonly tenant_id: string; readonly name: string; readonly login_url: string }>
  readonly min_characters?: number
  /** If a limit is reached or a budget does not suffice: whose it is, and of what. */
  readonly scope?: "tenant" | "user" | "key" | "model"
  readonly resource?: "requests" | "tokens" | "concurrent"
  readonly limit?: number
  /** US dollars as decimal texts: the budget, and what is left of it until its next period begins. */
  readonly amount?: string
  readonly left?: string
  readonly period?: "day" | "week" | "month" | "total"
  readonly until?: string | null
  /** If a limit or budget is above what the tenant's plan allows: which, and what it allows. */
  readonly members?: ReadonlyArray<keyof Limits | "budget">
  readonly plan?: { readonly limits: Limits; readonly budget: Budget | null }
}

/** A model that answers questions: `id` is the name to ask for. Its largest question and answer in tokens, where they are known. */
export interface TalkingModel {
  readonly id: string
  readonly max_input_tokens?: number
  readonly max_tokens?: number
}
