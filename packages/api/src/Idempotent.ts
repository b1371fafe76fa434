import { IdempotencyKey, IdempotencyKeyHeader } from "@llm-saas/domain/Idempotency"
import { Schema } from "effect"

/**
 * On every POST that creates something: a request repeated with its key gets the first answer, marked `Idempotency-Replayed: true`, and
 * creates nothing.
 */
export const keyHeader = { "idempotency-key": Schema.optionalKey(IdempotencyKeyHeader) }

/** The same for an RPC call. */
export const keyMember = { idempotency_key: Schema.optionalKey(IdempotencyKey) }
