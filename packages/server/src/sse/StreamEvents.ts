import type { StreamEvent } from "@llm-saas/api/StreamEvent"
import { Seq } from "@llm-saas/domain/Generation"
import type { Message } from "@llm-saas/domain/Message"
import { pieceOf, visibleText } from "@llm-saas/domain/ModelEvent"
import type { Asked } from "@llm-saas/engine/generations/Generations"

// Events around an answer's tokens, the same for HTTP and RPC.

type Event<Type extends StreamEvent["type"]> = Extract<StreamEvent, { readonly type: Type }>

export const startOf = ({ conversationId, generationId, messageId, model }: Asked): Event<"start"> => ({
  type: "start",
  generation_id: generationId,
  message_id: messageId,
  conversation_id: conversationId,
  model
})

export const usageOf = (message: Message): Event<"usage"> => {
  const { approx_tokens_in, approx_tokens_out, latency_ms, tokens_in, tokens_out } = message
  return { type: "usage", tokens_in, tokens_out, approx_tokens_in, approx_tokens_out, latency_ms }
}

/** An entry of an answer's log as an event; undefined: it has nothing to show. */
export const eventOf = (seq: number, entry: string): StreamEvent | undefined => {
  const at = Seq.make(seq)
  const piece = pieceOf(entry)
  if (typeof piece === "string") return { type: "delta", seq: at, text: piece }
  if ("choice" in piece && (piece.choice ?? 0) > 0) return undefined
  if (piece.type === "reasoning") return { type: "reasoning", seq: at, text: piece.text }
  if (piece.type === "tool_call") {
    const { arguments: args = "", call, id, name } = piece
    return {
      type: "tool_call",
      seq: at,
      index: call,
      ...(id === undefined ? {} : { id }),
      ...(name === undefined ? {} : { name }),
      arguments: args
    }
  }
  const text = visibleText(piece)
  return text === "" ? undefined : { type: "delta", seq: at, text }
}

/** The end event of a whole answer, whose last token is `seq`. */
export const endOf = ({ finish_reason, id }: Message, seq: number): Event<"end"> => ({
  type: "end",
  status: "completed",
  finish_reason,
  message_id: id,
  seq: Seq.make(seq)
})
