import { TenantSql } from "@llm-saas/database/Tenancy"
import { ConversationId } from "@llm-saas/domain/Conversation"
import { FailureReason, FinishReason, GenerationId, GenerationStatus } from "@llm-saas/domain/Generation"
import { Message, MessageId } from "@llm-saas/domain/Message"
import { UserId } from "@llm-saas/domain/User"
import { Schema } from "effect"
import { SqlSchema } from "effect/sql"

// A message with the account of its generation, read in the room: what lists, single messages and replays have in common.

/** The columns of an exchange. */
export const ExchangeRow = Schema.Struct({
  id: MessageId,
  conversation_id: Schema.NullOr(ConversationId),
  generation_id: Schema.NullOr(GenerationId),
  user_id: UserId,
  content: Schema.String,
  response: Schema.NullOr(Schema.String),
  model: Schema.NullOr(Schema.String),
  status: GenerationStatus,
  finish_reason: Schema.NullOr(FinishReason),
  failure: Schema.NullOr(FailureReason),
  tokens_in: Schema.NullOr(Schema.Int),
  tokens_out: Schema.NullOr(Schema.Int),
  approx_tokens_in: Schema.NullOr(Schema.Int),
  approx_tokens_out: Schema.NullOr(Schema.Int),
  latency_ms: Schema.NullOr(Schema.Finite),
  ttft_ms: Schema.NullOr(Schema.Finite),
  created_at: Schema.DateTimeUtcFromDate
})

export const toMessage = (row: typeof ExchangeRow.Type): Message => new Message(row)

const COLUMNS = `
  m.id, m.conversation_id, g.id as generation_id, m.user_id, m.content, m.response, coalesce(g.response_model, g.model) as model, g.status,
  g.finish_reason, g.failure, g.tokens_in, g.tokens_out, g.approx_tokens_in, g.approx_tokens_out,
  round(extract(epoch from g.model_ended_at - g.created_at) * 1000, 1)::float8 as latency_ms,
  round(extract(epoch from g.first_token_at - g.created_at) * 1000, 1)::float8 as ttft_ms, g.created_at`
const FROM = "app.messages m join app.generations g on g.tenant_id = m.tenant_id and g.message_id = m.id"

/** One exchange, if the actor may see it. */
export const exchange = SqlSchema.findOneOption({
  Request: MessageId,
  Result: ExchangeRow,
  execute: (id) =>
    TenantSql.use((sql) => sql`select ${sql.literal(COLUMNS)} from ${sql.literal(FROM)} where m.id = ${id}`)
})

/** Exchanges, newest first, from behind `after`. `own`: the actor's. `tenant`: every one row-level security lets the actor see. */
export const exchanges = SqlSchema.findAll({
  Request: Schema.Struct({
    scope: Schema.Literals(["own", "tenant"]),
    conversation: Schema.NullOr(ConversationId),
    after: Schema.NullOr(Schema.String),
    limit: Schema.Int
  }),
  Result: ExchangeRow,
  execute: ({ after, conversation, limit, scope }) =>
    TenantSql.use((sql) => {
      const conditions = [
        ...(scope === "own" ? [sql`m.user_id = app.user_id()`] : []),
        ...(conversation === null ? [] : [sql`m.conversation_id = ${conversation}`]),
        ...(after === null ? [] : [sql`m.id < ${after}::uuid`])
      ]
      return sql`select ${sql.literal(COLUMNS)} from ${sql.literal(FROM)}
        where ${conditions.length === 0 ? sql.literal("true") : sql.and(conditions)} order by m.id desc limit ${limit}`
    })
})
