import { isJsonObject, type Json, type JsonObject } from "@llm-saas/domain/Json"
import type { ModelEvent } from "@llm-saas/domain/ModelEvent"
import { isList } from "../RequestFields.ts"

/** What an event adds to one choice, as the `delta` of a chunk. */
export interface ChatDelta {
  readonly choice: number
  readonly delta: JsonObject
  /** The end of the choice. */
  readonly finish?: string | undefined
}

/** Canonical events as deltas, in order. */
export class ChatDeltas {
  readonly #legacy: boolean
  /** The first choice's block of thoughts so far, until its signature. */
  #thoughts = ""

  /** `legacy`: the client knows functions only, see {@link isLegacy}. */
  constructor(legacy: boolean) {
    this.#legacy = legacy
  }

  /** Undefined where Chat Completions has no words for it. */
  of(event: ModelEvent): ChatDelta | undefined {
    switch (event.type) {
      case "text":
        return { choice: event.choice, delta: { content: event.text } }
      case "refusal":
        return { choice: event.choice ?? 0, delta: { refusal: event.text } }
      case "reasoning":
        if ((event.choice ?? 0) === 0) this.#thoughts += event.text
        // Servers and clients differ in the name: both are written.
        return { choice: event.choice ?? 0, delta: { reasoning_content: event.text, reasoning: event.text } }
      case "signature":
        return this.#block({ type: "thinking", thinking: this.#thoughts, signature: event.signature })
      case "encrypted":
        return this.#block({ type: "redacted_thinking", data: event.data })
      case "tool_call":
        this.#thoughts = ""
        return {
          choice: event.choice ?? 0,
          delta: this.#legacy ? legacyCallOf(event) : { tool_calls: [callOf(event)] }
        }
      case "annotation":
        return event.dialect === "chat" ? { choice: 0, delta: { annotations: [event.value] } } : undefined
      case "finish":
        return { choice: event.choice ?? 0, delta: {}, finish: event.reason }
      case "raw":
        return event.text === undefined || event.text === "" ? undefined : { choice: 0, delta: { content: event.text } }
      case "shape":
        return undefined
    }
  }

  /** A text ends a block of thoughts. */
  text(): void {
    this.#thoughts = ""
  }

  /** OpenAI has no signed thoughts. `thinking_blocks` is what other gateways write, and what is read in a request. */
  #block(block: JsonObject): ChatDelta {
    this.#thoughts = ""
    return { choice: 0, delta: { thinking_blocks: [block] } }
  }
}

type ToolCall = Extract<ModelEvent, { readonly type: "tool_call" }>

/** Its id, type and name are in the first piece of a call only. */
const callOf = ({ arguments: text, call, custom, id, name }: ToolCall): JsonObject => {
  const first = name !== undefined
  if (custom === true)
    return {
      index: call,
      ...(id === undefined ? {} : { id }),
      ...(first ? { type: "custom" } : {}),
      custom: { ...(first ? { name } : {}), input: text ?? "" }
    }
  return {
    index: call,
    ...(id === undefined ? {} : { id }),
    ...(first ? { type: "function" } : {}),
    function: { ...(first ? { name } : {}), arguments: text ?? "" }
  }
}

/** For clients that asked with `functions`, which was before there were tools. */
const legacyCallOf = ({ arguments: text, name }: ToolCall): JsonObject => ({
  function_call: { ...(name === undefined ? {} : { name }), arguments: text ?? "" }
})

/** Whether the client knows functions only, and no tools. */
export const isLegacy = (request: JsonObject): boolean => isList(request["functions"]) && !isList(request["tools"])

/** The deltas of a whole answer in Chat Completions' own form, or of one of its chunks. */
export const deltasIn = (event: JsonObject): ReadonlyArray<ChatDelta> => {
  const { choices } = event
  if (!isList(choices)) return []
  return choices.flatMap((choice, place) => {
    if (!isJsonObject(choice)) return []
    const { delta, finish_reason: finish, index, message } = choice
    const said = isJsonObject(delta) ? delta : isJsonObject(message) ? numbered(message) : {}
    return [
      {
        choice: typeof index === "number" ? index : place,
        delta: said,
        ...(typeof finish === "string" ? { finish } : {})
      }
    ]
  })
}

/** A message as a delta: its calls have numbers. */
const numbered = (message: JsonObject): JsonObject => {
  const calls = message["tool_calls"]
  if (!isList(calls)) return message
  const numberedCalls: ReadonlyArray<Json> = calls.map((call, index) =>
    isJsonObject(call) ? { index, ...call } : call
  )
  return { ...message, tool_calls: numberedCalls }
}
