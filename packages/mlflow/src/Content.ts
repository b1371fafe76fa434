import type { TrackingRecord } from "@llm-saas/database/TrackingOutbox"
import { redact, redactLong } from "@llm-saas/domain/Redaction"
import { Effect } from "effect"

/**
 * How questions, answers and comments are sent to MLflow: whole (`full`), without secrets, numbers and email addresses (`redacted`), or
 * not at all (`off`).
 */
export type ContentPolicy = "full" | "redacted" | "off"

/** A text as the policy allows it; null: not at all. For short texts: see {@link shown}. */
export const filter = (policy: ContentPolicy, text: string | null): string | null => {
  if (policy === "off" || text === null) return null
  return policy === "full" ? text : redact("content", text)
}

/** A record with question and answer as the policy allows them. It yields to other fibers while a long answer is redacted. */
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
