import { Schema } from "effect"
import { Problem } from "./ProblemClass.ts"
import { TenantId, TenantName } from "./Tenant.ts"
import { Role, UserId } from "./User.ts"

/** An account of the caller, in the tenant of the request or in another that this session may lead to. */
export class Membership extends Schema.Class<Membership>("Membership")({
  tenant_id: TenantId,
  /** Of the tenant. */
  name: TenantName,
  user_id: UserId,
  role: Role,
  /** Whether it is the account of the request. */
  current: Schema.Boolean
}) {}

/** Only a session leads to other tenants, and the access token belongs to none. */
export class SessionRequired extends Problem<SessionRequired>()("SessionRequired", "session_required", {}) {}
