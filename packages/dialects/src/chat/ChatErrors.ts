import type { JsonObject } from "@llm-saas/domain/Json"
import type { DoorError } from "../AnswerWriter.ts"

/** An error in the words of Chat Completions, Responses and Embeddings: `{"error": {message, type, param, code}}`. */
export const chatError = ({ code, message, param, retryAfter, status }: DoorError): JsonObject => {
  const known = code === "budget_exhausted" ? budgetCode(retryAfter) : (CODES.get(code) ?? code)
  return { error: { message, type: typeOf(known, status), param: param ?? null, code: known } }
}

/** A budget is gone; or reserved for answers that run, and there may be more of it in a moment. */
const budgetCode = (retryAfter: number | undefined): string =>
  retryAfter === undefined ? "insufficient_quota" : "rate_limit_exceeded"

/** Our codes for which clients look under OpenAI's name. Others keep ours. */
const CODES: ReadonlyMap<string, string> = new Map([
  ["unauthenticated", "invalid_api_key"],
  ["context_too_long", "context_length_exceeded"],
  ["prompt_too_long", "context_length_exceeded"],
  ["content_filtered", "content_filter"],
  ["too_many_requests", "rate_limit_exceeded"],
  ["limit_reached", "rate_limit_exceeded"],
  ["model_not_allowed", "model_not_found"]
])

const typeOf = (code: string, status: number): string => {
  if (code === "insufficient_quota") return code
  if (status === 401) return "authentication_error"
  if (status === 403) return "permission_error"
  if (status === 404) return "not_found_error"
  if (status === 429) return "rate_limit_error"
  if (status === 408 || status === 504) return "timeout_error"
  return status >= 500 ? "server_error" : "invalid_request_error"
}
