import { Schema } from "effect"
import { MessageId } from "./Message.ts"
import { prose } from "./Text.ts"
import { UserId } from "./User.ts"

/** How good an answer was: -1 and 1 for thumbs down and up, or a number on the client's own scale. */
export const Rating = Schema.Finite.check(Schema.isBetween({ minimum: -1_000_000, maximum: 1_000_000 }))

/** The reason for a rating: 1 to 4000 characters. */
export const Comment = prose(4000)

/** A user's rating of an answer. One per user and message: a new one replaces it. */
export class Feedback extends Schema.Class<Feedback>("Feedback")({
  message_id: MessageId,
  user_id: UserId,
  rating: Rating,
  comment: Schema.NullOr(Schema.String),
  created_at: Schema.DateTimeUtcFromString,
  updated_at: Schema.DateTimeUtcFromString
}) {}
