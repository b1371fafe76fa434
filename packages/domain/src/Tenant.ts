import { Schema } from "effect"
import { Problem } from "./ProblemClass.ts"
import { line, uuid } from "./Text.ts"

/** A tenant's id. We generate UUIDv7; any UUID is accepted, so that a foreign id is "not found" and not "malformed". */
export const TenantId = Schema.String.check(uuid).pipe(Schema.brand("TenantId"))
export type TenantId = typeof TenantId.Type

/** One line, 1 to 200 characters. Not unique, and nothing is looked up by it. */
export const TenantName = line(200)

/** Whether people may create an account in this tenant themselves (`open`) or only its admins may (`closed`). */
export const Registration = Schema.Literals(["open", "closed"])
export type Registration = typeof Registration.Type

/** A customer of the installation. All of a tenant's data is in its room. */
export class Tenant extends Schema.Class<Tenant>("Tenant")({
  id: TenantId,
  name: TenantName,
  registration: Registration,
  created_at: Schema.DateTimeUtcFromString
}) {}

/** The tenant does not exist, or is not the caller's: both get the same answer. */
export class TenantNotFound extends Problem<TenantNotFound>()("TenantNotFound", "tenant_not_found", {}) {}

/** This installation does not let clients create tenants. */
export class TenantCreationClosed extends Problem<TenantCreationClosed>()(
  "TenantCreationClosed",
  "tenant_creation_closed",
  {}
) {}
