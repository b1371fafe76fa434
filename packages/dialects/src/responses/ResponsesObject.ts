import type { Json, JsonObject } from "@llm-saas/domain/Json"
import type { AnswerEnd, AnswerHead, DoorError } from "../AnswerWriter.ts"
import { chatError } from "../chat/ChatErrors.ts"
import { isJsonObject } from "@llm-saas/domain/Json"
import { responseId } from "./ResponsesIds.ts"
import { responsesUsageOf } from "./ResponsesUsage.ts"

export type ResponseStatus = "queued" | "in_progress" | "completed" | "incomplete" | "failed" | "cancelled"

/** What changes of a response while it is made. */
export interface ResponseState {
  readonly status: ResponseStatus
  readonly output: ReadonlyArray<JsonObject>
  readonly end?: AnswerEnd | undefined
  readonly error?: JsonObject | undefined
  /** The response as a provider that speaks Responses ended it. */
  readonly provider?: JsonObject | undefined
}

/** Members of the request that a response repeats, with what they are where the request has none. */
const REPEATED: ReadonlyArray<readonly [string, Json]> = [
  ["instructions", null],
  ["max_output_tokens", null],
  ["max_tool_calls", null],
  ["metadata", {}],
  ["parallel_tool_calls", true],
  ["previous_response_id", null],
  ["reasoning", { effort: null, summary: null }],
  ["store", true],
  ["temperature", null],
  ["text", { format: { type: "text" } }],
  ["tool_choice", "auto"],
  ["tools", []],
  ["top_p", null],
  ["truncation", "disabled"],
  ["user", null]
]

/** Those that it has only if the request has them. */
const OPTIONAL = ["prompt_cache_key", "safety_identifier", "service_tier", "top_logprobs"]

/**
 * The response object. One that a provider made is returned as it came, with what is ours to say, and with what its reader left out because
 * it is known here: see `ResponsesReader`.
 */
export const responseOf = (head: AnswerHead, state: ResponseState): JsonObject => {
  const { createdAt, generationId, request } = head
  const id = responseId(generationId)
  const { end, error, output, provider, status } = state
  const background = request["background"] === true
  if (provider !== undefined && end !== undefined)
    return {
      output,
      instructions: request["instructions"] ?? null,
      tools: request["tools"] ?? [],
      ...provider,
      id,
      background,
      previous_response_id: request["previous_response_id"] ?? null,
      store: request["store"] ?? true
    }
  return {
    id,
    object: "response",
    created_at: createdAt,
    status,
    background,
    error: error ?? null,
    incomplete_details: status === "incomplete" ? { reason: reasonOf(end) } : null,
    model: end?.model ?? head.model,
    output,
    ...Object.fromEntries(REPEATED.map(([name, missing]) => [name, request[name] ?? missing])),
    ...Object.fromEntries(OPTIONAL.flatMap((name) => (request[name] === undefined ? [] : [[name, request[name]]]))),
    usage: end?.usage === undefined ? null : responsesUsageOf(end.usage)
  }
}

const reasonOf = (end: AnswerEnd | undefined): string =>
  end?.finishReason === "content_filter" ? "content_filter" : "max_output_tokens"

/** How a whole answer ended. `provider`: its own response, if it speaks Responses. */
export const endStatus = ({ finishReason }: AnswerEnd, provider: JsonObject | undefined): "completed" | "incomplete" =>
  finishReason === "length" || finishReason === "content_filter" || provider?.["status"] === "incomplete"
    ? "incomplete"
    : "completed"

/** Codes that a response's error may have, beside `server_error`. The last ones are no part of OpenAI's list, but Codex looks for them. */
const CODES: ReadonlySet<unknown> = new Set([
  "rate_limit_exceeded",
  "invalid_prompt",
  "context_length_exceeded",
  "insufficient_quota"
])

/** A failure as a response tells it. */
export const responseError = (error: DoorError): JsonObject => {
  const told = chatError(error)["error"]
  const code = isJsonObject(told) ? told["code"] : undefined
  const known = code === "prompt_rejected" || code === "content_filter" ? "invalid_prompt" : code
  return {
    code: CODES.has(known) ? known : error.status === 429 ? "rate_limit_exceeded" : "server_error",
    message: error.message
  }
}

/** The status of an answer that is not whole. */
export const failureStatus = ({ code }: DoorError): "cancelled" | "failed" =>
  code === "generation_cancelled" ? "cancelled" : "failed"
