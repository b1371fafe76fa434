import type { Door } from "@llm-saas/api/v1/Door"
import type { DoorError } from "@llm-saas/dialects/AnswerWriter"
import type { JsonObject } from "@llm-saas/domain/Json"

/** An error in the form of a door. */
export const bodyOf = (door: Exclude<Door, "native">, error: DoorError): JsonObject =>
  door === "anthropic"
    ? { type: "error", error: { type: "invalid_request_error", message: error.message }, request_id: error.requestId }
    : { error: { message: error.message, type: "invalid_request_error", param: error.param ?? null, code: error.code } }
