import type { Unavailable } from "@llm-saas/domain/Refusal"
import type { SessionId } from "@llm-saas/domain/Session"
import { TenantId, TenantName } from "@llm-saas/domain/Tenant"
import { Role, UserId } from "@llm-saas/domain/User"
import { Context, Effect, Layer, Schema } from "effect"
import { Pool } from "./connections/Pool.ts"

/** They share the line of refresh tokens: see `SessionAccess`. */
const LINE = "sessions"

/** An account in another tenant that a session may lead to. */
const ProvenAccount = Schema.Struct({
  tenant_id: TenantId,
  user_id: UserId,
  /** Of the tenant. */
  name: TenantName,
  role: Role,
  token_epoch: Schema.Int,
  /** Of the session that leads there, in seconds. */
  left_seconds: Schema.Finite
})
export type ProvenAccount = typeof ProvenAccount.Type

/** A session of a tenant. */
export interface SessionPlace {
  readonly tenantId: TenantId
  readonly sessionId: SessionId
}

/**
 * Which accounts of other tenants a session may lead to. No room has this: a row names two tenants. Each call is one narrow SECURITY DEFINER
 * function (`sql/functions/34_proven_accounts.sql`).
 */
export class ProvenAccounts extends Context.Service<
  ProvenAccounts,
  {
    /** Notes that the password of this account was given in the session. */
    readonly prove: (
      from: SessionPlace,
      account: { readonly tenantId: TenantId; readonly userId: UserId; readonly tokenEpoch: number }
    ) => Effect.Effect<void, Unavailable>
    /** Those that it may lead to now. */
    readonly list: (from: SessionPlace) => Effect.Effect<ReadonlyArray<ProvenAccount>, Unavailable>
    /** The session that was begun from another leads to the same accounts, and back. */
    readonly carry: (from: SessionPlace, to: SessionPlace) => Effect.Effect<void, Unavailable>
  }
>()("@llm-saas/database/ProvenAccounts") {
  static readonly layer = Layer.effect(
    ProvenAccounts,
    Effect.map(Pool, (pool) =>
      ProvenAccounts.of({
        prove: Effect.fn("ProvenAccounts.prove")(function* ({ sessionId, tenantId }, account) {
          yield* pool.call(
            "select auth.prove_account($1, $2, $3, $4, $5::int4)",
            [tenantId, sessionId, account.tenantId, account.userId, account.tokenEpoch],
            Schema.Unknown,
            LINE
          )
        }),
        list: Effect.fn("ProvenAccounts.list")(({ sessionId, tenantId }) =>
          pool.call(
            "select * from auth.proven_accounts($1, $2)",
            [tenantId, sessionId],
            Schema.Array(ProvenAccount),
            LINE
          )
        ),
        carry: Effect.fn("ProvenAccounts.carry")(function* (from, to) {
          yield* pool.call(
            "select auth.carry_proven_accounts($1, $2, $3, $4)",
            [from.tenantId, from.sessionId, to.tenantId, to.sessionId],
            Schema.Unknown,
            LINE
          )
        })
      })
    )
  )
}
