import { Schema } from "effect"
import { ModelName } from "./Model.ts"
import { Problem } from "./ProblemClass.ts"
import { line, prose, uuid } from "./Text.ts"
import { UserId } from "./User.ts"

/** A conversation's id. We generate UUIDv7; any UUID is accepted, so that a foreign id is "not found" and not "malformed". */
export const ConversationId = Schema.String.check(uuid).pipe(Schema.brand("ConversationId"))
export type ConversationId = typeof ConversationId.Type

/** One line, 1 to 200 characters. */
export const ConversationTitle = line(200)

/** Instructions to the model, which come before everything else. */
export const SystemPrompt = prose(100_000)

/** A series of messages. Each question goes to the model with the earlier turns that fit the token budget. */
export class Conversation extends Schema.Class<Conversation>("Conversation")({
  id: ConversationId,
  user_id: UserId,
  title: Schema.NullOr(ConversationTitle),
  /** The model of its questions that name none; null: the default one. */
  model: Schema.NullOr(ModelName),
  /** The instructions of its questions that have none. */
  system: Schema.NullOr(SystemPrompt),
  created_at: Schema.DateTimeUtcFromString,
  /** When its last question was asked, or when it was last changed. */
  updated_at: Schema.DateTimeUtcFromString
}) {}

/** The conversation does not exist, or is not the caller's: both get the same answer. */
export class ConversationNotFound extends Problem<ConversationNotFound>()(
  "ConversationNotFound",
  "conversation_not_found",
  {}
) {}
