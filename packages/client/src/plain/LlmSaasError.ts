import type { Problem, ProblemCode } from "./Types.ts"

/**
 * Every failure of this client. `code` is for programs: one of the server's codes, or
 *
 * - `connection_failed`: the server could not be reached, or the connection was lost, at every try. `status` is 0.
 * - `invalid_answer`: the answer is not from this server but, for example, from a proxy, with `status`.
 * - `session_replaced`: another login, in another tab say, took this session's place where both are kept. `status` is 0.
 */
export class LlmSaasError extends Error {
  override readonly name = "LlmSaasError"
  readonly code: ProblemCode | "connection_failed" | "invalid_answer" | "session_replaced"
  /** The HTTP status. */
  readonly status: number
  /** The request's id in the server's log. */
  readonly requestId: string | undefined
  /** Seconds to wait before the next try. */
  readonly retryAfter: number | undefined
  /** The server's whole answer. */
  readonly problem: Problem | undefined

  constructor(
    message: string,
    about: {
      readonly code: LlmSaasError["code"]
      readonly status: number
      readonly requestId?: string | undefined
      readonly problem?: Problem
      readonly cause?: unknown
    }
  ) {
    super(message, about.cause === undefined ? undefined : { cause: about.cause })
    this.code = about.code
    this.status = about.status
    this.requestId = about.requestId ?? about.problem?.request_id
    this.retryAfter = about.problem?.retry_after
    this.problem = about.problem
  }
}

/** The failure for a problem. */
export const failureOf = (problem: Problem): LlmSaasError =>
  new LlmSaasError(problem.title, { code: problem.code, status: problem.status, problem })
