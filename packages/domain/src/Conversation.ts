import { Schema } from "effect"
import { Problem } from "./ProblemClass.ts"
import { line, uuid } from "./Text.ts"
import { UserId } from "./User.ts"

/** A conversation's id. We generate UUIDv7; any UUID is accepted, so that a foreign id is "not found" and not "malformed". */
export const ConversationId = Schema.String.check(uuid).pipe(Schema.brand("ConversationId"))
export type ConversationId = typeof ConversationId.Type

/** One line, 1 to 200 characters. */
export const ConversationTitle = line(200)

/** A series of messages. Each question goes to the model with the earlier turns that fit the token budget. */
export class Conversation extends Schema.Class<Conversation>("Conversation")({
  id: ConversationId,
  user_id: UserId,
  title: Schema.NullOr(ConversationTitle),
  created_at: Schema.DateTimeUtcFromString,
  /** When its last question was asked, or when it was last renamed. */
  updated_at: Schema.DateTimeUtcFromString
}) {}

/** The conversation does not exist, or is not the caller's: both get the same answer. */
export class ConversationNotFound extends Problem<ConversationNotFound>()(
  "ConversationNotFound",
  "conversation_not_found",
  {}
) {}
