import { Schema } from "effect"
import { HttpApiError } from "effect/http-api"
import { members, problem } from "./Problem.ts"
import { line, uuid } from "./Text.ts"

/** Names a tenant. A UUIDv7, made by us; any UUID is read, so that a foreign id is "not found" and not "malformed". */
export const TenantId = Schema.String.check(uuid).pipe(Schema.brand("TenantId"))
export type TenantId = typeof TenantId.Type

/** What the tenant calls itself: one line, 1 to 200 characters. Not unique: names are no secret key to anything. */
export const TenantName = line(200)

/** Whether people may create an account of this tenant themselves (`open`) or only its admins may (`closed`). */
export const Registration = Schema.Literals(["open", "closed"])
export type Registration = typeof Registration.Type

/** A customer of the installation: the room in which everything else of theirs lives. */
export class Tenant extends Schema.Class<Tenant>("Tenant")({
  id: TenantId,
  name: TenantName,
  registration: Registration,
  created_at: Schema.DateTimeUtcFromString
}) {}

/** The tenant does not exist, or is not the caller's: the two answer alike. */
export class TenantNotFound extends HttpApiError.Problem<TenantNotFound>()(
  "TenantNotFound",
  problem("tenant_not_found"),
  members("tenant_not_found")
) {}

/** This installation lets nobody create a tenant from outside. */
export class TenantCreationClosed extends HttpApiError.Problem<TenantCreationClosed>()(
  "TenantCreationClosed",
  problem("tenant_creation_closed"),
  members("tenant_creation_closed")
) {}
