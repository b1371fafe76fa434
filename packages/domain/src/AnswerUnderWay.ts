import { Schema } from "effect"
import { KeyId } from "./ApiKey.ts"
import { ConversationId } from "./Conversation.ts"
import { GenerationId, Source } from "./Generation.ts"
import { UserId } from "./User.ts"

/** An answer that is not over: who asked what for it, and how far it is. Nothing of its text. */
export class AnswerUnderWay extends Schema.Class<AnswerUnderWay>("AnswerUnderWay")({
  id: GenerationId,
  conversation_id: Schema.NullOr(ConversationId),
  /** Whose it is. `email` null: a service account, which has a `name`. Both null: the user was just deleted. */
  user: Schema.Struct({ id: UserId, email: Schema.NullOr(Schema.String), name: Schema.NullOr(Schema.String) }),
  /** The API key it was asked with; null: a login. */
  key: Schema.NullOr(Schema.Struct({ id: KeyId, name: Schema.String })),
  model: Schema.String,
  /** How the question came. */
  door: Source,
  /** `stopping`: it was asked to stop. */
  status: Schema.Literals(["streaming", "stopping"]),
  /** When it got its turn. */
  started_at: Schema.DateTimeUtcFromString,
  /** Tokens of the answer so far. */
  tokens: Schema.Int,
  /** On average since it started; null: it has none yet. */
  tokens_per_second: Schema.NullOr(Schema.Finite)
}) {}
