import type { TrackingRecord } from "@llm-saas/database/TrackingOutbox"
import { redact, redactLong } from "@llm-saas/domain/Redaction"
import { Effect } from "effect"

/**
 * What of questions, answers and comments MLflow is told: everything; everything but what looks like a secret or somebody's number or
 * address; nothing.
 */
export type ContentPolicy = "full" | "redacted" | "off"

/** A text as the policy lets it through; null: not at all. For short texts: see {@link shown}. */
export const filter = (policy: ContentPolicy, text: string | null): string | null => {
  if (policy === "off" || text === null) return null
  return policy === "full" ? text : redact("content", text)
}

/** A record whose question and answer are as the policy lets them through. Others have their turn while a long answer is redacted. */
export const shown = (policy: ContentPolicy, record: TrackingRecord): Effect.Effect<TrackingRecord> => {
  const allowed = (text: string | null): Effect.Effect<string | null> =>
    policy === "redacted" && text !== null
      ? redactLong("content", text)
      : Effect.succeed(policy === "off" ? null : text)
  return Effect.map(Effect.all([allowed(record.content), allowed(record.response)]), ([content, response]) => ({
    ...record,
    content,
    response
  }))
}
