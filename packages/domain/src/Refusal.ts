import { HttpApiError } from "effect/http-api"
import { Schema } from "effect"
import { members, problem } from "./Problem.ts"

/** No token, or a malformed, expired, forged or revoked one, or its user or tenant may not enter any more. */
export class Unauthenticated extends HttpApiError.Problem<Unauthenticated>()(
  "Unauthenticated",
  problem("unauthenticated"),
  members("unauthenticated")
) {}

/** The user is authenticated, but their role does not allow this. */
export class Forbidden extends HttpApiError.Problem<Forbidden>()(
  "Forbidden",
  problem("forbidden"),
  members("forbidden")
) {}

/** Wrong email, password or tenant. The answer never says which. */
export class InvalidCredentials extends HttpApiError.Problem<InvalidCredentials>()(
  "InvalidCredentials",
  problem("invalid_credentials"),
  members("invalid_credentials")
) {}

/** The email and password fit users of several tenants: `tenant_id` is required. Only a client with the right password gets this. */
export class TenantRequired extends HttpApiError.Problem<TenantRequired>()(
  "TenantRequired",
  problem("tenant_required"),
  members("tenant_required")
) {}

/** Too many requests of this kind. `retry_after` is in seconds, and is sent as the `Retry-After` header too. */
export class TooManyRequests extends HttpApiError.Problem<TooManyRequests>()(
  "TooManyRequests",
  problem("too_many_requests"),
  { ...members("too_many_requests"), retry_after: Schema.Int }
) {}

/** A dependency is not available. The request was not carried out, or may be repeated. `retry_after` is in seconds. */
export class Unavailable extends HttpApiError.Problem<Unavailable>()("Unavailable", problem("unavailable"), {
  ...members("unavailable"),
  retry_after: Schema.Int
}) {}
