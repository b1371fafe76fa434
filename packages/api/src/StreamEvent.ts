import { ConversationId } from "@llm-saas/domain/Conversation"
import { FinishReason, GenerationId, Seq } from "@llm-saas/domain/Generation"
import { MessageId } from "@llm-saas/domain/Message"
import { Schema } from "effect"
import { HttpApiSchema } from "effect/http-api"

/**
 * Format of a streamed answer. `text`: the data of each event is a token's text. `json`: the data of each event is a
 * {@link StreamEvent}.
 */
export const StreamFormat = Schema.Literals(["text", "json"])
export type StreamFormat = typeof StreamFormat.Type

const tokens = Schema.NullOr(Schema.Int)

/** The data of one event of a stream with `format=json`. A failure is an event named `error` instead, with a problem as its data. */
export const StreamEvent = Schema.Union([
  /** The first event of every connection, also of one that resumes. */
  Schema.Struct({
    type: Schema.Literal("start"),
    generation_id: GenerationId,
    message_id: MessageId,
    conversation_id: Schema.NullOr(ConversationId),
    /** The model's name. */
    model: Schema.String
  }),
  /** One token. `seq` counts from 1; a number is left out where the answer has something that no event here shows. */
  Schema.Struct({ type: Schema.Literal("delta"), seq: Seq, text: Schema.String }),
  /** More of the model's thoughts, of models that show them. */
  Schema.Struct({ type: Schema.Literal("reasoning"), seq: Seq, text: Schema.String }),
  /**
   * More of a call of a tool; `index` numbers the calls from 0. `id` and `name` come with its first piece; the pieces of `arguments`
   * together are its arguments.
   */
  Schema.Struct({
    type: Schema.Literal("tool_call"),
    seq: Seq,
    index: Schema.Int,
    id: Schema.optionalKey(Schema.String),
    name: Schema.optionalKey(Schema.String),
    arguments: Schema.String
  }),
  /** Tokens used, as the provider counted them; `approx_…` is our own estimate. */
  Schema.Struct({
    type: Schema.Literal("usage"),
    tokens_in: tokens,
    tokens_out: tokens,
    approx_tokens_in: tokens,
    approx_tokens_out: tokens,
    latency_ms: Schema.NullOr(Schema.Finite)
  }),
  /** The answer is whole, and stored under `message_id`. `data: [DONE]` follows. */
  Schema.Struct({
    type: Schema.Literal("end"),
    status: Schema.Literal("completed"),
    finish_reason: Schema.NullOr(FinishReason),
    message_id: MessageId,
    /** The last token's position. */
    seq: Seq
  })
]).annotate({ identifier: "StreamEvent" })
export type StreamEvent = typeof StreamEvent.Type

/** The stream as a typed client reads it: single events, their data not decoded. */
export const EventStream = HttpApiSchema.StreamSse({
  events: Schema.Struct({
    id: Schema.optionalKey(Schema.String),
    event: Schema.optionalKey(Schema.String),
    data: Schema.String
  })
})
