import type { Json, JsonObject } from "@llm-saas/domain/Json"
import { known } from "../chat/ChatTools.ts"

/** A text that comes in deltas. */
export interface Growing {
  /** The name of its events, without `.delta` and `.done`. */
  readonly event: string
  /** Where it is: the ids and indices that its events repeat. */
  readonly address: JsonObject
  /** What its deltas have beside the text. */
  readonly beside: JsonObject
  /** The member of the `done` event that has the whole text. */
  readonly whole: "text" | "refusal" | "arguments" | "input"
  /** What its `done` event has beside the text. */
  readonly named: JsonObject
  text: string
}

export type Status = "in_progress" | "completed" | "incomplete"

/** A part of a message. */
export interface MessagePart {
  readonly index: number
  readonly growing: Growing
  readonly annotations: Array<Json>
}

/** One item of the output while it grows. */
export type Item = MessageItem | ReasoningItem | CallItem | RawItem

interface Common {
  readonly id: string
  readonly index: number
  status: Status
}

export interface MessageItem extends Common {
  readonly type: "message"
  readonly parts: Array<MessagePart>
}

export interface ReasoningItem extends Common {
  readonly type: "reasoning"
  /** Undefined until there is a text. */
  growing: Growing | undefined
  encrypted: string | undefined
}

export interface CallItem extends Common {
  readonly type: "function_call" | "custom_tool_call"
  readonly callId: string
  readonly name: string
  readonly growing: Growing
}

/** An item as a provider that speaks Responses sent it. */
export interface RawItem extends Common {
  readonly type: "raw"
  readonly value: JsonObject
  /** The texts of a message that is not done. */
  readonly texts: Array<Growing>
}

const textJson = ({ text }: Growing): JsonObject => ({ type: "output_text", text, annotations: [], logprobs: [] })

/** A part of a message as it is now. */
export const partJson = ({ annotations, growing }: MessagePart): JsonObject =>
  growing.whole === "refusal"
    ? { type: "refusal", refusal: growing.text }
    : { type: "output_text", text: growing.text, annotations: [...annotations], logprobs: [] }

/** Whether thoughts are shown as a summary of them, or as they are. */
export const isSummary = ({ event }: Growing): boolean => event === SUMMARY

export const SUMMARY = "response.reasoning_summary_text"
export const THOUGHTS = "response.reasoning_text"

/** The part of thoughts as it is now. */
export const thoughtsJson = (growing: Growing): JsonObject => ({
  type: isSummary(growing) ? "summary_text" : "reasoning_text",
  text: growing.text
})

/** An item as it is now. `encrypted`: whether what is encrypted of thoughts is shown. */
export const itemJson = (item: Item, encrypted: boolean): JsonObject => {
  switch (item.type) {
    case "message":
      return {
        id: item.id,
        type: "message",
        status: item.status,
        role: "assistant",
        content: item.parts.map(partJson)
      }
    case "reasoning": {
      const { growing } = item
      const parts = growing === undefined ? [] : [thoughtsJson(growing)]
      const summary = growing === undefined || isSummary(growing)
      return known({
        id: item.id,
        type: "reasoning",
        summary: summary ? parts : [],
        content: summary ? undefined : parts,
        encrypted_content: encrypted ? item.encrypted : undefined
      })
    }
    case "function_call":
      return {
        id: item.id,
        type: "function_call",
        status: item.status,
        arguments: item.growing.text,
        call_id: item.callId,
        name: item.name
      }
    case "custom_tool_call":
      return {
        id: item.id,
        type: "custom_tool_call",
        status: item.status,
        call_id: item.callId,
        input: item.growing.text,
        name: item.name
      }
    case "raw":
      return item.texts.length === 0 ? item.value : { ...item.value, content: item.texts.map(textJson) }
  }
}
