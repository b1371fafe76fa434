import type { FinishReason } from "@llm-saas/domain/Generation"
import { cut, ProviderFailure, overTime } from "./ProviderFailure.ts"

/** Providers' names of the reasons why a model stops by itself, in lower case. docs/providers.md lists them. */
const REASONS: Readonly<Record<FinishReason, ReadonlyArray<string>>> = {
  stop: [
    "stop",
    "eos",
    "eos_token",
    "end_turn",
    "stop_sequence",
    "stop_token",
    "end",
    "endoftext",
    "end_of_text",
    "complete",
    "completed",
    "finish",
    "finished"
  ],
  length: [
    "length",
    "max_tokens",
    "max_length",
    "max_new_tokens",
    "max_output_tokens",
    "max_completion_tokens",
    "maximum_tokens",
    "model_length",
    "model_context_window_exceeded",
    "token_limit",
    "truncated"
  ],
  content_filter: [
    "content_filter",
    "content_filtered",
    "content_moderation",
    "safety",
    "image_safety",
    "sensitive",
    "refusal",
    "recitation",
    "blocklist",
    "prohibited_content",
    "spii",
    "guardrail_intervened",
    "error_toxic"
  ],
  tool_calls: ["tool_calls", "tool_call", "tool_use", "tools", "function_call"],
  other: []
}

/** Values that are not a reason: the answer continues. */
const UNFINISHED = new Set([
  "",
  "null",
  "none",
  "nil",
  "undefined",
  "unknown",
  "unspecified",
  "in_progress",
  "incomplete"
])

const broken = new ProviderFailure({ reason: "model_error", retryable: true })

/** Values by which servers report that they gave up: the answer is not whole. */
const GIVEN_UP: ReadonlyArray<readonly [pattern: RegExp, failed: ProviderFailure]> = [
  [/time_?d?_?out|deadline/u, overTime],
  [/abort|cancel|interrupt|disconnect|killed/u, cut],
  [/error|fail|exception|crash|unavailable|overload|insufficient|malformed/u, broken]
]

const KNOWN = new Map<string, FinishReason>([
  ...named("stop"),
  ...named("length"),
  ...named("content_filter"),
  ...named("tool_calls")
])

function named(reason: FinishReason): Array<[string, FinishReason]> {
  return REASONS[reason].map((word) => [word, reason])
}

/**
 * The meaning of a provider's value: a finish reason, a failure, or undefined if the answer continues. An unknown value is a provider's
 * own reason (`other`). Case and enumeration prefixes (`FinishReason.STOP`) are ignored.
 */
export const finishOf = (word: string): FinishReason | ProviderFailure | undefined => {
  const name = word
    .trim()
    .toLowerCase()
    .replace(/^.*\./u, "")
    .replace(/^finish_reason_/u, "")
    .replaceAll(/[\s-]+/gu, "_")
  const known = KNOWN.get(name)
  if (known !== undefined) return known
  if (UNFINISHED.has(name)) return undefined
  return GIVEN_UP.find(([pattern]) => pattern.test(name))?.[1] ?? "other"
}
