import { Schema } from "effect"
import { HttpApiError } from "effect/http-api"
import { ConversationId } from "./Conversation.ts"
import { FailureReason, FinishReason, GenerationId, GenerationStatus } from "./Generation.ts"
import { members, problem } from "./Problem.ts"
import { prose, uuid } from "./Text.ts"
import { UserId } from "./User.ts"

/** Names a message: a question and its answer. A UUIDv7, made by us; any UUID is read. */
export const MessageId = Schema.String.check(uuid).pipe(Schema.brand("MessageId"))
export type MessageId = typeof MessageId.Type

/** What is asked: well-formed Unicode without NUL, not blank. How long it may be is a setting, and answered with 422. */
export const Content = prose()

const count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** A question and what the model answered, as they are kept. */
export class Message extends Schema.Class<Message>("Message")({
  id: MessageId,
  conversation_id: Schema.NullOr(ConversationId),
  generation_id: Schema.NullOr(GenerationId),
  user_id: UserId,
  content: Schema.String,
  /** Null until the answer ended; partial where it did not come to its end. */
  response: Schema.NullOr(Schema.String),
  model: Schema.NullOr(Schema.String),
  status: GenerationStatus,
  finish_reason: Schema.NullOr(FinishReason),
  failure: Schema.NullOr(FailureReason),
  /** As the provider counted them; null where it did not say. */
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

/** About how many tokens a text has: a quarter of its UTF-8 bytes, which is what GPT tokenisers come to in English prose. */
export const approximateTokens = (text: string): number => Math.ceil(new TextEncoder().encode(text).length / 4)

/** The message does not exist, or is not the caller's: the two answer alike. */
export class MessageNotFound extends HttpApiError.Problem<MessageNotFound>()(
  "MessageNotFound",
  problem("message_not_found"),
  members("message_not_found")
) {}

/** The question is longer than this installation takes. Characters are Unicode code points. */
export class PromptTooLong extends HttpApiError.Problem<PromptTooLong>()("PromptTooLong", problem("prompt_too_long"), {
  ...members("prompt_too_long"),
  max_characters: Schema.Int
}) {}

/** The first request with this key is still being answered. `retry_after` is in seconds. */
export class StillRunning extends HttpApiError.Problem<StillRunning>()("StillRunning", problem("still_running"), {
  ...members("still_running"),
  generation_id: GenerationId,
  retry_after: Schema.Int
}) {}
