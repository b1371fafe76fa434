import { Context } from "effect"
import type { TenantId } from "./Tenant.ts"
import type { Role, UserId } from "./User.ts"

/** Who may call an operation: any client, any active user of a tenant, or its admins. Every endpoint declares one. */
export type Access = "public" | "user" | "admin"

/**
 * The caller, as a verified token names it, and the role the endpoint requires. Only the database, on entering the tenant's
 * room, decides whether the user is still allowed: no role from a token is trusted.
 */
export class Actor extends Context.Service<
  Actor,
  {
    readonly tenantId: TenantId
    readonly userId: UserId
    /** The user's `token_epoch` when the token was issued. A password change raises it; the database refuses tokens of older epochs. */
    readonly tokenEpoch: number
    /** The least role the endpoint requires; the database compares it with the user's row. */
    readonly needs: Role
  }
>()("@llm-saas/domain/Actor") {}
