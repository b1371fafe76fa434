import { Predicate } from "effect"
import { holdsError, isNothing } from "./ProviderError.ts"

// What an event of a chat answer is, and what is in it.

/** Names of keep-alive events. */
export const PINGS = new Set(["ping", "keepalive", "keep-alive", "heartbeat"])

/** Members of events that are known to be no answer and no error: an event without `choices` has at least one of them. */
const KNOWN = new Set([
  "choices",
  "id",
  "object",
  "created",
  "model",
  "usage",
  "x_groq",
  "system_fingerprint",
  "service_tier",
  "provider",
  "obfuscation",
  "prompt_filter_results",
  "prompt_annotations",
  "prompt_token_ids",
  "prompt_progress",
  "timings",
  "metrics",
  "metadata",
  "citations",
  "search_results",
  "annotations",
  "request_id",
  "base_resp",
  "success",
  "done",
  ...PINGS
])

type Fields = Readonly<Record<PropertyKey, unknown>>

/** Whether a turn has a text and nothing else, as nearly every one. */
export const isTextOnly = (turn: Fields): turn is Fields & { readonly content: string } => {
  const { content } = turn
  if (typeof content !== "string" || content === "") return false
  for (const name in turn) if (name !== "content" && name !== "role" && turn[name] !== null) return false
  return true
}

/** The finish reason of Azure's older models. */
export const finishDetails = ({ finish_details: details }: Fields): unknown =>
  Predicate.hasProperty(details, "type") ? details.type : undefined

/** Whether it is an object with an error among its members. */
export const hasError = (value: unknown): boolean => Predicate.isObject(value) && holdsError(value)

/** Whether an event without `choices` is not understood: it may be an error, in any form. */
export const isUnknown = (chunk: Fields): boolean => {
  const members = Object.entries(chunk)
  return members.some(([, value]) => !isNothing(value)) && !members.some(([name]) => KNOWN.has(name))
}

/** Whether an event without `choices` is itself a choice. */
export const isTurn = ({ delta, message }: Fields): boolean => Predicate.isObject(delta) || Predicate.isObject(message)

/** A name or an id: printable ASCII, at most 200 characters; anything else is dropped. */
export const nameOf = (model: unknown): string | undefined =>
  typeof model === "string" && /^[\x20-\x7e]{1,200}$/u.test(model) ? model : undefined
