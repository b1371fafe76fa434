import type { FinishReason } from "@llm-saas/domain/Generation"

/** Why a message ended, as this dialect says it, in our words. A reason that is not known is one of the provider's own. */
export const finishOf = (stopReason: string): FinishReason => FINISHES.get(stopReason) ?? "other"

const FINISHES: ReadonlyMap<string, FinishReason> = new Map([
  ["end_turn", "stop"],
  ["stop_sequence", "stop"],
  ["max_tokens", "length"],
  ["model_context_window_exceeded", "length"],
  ["tool_use", "tool_calls"],
  ["refusal", "content_filter"],
  // The provider's own tools take longer; the client sends the answer back to have it continued.
  ["pause_turn", "other"]
])

/** Whether a server in front of the model gave up: the message is not whole. Anthropic has no such reason. */
export const isGivenUp = (stopReason: string): boolean => GIVEN_UP.test(stopReason)

const GIVEN_UP = /abort|cancel|error|exception|fail|interrupt|overload|time_?d?_?out/iu

/** What is known of an answer's end beside its reason. */
interface Ended {
  readonly stopSequence: string | undefined
  /** Whether the model called a tool. */
  readonly called: boolean
  /** Whether it refused in words. */
  readonly refused: boolean
}

/** Our reason in the words of this dialect. Clients run tools only after `tool_use`, and some upstreams say `stop` after a call. */
export const stopOf = (reason: FinishReason, { called, refused, stopSequence }: Ended): string => {
  switch (reason) {
    case "length":
      return "max_tokens"
    case "content_filter":
      return "refusal"
    case "tool_calls":
      return called ? "tool_use" : "end_turn"
    case "stop":
    case "other":
      if (called) return "tool_use"
      if (refused) return "refusal"
      return stopSequence === undefined ? "end_turn" : "stop_sequence"
  }
}
