import { IdempotencyKey, IdempotencyKeyHeader } from "@llm-saas/domain/Idempotency"
import { Schema } from "effect"

/**
 * On every POST that creates something: sent again with its key, a request gets its first answer, marked `Idempotency-Replayed: true`, and
 * creates nothing.
 */
export const keyHeader = { "idempotency-key": Schema.optionalKey(IdempotencyKeyHeader) }

/** The same in a call. */
export const keyMember = { idempotency_key: Schema.optionalKey(IdempotencyKey) }
