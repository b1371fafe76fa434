import { HttpApiError } from "effect/http-api"
import { Schema } from "effect"
import { members } from "./Problem.ts"

/** No token, or one that is malformed, expired, forged or revoked, or whose user or tenant may not enter any more. */
export class Unauthenticated extends HttpApiError.Problem<Unauthenticated>()(
  "Unauthenticated",
  {
    type: "urn:llm-saas:problem:unauthenticated",
    status: 401,
    title: "Authentication required"
  },
  members("unauthenticated")
) {}

/** The user is who they say, and their role does not allow this. */
export class Forbidden extends HttpApiError.Problem<Forbidden>()(
  "Forbidden",
  {
    type: "urn:llm-saas:problem:forbidden",
    status: 403,
    title: "Your role does not allow this"
  },
  members("forbidden")
) {}

/** Wrong email, password or tenant: which of them is never said. */
export class InvalidCredentials extends HttpApiError.Problem<InvalidCredentials>()(
  "InvalidCredentials",
  {
    type: "urn:llm-saas:problem:invalid_credentials",
    status: 401,
    title: "Wrong email or password"
  },
  members("invalid_credentials")
) {}

/** The email and password fit users of several tenants: say which by `tenant_id`. Only a right password learns this. */
export class TenantRequired extends HttpApiError.Problem<TenantRequired>()(
  "TenantRequired",
  {
    type: "urn:llm-saas:problem:tenant_required",
    status: 409,
    title: "This account exists in several tenants: send tenant_id"
  },
  members("tenant_required")
) {}

/** Too many of these lately. `retry_after` is in seconds, and is sent as the `Retry-After` header too. */
export class TooManyRequests extends HttpApiError.Problem<TooManyRequests>()(
  "TooManyRequests",
  {
    type: "urn:llm-saas:problem:too_many_requests",
    status: 429,
    title: "Too many requests"
  },
  { ...members("too_many_requests"), retry_after: Schema.Int }
) {}

/** Something we depend on is not there just now; the request was not carried out, or may be repeated. Seconds, as above. */
export class Unavailable extends HttpApiError.Problem<Unavailable>()(
  "Unavailable",
  {
    type: "urn:llm-saas:problem:unavailable",
    status: 503,
    title: "Temporarily unavailable"
  },
  { ...members("unavailable"), retry_after: Schema.Int }
) {}
