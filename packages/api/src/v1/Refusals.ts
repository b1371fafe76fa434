import { generationFailures, GenerationNotFound } from "@llm-saas/domain/Generation"
import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { admissionRefusals } from "@llm-saas/domain/LimitReached"
import { PromptTooLong } from "@llm-saas/domain/Message"
import { ModelNotFound } from "@llm-saas/domain/Model"
import { TooManyRequests, Unavailable } from "@llm-saas/domain/Refusal"
import { ModelNotAllowed } from "@llm-saas/domain/Scope"

// Refusals of handlers below /v1. They leave the server in the form of their door.

/** Of asking a model. */
export const generating = [
  PromptTooLong,
  TooManyRequests,
  IdempotencyMismatch,
  ModelNotAllowed,
  ModelNotFound,
  GenerationNotFound,
  ...admissionRefusals,
  ...generationFailures,
  Unavailable
] as const

/** Of embedding texts. */
export const embedding = [
  ModelNotAllowed,
  ModelNotFound,
  TooManyRequests,
  ...admissionRefusals,
  ...generationFailures,
  Unavailable
] as const

/** Of reading an answer that was asked before. */
export const following = [GenerationNotFound, TooManyRequests, Unavailable] as const

/** Of counting tokens. */
export const counting = [ModelNotAllowed, ModelNotFound, TooManyRequests, Unavailable] as const

/** Of looking for a model. */
export const oneModel = [ModelNotFound, Unavailable] as const
