import { DateTime, Schema } from "effect"
import { ConversationId } from "./Conversation.ts"
import { FailureReason, FinishReason, GenerationId, GenerationStatus } from "./Generation.ts"
import { Problem } from "./ProblemClass.ts"
import { prose, uuid } from "./Text.ts"
import { UserId } from "./User.ts"

/** The id of a message. We generate UUIDv7; any UUID is accepted. */
export const MessageId = Schema.String.check(uuid).pipe(Schema.brand("MessageId"))
export type MessageId = typeof MessageId.Type

/** A question's text: well-formed Unicode without NUL, not blank. Its longest length is a setting; a longer text is answered with 422. */
export const Content = prose()

/** A tool that the model calls. The client runs it, and sends its result with the next question. */
export const ToolCall = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  /** JSON, as the model wrote it. */
  arguments: Schema.String
}).annotate({ identifier: "ToolCall" })

const count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** A question and its answer, as stored. Elsewhere a message has a role; here it is both sides. */
export class Message extends Schema.Class<Message>("Message")({
  id: MessageId,
  conversation_id: Schema.NullOr(ConversationId),
  generation_id: Schema.NullOr(GenerationId),
  user_id: UserId,
  content: Schema.String,
  /** Null until the answer ended; partial if it did not complete. */
  response: Schema.NullOr(Schema.String),
  /** The tools that a whole answer calls; null if it calls none, or is not whole. */
  tool_calls: Schema.NullOr(Schema.Array(ToolCall)),
  model: Schema.NullOr(Schema.String),
  status: GenerationStatus,
  finish_reason: Schema.NullOr(FinishReason),
  failure: Schema.NullOr(FailureReason),
  /** As the provider counted them; null if it did not report them. */
  tokens_in: Schema.NullOr(count),
  tokens_out: Schema.NullOr(count),
  /** Our own estimate: see {@link approximateTokens}. */
  approx_tokens_in: Schema.NullOr(count),
  approx_tokens_out: Schema.NullOr(count),
  /** From the request's arrival to the end of the answer, in milliseconds; null until then. */
  latency_ms: Schema.NullOr(Schema.Finite),
  /** From the request's arrival to the first token, in milliseconds. */
  ttft_ms: Schema.NullOr(Schema.Finite),
  created_at: Schema.DateTimeUtcFromString
}) {}

/** A message as JSON, as its schema encodes it: that takes three times as long. */
export const messageJson = (message: Message): string =>
  JSON.stringify({ ...message, created_at: DateTime.formatIso(message.created_at) })

/** A text's approximate number of tokens: a quarter of its UTF-8 bytes, the average of GPT tokenisers for English prose. */
export const approximateTokens = (text: string): number => Math.ceil(utf8Bytes(text) / 4)

/** Bytes of a text in UTF-8, where half of a surrogate pair is the replacement character. */
export const utf8Bytes = (text: string): number => {
  let bytes = text.length
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit < 0x80) continue
    if (unit < 0x800) bytes++
    else if (unit < 0xd800 || unit > 0xdbff || (text.charCodeAt(at + 1) & 0xfc00) !== 0xdc00) bytes += 2
    // A pair is four bytes for two units.
    else {
      bytes += 2
      at++
    }
  }
  return bytes
}

/** The message does not exist, or is not the caller's: both get the same answer. */
export class MessageNotFound extends Problem<MessageNotFound>()("MessageNotFound", "message_not_found", {}) {}

/** The question is longer than this installation takes. Characters are Unicode code points. */
export class PromptTooLong extends Problem<PromptTooLong>()("PromptTooLong", "prompt_too_long", {
  max_characters: Schema.Int
}) {}

/** The first request with this key is still being answered. `retry_after` is in seconds. */
export class StillRunning extends Problem<StillRunning>()("StillRunning", "still_running", {
  generation_id: GenerationId,
  retry_after: Schema.Int
}) {}
