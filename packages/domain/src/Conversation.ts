import { Schema } from "effect"
import { HttpApiError } from "effect/http-api"
import { members, problem } from "./Problem.ts"
import { line, uuid } from "./Text.ts"
import { UserId } from "./User.ts"

/** Names a conversation. A UUIDv7, made by us; any UUID is read, so that a foreign id is "not found" and not "malformed". */
export const ConversationId = Schema.String.check(uuid).pipe(Schema.brand("ConversationId"))
export type ConversationId = typeof ConversationId.Type

/** What a conversation is called: one line, 1 to 200 characters. */
export const ConversationTitle = line(200)

/** Questions that belong together: each one's earlier turns go to the model with it, as far as the token budget reaches. */
export class Conversation extends Schema.Class<Conversation>("Conversation")({
  id: ConversationId,
  user_id: UserId,
  title: Schema.NullOr(ConversationTitle),
  created_at: Schema.DateTimeUtcFromString,
  /** When it was last asked in or renamed. */
  updated_at: Schema.DateTimeUtcFromString
}) {}

/** The conversation does not exist, or is not the caller's: the two answer alike. */
export class ConversationNotFound extends HttpApiError.Problem<ConversationNotFound>()(
  "ConversationNotFound",
  problem("conversation_not_found"),
  members("conversation_not_found")
) {}
