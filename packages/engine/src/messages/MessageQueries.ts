import { TenantSql } from "@llm-saas/database/Tenancy"
import { Message, MessageId, ToolCall } from "@llm-saas/domain/Message"
import { Schema } from "effect"
import { SqlSchema } from "effect/sql"

// A message with its generation's account, read in the room: for single messages and replays; lists are `app.message_page`.

/** The columns of a message: its fields, and the time as the driver reads it. */
export const MessageRow = Schema.Struct({
  ...Message.fields,
  tool_calls: Schema.NullOr(Schema.fromJsonString(Schema.Array(ToolCall))),
  created_at: Schema.DateTimeUtcFromDate
})

export const toMessage = (row: typeof MessageRow.Type): Message => new Message(row)

const COLUMNS = `
  m.id, m.conversation_id, g.id as generation_id, m.user_id, m.content, m.response, m.tool_calls, coalesce(g.response_model, g.model) as model, g.status,
  g.finish_reason, g.failure, g.tokens_in, g.tokens_out, g.approx_tokens_in, g.approx_tokens_out,
  round(extract(epoch from g.model_ended_at - g.created_at) * 1000, 1)::float8 as latency_ms,
  round(extract(epoch from g.first_token_at - g.created_at) * 1000, 1)::float8 as ttft_ms, g.created_at`
/** The account of a message, found on the only index in this order, see `Pages.ts`. */
const ACCOUNT = `cross join lateral (
    select g.id, g.response_model, g.model, g.status, g.finish_reason, g.failure, g.tokens_in, g.tokens_out, g.approx_tokens_in,
      g.approx_tokens_out, g.model_ended_at, g.first_token_at, g.created_at
    from app.generations g
    where g.tenant_id = app.tenant_id() and g.message_id <= m.id and g.message_id >= m.id
    order by g.message_id desc limit 1
  ) g`

/** One message, if the actor may see it. */
export const selectMessage = SqlSchema.findOneOption({
  Request: MessageId,
  Result: MessageRow,
  execute: (id) =>
    TenantSql.use(
      (sql) =>
        sql`select ${sql.literal(COLUMNS)} from app.messages m ${sql.literal(ACCOUNT)}
          where m.tenant_id = app.tenant_id() and m.id = ${id}`
    )
})
