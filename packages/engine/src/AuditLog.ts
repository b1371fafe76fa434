import { TenantSql } from "@llm-saas/database/Tenancy"
import { Actor } from "@llm-saas/domain/Actor"
import { RequestId } from "@llm-saas/domain/RequestId"
import { Effect, Option, Schema } from "effect"
import type { SecureRandom } from "effect/crypto/SecureRandom"

/** An action of an admin or a user, as the audit log names it. */
export type AuditAction =
  | "tenant.changed"
  | "user.created"
  | "user.changed"
  | "user.deleted"
  | "password.changed"
  | "session.begun"
  | "session.ended"
  | "email.verification_sent"
  | "email.change_asked"
  | "message.deleted"
  | "conversation.deleted"
  | "generation.cancelled"
  | "service_account.created"
  | "service_account.changed"
  | "service_account.deleted"
  | "key.created"
  | "key.changed"
  | "key.rotated"
  | "key.deleted"
  | "provider_key.created"
  | "provider_key.changed"
  | "provider_key.deleted"
  | "login.succeeded"
  | "login.failed"
  | "factor.added"
  | "factor.removed"
  | "factor.locked"
  | "recovery_codes.made"
  | "invitation.created"
  | "invitation.changed"
  | "invitation.resent"
  | "invitation.revoked"
  | "sso.created"
  | "sso.changed"
  | "sso.deleted"
  | "sso.domain_proven"
  | "sso.unlinked"

/** Part of the detail of every event: the API key it was done with, if any. */
const withKey = Effect.map(Effect.serviceOption(Actor), (actor) => {
  const key = Option.getOrUndefined(actor)?.key
  return key === undefined ? {} : { key_id: key.id }
})

/** Writes who did what to whom in the transaction of the action itself: neither exists without the other. */
export const recorder = (random: SecureRandom["Service"]) =>
  Effect.fnUntraced(function* (
    action: AuditAction,
    target: { readonly kind: string; readonly id: string },
    detail: object = {}
  ) {
    const sql = yield* TenantSql
    const request = yield* RequestId
    const id = yield* random.uuidV7()
    yield* sql`insert into app.audit_events (tenant_id, id, actor_user_id, action, target_kind, target_id, request_id, detail)
             values (app.tenant_id(), ${id}, app.user_id(), ${action}, ${target.kind}, ${target.id}, ${request}, ${JSON.stringify({ ...detail, ...(yield* withKey) })}::text::jsonb)`
  })

/** A new event's id and the request it belongs to, for events that are a part of another statement. */
export const stamp = Effect.fnUntraced(function* (random: SecureRandom["Service"]) {
  return { event: yield* random.uuidV7(), request: yield* RequestId, key: JSON.stringify(yield* withKey) }
})

export const Stamped = Schema.Struct({ event: Schema.String, request: Schema.String, key: Schema.String })
export type Stamp = typeof Stamped.Type

/**
 * The same as a part of the statement that deletes, so that it costs no round trip. `gone` (tenant_id, id, user_id) is the deleted item and
 * its user. Its text is not recorded.
 */
export const recordGone = (
  sql: TenantSql["Service"],
  { event, key, request }: Stamp,
  kind: "user" | "service_account" | "message" | "conversation"
) =>
  sql`insert into app.audit_events (tenant_id, id, actor_user_id, action, target_kind, target_id, request_id, detail)
    select gone.tenant_id, ${event}::uuid, app.user_id(), ${`${kind}.deleted` satisfies AuditAction}::text, ${kind}::text, gone.id, ${request}::text,
      jsonb_build_object('user_id', gone.user_id) || ${key}::text::jsonb from gone`

/** Likewise: answers of others that were stopped. `asked` (tenant_id, id, user_id) is the generation and its user. */
export const recordCancelled = (sql: TenantSql["Service"], { event, key, request }: Stamp) =>
  sql`insert into app.audit_events (tenant_id, id, actor_user_id, action, target_kind, target_id, request_id, detail)
    select asked.tenant_id, ${event}::uuid, app.user_id(), ${"generation.cancelled" satisfies AuditAction}::text, 'generation', asked.id, ${request}::text,
      jsonb_build_object('user_id', asked.user_id) || ${key}::text::jsonb from asked where asked.user_id <> app.user_id()`
