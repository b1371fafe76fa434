import { RequestId } from "@llm-saas/domain/RequestId"
import type { Unavailable } from "@llm-saas/domain/Refusal"
import { SessionId } from "@llm-saas/domain/Session"
import { TenantId } from "@llm-saas/domain/Tenant"
import { Role, UserId } from "@llm-saas/domain/User"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { Pool } from "./connections/Pool.ts"

/** They have a line of their own: logins in any number do not hold them up. */
const LINE = "sessions"

/** What a refresh token did: see `auth.renew_session`. */
export const Renewal = Schema.Union([
  Schema.Struct({ outcome: Schema.Literal("ended") }),
  Schema.Struct({ outcome: Schema.Literal("reused") }),
  Schema.Struct({
    outcome: Schema.Literals(["renewed", "repeated"]),
    tenant_id: TenantId,
    session_id: SessionId,
    user_id: UserId,
    role: Role,
    token_epoch: Schema.Int,
    /** Until it ends unless it is renewed. */
    idle_seconds: Schema.Finite,
    /** Until it ends in any case. */
    left_seconds: Schema.Finite
  })
])
export type Renewal = typeof Renewal.Type

/** A refresh token that is presented, and what replaces it: SHA-256 of both, in hexadecimal. */
export interface PresentedToken {
  readonly hash: string
  readonly next: string
  readonly idleSeconds: number
  readonly repeatSeconds: number
  readonly address: string
}

/** What refresh tokens do before a tenant is known. Each is one narrow SECURITY DEFINER function (`sql/functions/33_sessions.sql`). */
export class SessionAccess extends Context.Service<
  SessionAccess,
  {
    /** None: the token is unknown. */
    readonly renew: (presented: PresentedToken) => Effect.Effect<Option.Option<Renewal>, Unavailable>
    /** Ends the session of a token, if there is one. `replaced`: by another login of the browser. */
    readonly end: (hash: string, reason: "logged_out" | "replaced") => Effect.Effect<void, Unavailable>
    /** Ends the session of a code that came again, also one that is not begun yet. */
    readonly endCoded: (tenantId: TenantId, session: SessionId) => Effect.Effect<void, Unavailable>
    /** Whether the code of this session came again. */
    readonly isReused: (session: SessionId) => Effect.Effect<boolean, Unavailable>
  }
>()("@llm-saas/database/SessionAccess") {
  static readonly layer = Layer.effect(
    SessionAccess,
    Effect.map(Pool, (pool) =>
      SessionAccess.of({
        renew: Effect.fn("SessionAccess.renew")(function* ({ address, hash, idleSeconds, next, repeatSeconds }) {
          const request = yield* RequestId
          const [renewal] = yield* pool.call(
            "select * from auth.renew_session(decode($1::text, 'hex'), decode($2::text, 'hex'), $3::int4, $4::int4, $5, $6)",
            [hash, next, idleSeconds, repeatSeconds, address, request],
            Schema.Array(Renewal),
            LINE
          )
          return Option.fromUndefinedOr(renewal)
        }),
        end: Effect.fn("SessionAccess.end")(function* (hash, reason) {
          const request = yield* RequestId
          yield* pool.call(
            "select auth.end_session(decode($1::text, 'hex'), $2, $3)",
            [hash, reason, request],
            Schema.Unknown,
            LINE
          )
        }),
        endCoded: Effect.fn("SessionAccess.endCoded")(function* (tenantId, session) {
          const request = yield* RequestId
          yield* pool.call(
            "select auth.end_coded_session($1::uuid, $2::uuid, $3)",
            [tenantId, session, request],
            Schema.Unknown,
            LINE
          )
        }),
        isReused: Effect.fn("SessionAccess.isReused")(function* (session) {
          const [{ reused }] = yield* pool.call(
            "select auth.coded_session_reused($1::uuid) as reused",
            [session],
            Schema.Tuple([Schema.Struct({ reused: Schema.Boolean })]),
            LINE
          )
          return reused
        })
      })
    )
  )
}
