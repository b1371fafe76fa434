import { HttpApiError } from "effect/http-api"
import { Schema } from "effect"
import { members, problem } from "./Problem.ts"

/** No token, or one that is malformed, expired, forged or revoked, or whose user or tenant may not enter any more. */
export class Unauthenticated extends HttpApiError.Problem<Unauthenticated>()(
  "Unauthenticated",
  problem("unauthenticated"),
  members("unauthenticated")
) {}

/** The user is who they say, and their role does not allow this. */
export class Forbidden extends HttpApiError.Problem<Forbidden>()(
  "Forbidden",
  problem("forbidden"),
  members("forbidden")
) {}

/** Wrong email, password or tenant: which of them is never said. */
export class InvalidCredentials extends HttpApiError.Problem<InvalidCredentials>()(
  "InvalidCredentials",
  problem("invalid_credentials"),
  members("invalid_credentials")
) {}

/** The email and password fit users of several tenants: say which by `tenant_id`. Only a right password learns this. */
export class TenantRequired extends HttpApiError.Problem<TenantRequired>()(
  "TenantRequired",
  problem("tenant_required"),
  members("tenant_required")
) {}

/** Too many of these lately. `retry_after` is in seconds, and is sent as the `Retry-After` header too. */
export class TooManyRequests extends HttpApiError.Problem<TooManyRequests>()(
  "TooManyRequests",
  problem("too_many_requests"),
  { ...members("too_many_requests"), retry_after: Schema.Int }
) {}

/** Something we depend on is not there just now; the request was not carried out, or may be repeated. Seconds, as above. */
export class Unavailable extends HttpApiError.Problem<Unavailable>()("Unavailable", problem("unavailable"), {
  ...members("unavailable"),
  retry_after: Schema.Int
}) {}
