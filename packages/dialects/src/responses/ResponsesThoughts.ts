import type { ReasoningItem } from "@llm-saas/domain/ModelRequest"

// `encrypted_content` is what Responses has for thoughts that must come back unchanged. A colon is not in base64, so a provider's own
// content never begins like one of ours.

/** Before the signature of thoughts whose text is beside it. */
const SIGNED = "signed:"
/** Before thoughts that are encrypted as a whole, by a provider that does not speak Responses. */
const SEALED = "sealed:"

/** Thoughts with what a client sent back as their `encrypted_content`. */
export const thoughtsOf = (text: string, content: string | undefined): ReasoningItem => {
  if (content === undefined || content === "") return { type: "reasoning", text }
  if (content.startsWith(SIGNED)) return { type: "reasoning", text, signature: content.slice(SIGNED.length) }
  return {
    type: "reasoning",
    text,
    encrypted: content.startsWith(SEALED) ? content.slice(SEALED.length) : content
  }
}

/** The `encrypted_content` that {@link thoughtsOf} reads. */
export const signed = (signature: string): string => SIGNED + signature
export const sealed = (data: string): string => SEALED + data
