import * as Redaction from "@llm-saas/domain/Redaction"

/** Characters of one log message. */
const MAX_CHARACTERS = 8000

/** The text for the log: without secrets or quotes of them, and of bounded length. */
export const redact = (text: string): string =>
  Redaction.redact("log", text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}…` : text)
