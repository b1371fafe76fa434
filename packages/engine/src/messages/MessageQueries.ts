import { TenantSql } from "@llm-saas/database/Tenancy"
import { ConversationId } from "@llm-saas/domain/Conversation"
import { Message, MessageId } from "@llm-saas/domain/Message"
import { Schema } from "effect"
import { SqlSchema } from "effect/sql"
import { pageOnIndex } from "../Pages.ts"

// A message with its generation's account, read in the room: shared by lists, single messages and replays.

/** The columns of a message: its fields, and the time as the driver reads it. */
export const MessageRow = Schema.Struct({ ...Message.fields, created_at: Schema.DateTimeUtcFromDate })

export const toMessage = (row: typeof MessageRow.Type): Message => new Message(row)

const COLUMNS = `
  m.id, m.conversation_id, g.id as generation_id, m.user_id, m.content, m.response, coalesce(g.response_model, g.model) as model, g.status,
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

/** One exchange, if the actor may see it. */
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

/**
 * Exchanges, newest first, after the id `after`: of a conversation; `own`: the actor's; `tenant`: all that row-level security lets the
 * actor see. A page is read on the index in its order, see `Pages.ts`.
 */
export const selectMessages = SqlSchema.findAll({
  Request: Schema.Struct({
    of: Schema.Union([Schema.Literals(["own", "tenant"]), Schema.Struct({ conversation: ConversationId })]),
    after: Schema.NullOr(Schema.String),
    limit: Schema.Int
  }),
  Result: MessageRow,
  execute: ({ after, limit, of }) =>
    TenantSql.use((sql) => {
      const rows =
        of === "tenant"
          ? undefined
          : of === "own"
            ? { column: "user_id" as const, value: sql`app.user_id()` }
            : { column: "conversation_id" as const, value: sql`${of.conversation}::uuid` }
      return sql`select ${sql.literal(COLUMNS)}
        from (${pageOnIndex(sql, "messages", rows, after, limit)}) m ${sql.literal(ACCOUNT)} order by m.id desc`
    })
})
