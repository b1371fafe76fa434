import type { FailureReason, FinishReason, GenerationStatus } from "@llm-saas/client"
import { assert, it } from "@effect/vitest"
import { endingOf } from "../src/chat/endings.ts"

const message = (
  status: GenerationStatus,
  finish_reason: FinishReason | null,
  failure: FailureReason | null = null
) => ({
  status,
  finish_reason,
  failure,
  response: "text",
  tool_calls: null
})

it("only an answer that the model itself ended is shown without a word on its end", () => {
  const statuses = ["completed", "failed", "cancelled", "interrupted"] as const
  const reasons = ["stop", "length", "content_filter", "tool_calls", "other", null] as const
  const silent = statuses.flatMap((status) =>
    reasons.filter((reason) => endingOf(message(status, reason)) === undefined).map((reason) => [status, reason])
  )
  assert.deepStrictEqual(silent, [["completed", "stop"]])
  assert.isDefined(endingOf({ ...message("completed", "stop"), response: "" }))
  assert.isUndefined(endingOf(message("streaming", null)))
})

it("each failure is explained, and is not called a whole answer", () => {
  const texts = (["model_timeout", "process_lost", "context_too_long", "internal"] as const).map(
    (failure) => endingOf(message("failed", null, failure))?.text
  )
  assert.strictEqual(new Set(texts).size, texts.length)
  for (const text of texts) assert.include(text, "This is not the whole answer.")
  assert.strictEqual(endingOf({ ...message("failed", null, "model_error"), response: null })?.title, "No answer")
})
