import { TenantSql } from "@llm-saas/database/Tenancy"
import { ConversationId } from "@llm-saas/domain/Conversation"
import { MessageId } from "@llm-saas/domain/Message"
import { TenantId } from "@llm-saas/domain/Tenant"
import { UserId } from "@llm-saas/domain/User"
import { Schema } from "effect"
import { SqlSchema } from "effect/sql"
import * as AuditLog from "./AuditLog.ts"

const Marked = Schema.Struct({
  tenant_id: TenantId,
  id: Schema.Union([UserId, ConversationId, MessageId])
})
/** What was deleted; everything that belongs to it is deleted too. */
export type Marked = typeof Marked.Type

type Kind = "user" | "service_account" | "conversation" | "message"

/** As `app.deletions` names it: a service account is a user. */
const storedAs = (kind: Kind) => (kind === "service_account" ? "user" : kind)

const WHERE: Readonly<Record<Kind, string>> = {
  user: "select tenant_id, id, id as user_id from app.users where kind = 'person'",
  service_account: "select tenant_id, id, id as user_id from app.users where kind = 'service'",
  conversation: "select tenant_id, id, user_id from app.conversations",
  message: "select tenant_id, id, user_id from app.messages"
}

/**
 * Marks an item as deleted, and writes it into the audit log: one row each, however many rows belong to the item. It is invisible from then
 * on; `work.purge` removes its rows. None: the actor may delete no such item. Of two requests at once, the second finds none.
 */
export const markDeleted = (kind: Kind, id: UserId | ConversationId | MessageId, stamp: AuditLog.Stamp) =>
  mark({ kind, id, stamp })

const mark = SqlSchema.findOneOption({
  Request: Schema.Struct({
    kind: Schema.Literals(["user", "service_account", "conversation", "message"]),
    id: Schema.String,
    stamp: AuditLog.Stamped
  }),
  Result: Marked,
  execute: ({ id, kind, stamp }) =>
    TenantSql.use(
      (sql) => sql`with gone as (
          insert into app.deletions (tenant_id, id, kind, user_id)
          select it.tenant_id, it.id, ${storedAs(kind)}, it.user_id from (${sql.literal(WHERE[kind])}) it
          where it.tenant_id = app.tenant_id() and it.id = ${id}
          on conflict (tenant_id, id) do nothing returning tenant_id, id, user_id
        ), noted as (${AuditLog.recordGone(sql, stamp, kind)})
        select gone.tenant_id, gone.id from gone`
    )
})
