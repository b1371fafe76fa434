import { TenantSql } from "@llm-saas/database/Tenancy"
import { RequestId } from "@llm-saas/domain/RequestId"
import { Effect } from "effect"

/** What an admin's or a user's deed was, for the audit log. */
export type Deed =
  | "tenant.changed"
  | "user.created"
  | "user.changed"
  | "user.deleted"
  | "password.changed"

/** Writes who did what to whom in the transaction of the deed itself: neither exists without the other. */
export const record = Effect.fnUntraced(function*(deed: Deed, target: { readonly kind: string; readonly id: string }, detail: object = {}) {
  const sql = yield* TenantSql
  const request = yield* RequestId
  yield* sql`select app.record_event(${deed}, ${target.kind}, ${target.id}::uuid, ${request}, ${JSON.stringify(detail)}::jsonb)`
})
