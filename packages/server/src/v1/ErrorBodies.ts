import type { Door } from "@llm-saas/api/v1/Door"
import { errorBody } from "@llm-saas/dialects/anthropic/Errors"
import type { DoorError } from "@llm-saas/dialects/AnswerWriter"
import { chatError } from "@llm-saas/dialects/chat/ChatErrors"
import type { JsonObject } from "@llm-saas/domain/Json"

/** An error in the form of a door. */
export const bodyOf = (door: Exclude<Door, "native">, error: DoorError): JsonObject =>
  door === "anthropic" ? errorBody(error) : chatError(error)
