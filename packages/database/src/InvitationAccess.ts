import { RequestId } from "@llm-saas/domain/RequestId"
import type { Unavailable } from "@llm-saas/domain/Refusal"
import { Slug } from "@llm-saas/domain/SingleSignOn"
import { TenantId, TenantName } from "@llm-saas/domain/Tenant"
import { Email, Role, type UserId } from "@llm-saas/domain/User"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { Pool } from "./connections/Pool.ts"

/** They have a line of their own: logins in any number do not hold them up. */
const LINE = "invitations"

/** An invitation that can be accepted. */
export const FoundInvitation = Schema.Struct({
  tenant_id: TenantId,
  tenant_name: TenantName,
  email: Email,
  role: Role,
  expires_at: Schema.DateTimeUtcFromDate,
  /** Of the login, where the tenant requires single sign-on. */
  sso_slug: Schema.NullOr(Slug)
})
export type FoundInvitation = typeof FoundInvitation.Type

/** What accepting did. `taken`: the address has an account already; `sso`: the tenant requires single sign-on. */
export const Acceptance = Schema.Union([
  Schema.Struct({ outcome: Schema.Literal("accepted"), tenant_id: TenantId, role: Role, token_epoch: Schema.Int }),
  Schema.Struct({ outcome: Schema.Literal("taken") }),
  Schema.Struct({ outcome: Schema.Literal("sso") })
])
export type Acceptance = typeof Acceptance.Type

/** What the link of an invitation does before a tenant is known: narrow SECURITY DEFINER functions (`sql/functions/34_invitations.sql`). */
export class InvitationAccess extends Context.Service<
  InvitationAccess,
  {
    /** By the SHA-256 (in hexadecimal) of the link's token. None: it leads nowhere, or nowhere any more. */
    readonly find: (hash: string) => Effect.Effect<Option.Option<FoundInvitation>, Unavailable>
    /** Makes the account, with this password, and uses the link. */
    readonly accept: (
      hash: string,
      user: { readonly id: UserId; readonly passwordHash: string }
    ) => Effect.Effect<Option.Option<Acceptance>, Unavailable>
  }
>()("@llm-saas/database/InvitationAccess") {
  static readonly layer = Layer.effect(
    InvitationAccess,
    Effect.map(Pool, (pool) =>
      InvitationAccess.of({
        find: Effect.fn("InvitationAccess.find")(function* (hash) {
          const [found] = yield* pool.call(
            "select * from auth.find_invitation(decode($1::text, 'hex'))",
            [hash],
            Schema.Array(FoundInvitation),
            LINE
          )
          return Option.fromUndefinedOr(found)
        }),
        accept: Effect.fn("InvitationAccess.accept")(function* (hash, { id, passwordHash }) {
          const request = yield* RequestId
          const [acceptance] = yield* pool.call(
            "select * from auth.accept_invitation(decode($1::text, 'hex'), $2, $3, $4)",
            [hash, id, passwordHash, request],
            Schema.Array(Acceptance),
            LINE
          )
          return Option.fromUndefinedOr(acceptance)
        })
      })
    )
  )
}
