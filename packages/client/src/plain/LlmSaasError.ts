import type { Problem, ProblemCode } from "./Types.ts"

/**
 * Every failure of this client. `code` is for programs: one of the server's, or
 *
 * - `connection_failed`: the server could not be reached, or the connection was lost, as often as it was tried. `status` is 0.
 * - `invalid_answer`: what came is not what this server says; somebody between answered, with `status`.
 */
export class LlmSaasError extends Error {
  override readonly name = "LlmSaasError"
  readonly code: ProblemCode | "connection_failed" | "invalid_answer"
  /** The HTTP status. */
  readonly status: number
  /** Under which the request is in the server's log. */
  readonly requestId: string | undefined
  /** Seconds after which it may be tried again. */
  readonly retryAfter: number | undefined
  /** All the server said. */
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

/** The failure a problem tells of. */
export const failureOf = (problem: Problem): LlmSaasError =>
  new LlmSaasError(problem.title, { code: problem.code, status: problem.status, problem })
