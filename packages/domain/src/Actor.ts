import { Context, type DateTime, Effect } from "effect"
import type { KeyId } from "./ApiKey.ts"
import { InsufficientScope, type Scope } from "./Scope.ts"
import type { SessionId } from "./Session.ts"
import type { TenantId } from "./Tenant.ts"
import type { Role, UserId } from "./User.ts"

/**
 * Who may call an operation: any client, any active user of a tenant, its admins, or the operator of the installation. Every endpoint
 * declares one.
 */
export type Access = "public" | "user" | "admin" | "operator"

/** The API key that a request was made with. */
export interface KeyOfActor {
  readonly id: KeyId
  readonly scopes: ReadonlyArray<Scope>
  /** The models it may ask; null: all. */
  readonly models: ReadonlyArray<string> | null
  readonly expiresAt: DateTime.Utc | null
}

/**
 * The caller, as a verified token or key names it, and the role the endpoint requires. Only the database, on entering the tenant's
 * room, decides whether the user is still allowed: no role from a token is trusted.
 */
export class Actor extends Context.Service<
  Actor,
  {
    readonly tenantId: TenantId
    readonly userId: UserId
    /** The user's `token_epoch` when the token was issued. A password change raises it; the database refuses tokens of older epochs. */
    readonly tokenEpoch: number
    /**
     * The least role the endpoint requires; the database compares it with the user's row. `own`: whatever the user's role is, they act as
     * one who sees only their own rows. So acts a key without the scope `admin`.
     */
    readonly needs: Role | "own"
    /** The session that the access token belongs to; absent: none. The database refuses tokens of sessions that are over. */
    readonly session?: SessionId
    /** Absent: a login. */
    readonly key?: KeyOfActor
  }
>()("@llm-saas/domain/Actor") {}

/** The actor as an admin, for what only admins may see; a key needs the scope `admin` for it. */
export const asAdmin = (actor: Actor["Service"]): Effect.Effect<Actor["Service"], InsufficientScope> =>
  actor.key === undefined || actor.key.scopes.includes("admin")
    ? Effect.succeed({ ...actor, needs: "admin" })
    : Effect.fail(new InsufficientScope({ scopes: ["admin"] }))
