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

/**
 * What is kept of questions and answers: all (`full`), nothing once the answer's readers have it, a minute or two after its end (`none`),
 * or all for a number of `days`. Accounts of answers are kept in any case.
 */
export class ContentRetention extends Schema.Class<ContentRetention>("ContentRetention")({
  content: Schema.Literals(["full", "none", "days"]),
  /** With `days` only. */
  days: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 36_500 })))
}) {}

/** A choice of {@link ContentRetention}: `days` with `content: "days"`, and only there. */
export const ContentRetentionChoice = Schema.Union([
  Schema.Struct({ content: Schema.Literals(["full", "none"]) }),
  Schema.Struct({
    content: Schema.Literal("days"),
    days: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 36_500 }))
  })
]).annotate({ identifier: "ContentRetentionChoice" })
export type ContentRetentionChoice = typeof ContentRetentionChoice.Type

/** The tenant does not exist, or is not the caller's: both get the same answer. */
export class TenantNotFound extends Problem<TenantNotFound>()("TenantNotFound", "tenant_not_found", {}) {}

/** This installation does not let clients create tenants. */
export class TenantCreationClosed extends Problem<TenantCreationClosed>()(
  "TenantCreationClosed",
  "tenant_creation_closed",
  {}
) {}
