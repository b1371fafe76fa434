import type { JsonObject } from "@llm-saas/domain/Json"
import type { DoorError } from "../AnswerWriter.ts"

/** The kinds of errors of this dialect (https://platform.claude.com/docs/en/api/errors), by status. */
const TYPES: ReadonlyMap<number, string> = new Map([
  [400, "invalid_request_error"],
  [401, "authentication_error"],
  [402, "billing_error"],
  [403, "permission_error"],
  [404, "not_found_error"],
  [408, "timeout_error"],
  [413, "request_too_large"],
  [429, "rate_limit_error"],
  [503, "overloaded_error"],
  [504, "timeout_error"],
  [529, "overloaded_error"]
])

/** Refusals for money, whatever their status. */
const MONEY: ReadonlySet<string> = new Set(["insufficient_quota", "budget_exceeded", "payment_required"])

export const errorTypeOf = ({ code, retryAfter, status }: DoorError): string => {
  // With a time to come back, a budget is reserved for answers that run, and not gone.
  if (MONEY.has(code) || (code === "budget_exhausted" && retryAfter === undefined)) return "billing_error"
  return TYPES.get(status) ?? (status < 500 ? "invalid_request_error" : "api_error")
}

/** An error as a body, and as the data of an `error` event. The member that is wrong is named at the beginning of the message. */
export const errorBody = (error: DoorError): JsonObject => {
  const { message, param, requestId } = error
  const named =
    param === undefined || param === "" || message.startsWith(`${param}:`) ? message : `${param}: ${message}`
  return { type: "error", error: { type: errorTypeOf(error), message: named }, request_id: requestId }
}
