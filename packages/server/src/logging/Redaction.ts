import * as Redaction from "@llm-saas/domain/Redaction"

/** Characters of one message of the log. */
const MAX = 8000

/** The text as it may be logged: without what is a secret or quotes one, and of a bounded length. */
export const redact = (text: string): string =>
  Redaction.redact("log", text.length > MAX ? `${text.slice(0, MAX)}…` : text)
