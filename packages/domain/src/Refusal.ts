import { Schema } from "effect"
import { Problem } from "./ProblemClass.ts"

/** No token, or a malformed, expired, forged or revoked one, or its user or tenant may not enter any more. */
export class Unauthenticated extends Problem<Unauthenticated>()("Unauthenticated", "unauthenticated", {}) {}

/** The user is authenticated, but their role does not allow this. */
export class Forbidden extends Problem<Forbidden>()("Forbidden", "forbidden", {}) {}

/** Wrong email, password or tenant. The answer never says which. */
export class InvalidCredentials extends Problem<InvalidCredentials>()(
  "InvalidCredentials",
  "invalid_credentials",
  {}
) {}

/**
 * The email and password fit users of several tenants: `tenant_id` is required. Only a client with the right password gets this. After a login
 * at a provider of the installation, `tenants` are those that the person may log in to, each with the address that does.
 */
export class TenantRequired extends Problem<TenantRequired>()("TenantRequired", "tenant_required", {
  tenants: Schema.optionalKey(
    Schema.Array(Schema.Struct({ tenant_id: Schema.String, name: Schema.String, login_url: Schema.String }))
  )
}) {}

/** Too many requests of this kind. `retry_after` is in seconds, and is sent as the `Retry-After` header too. */
export class TooManyRequests extends Problem<TooManyRequests>()("TooManyRequests", "too_many_requests", {
  retry_after: Schema.Int
}) {}

/** A dependency is not available. The request was not carried out, or may be repeated. `retry_after` is in seconds. */
export class Unavailable extends Problem<Unavailable>()("Unavailable", "unavailable", { retry_after: Schema.Int }) {}

/** Why a request of an actor is not carried out, whatever it asks for: the room was not entered. */
export type Refused = Unauthenticated | Forbidden | Unavailable
