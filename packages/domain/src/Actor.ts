import { Context } from "effect"
import type { TenantId } from "./Tenant.ts"
import type { Role, UserId } from "./User.ts"

/** Who an operation is for: everybody, any active user of a tenant, or its admins. Every endpoint declares one. */
export type Access = "public" | "user" | "admin"

/**
 * Who is asking, as a verified token says, and what the endpoint asks of them. Only the database, on entering the tenant's
 * room, decides whether they still may: the role here is what the token said, and nothing trusts it.
 */
export class Actor extends Context.Service<
  Actor,
  {
    readonly tenantId: TenantId
    readonly userId: UserId
    /** The user's `token_epoch` when the token was issued. A password change raises it, and the database refuses every other one. */
    readonly tokenEpoch: number
    /** The least role the endpoint asks for; the database compares it with the user's row. */
    readonly needs: Role
  }
>()("@llm-saas/domain/Actor") {}
