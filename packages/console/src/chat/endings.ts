import type { FailureReason, Message } from "@llm-saas/client"

/** How an answer ended, for people, where that is not simply well. */
export interface Ending {
  /** `warn`: there is an answer, but not all of it. `bad`: it failed. */
  readonly tone: "warn" | "bad"
  readonly title: string
  /** What it means, and what to do. */
  readonly text: string
}

/** How an answer ended; undefined: it is whole, or still under way. */
export const endingOf = (
  message: Pick<Message, "status" | "finish_reason" | "failure" | "response" | "tool_calls">
): Ending | undefined => {
  switch (message.status) {
    case "streaming":
      return undefined
    case "completed":
      return completed(message)
    case "cancelled":
      return {
        tone: "warn",
        title: "Stopped",
        text: "The answer was stopped before its end, by you or because no page was reading it any more. What had come is kept."
      }
    case "interrupted":
      return {
        tone: "bad",
        title: "Interrupted",
        text: `${FAILURES[message.failure ?? "process_lost"]} This is not the whole answer. Ask again.`
      }
    case "failed":
      return {
        tone: "bad",
        title: message.response === null || message.response === "" ? "No answer" : "Failed before its end",
        text: `${FAILURES[message.failure ?? "internal"]} ${message.response === null || message.response === "" ? "" : "This is not the whole answer."}`.trim()
      }
  }
}

const completed = ({
  finish_reason,
  response,
  tool_calls
}: Pick<Message, "finish_reason" | "response" | "tool_calls">): Ending | undefined => {
  switch (finish_reason) {
    case "length":
      return {
        tone: "warn",
        title: "Cut off",
        text: "The answer ends here because it reached its longest length. Ask the model to go on."
      }
    case "content_filter":
      return {
        tone: "warn",
        title: "Cut off by a content filter",
        text: "The model's provider stopped the answer here. Ask in other words."
      }
    case "tool_calls":
      return {
        tone: "warn",
        title: "Waits for tools",
        text: `The model calls tools, which this page does not run: ${(tool_calls ?? []).map(({ name }) => name).join(", ")}.`
      }
    case "other":
      return { tone: "warn", title: "Stopped by the model", text: "The model gave a reason that is not known here." }
    case null:
      return { tone: "warn", title: "Ended without a reason", text: "It is not known whether the answer is whole." }
    case "stop":
      return response === "" ? { tone: "warn", title: "Empty answer", text: "The model said nothing." } : undefined
  }
}

/** What failed and what to do, as sentences. */
const FAILURES: Readonly<Record<FailureReason, string>> = {
  model_unauthorized: "The model's provider refused the key that it was asked with. Tell an admin.",
  model_rate_limited: "The model's provider has too much to do. Ask again in a while.",
  model_unavailable: "The model's provider could not be reached. Ask again in a while.",
  model_error: "The model's provider had an error. Ask again.",
  model_rejected: "The model's provider refused the request. Choose another model, or tell an admin.",
  content_filtered: "The provider's content filter refused the question or the answer. Ask in other words.",
  context_too_long: "The conversation is longer than the model takes. Begin a new one, or ask a shorter question.",
  prompt_rejected:
    "The model's provider refused the question: it may not take such files or instructions. Change the question.",
  model_malformed: "What the model's provider sent could not be understood. Ask again.",
  model_timeout: "The model was silent for too long. Ask again.",
  model_cut: "The connection to the model broke. Ask again.",
  answer_too_long: "The answer was longer than this installation keeps.",
  shutdown: "The server was stopped while the model was answering.",
  process_lost: "The server that was reading the answer was lost.",
  internal: "The server made a mistake. Ask again, and tell who runs it if it stays so."
}
