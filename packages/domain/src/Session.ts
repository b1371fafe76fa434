import { Schema } from "effect"
import { Problem } from "./ProblemClass.ts"
import { uuid } from "./Text.ts"

/** A session's id: a UUIDv7. */
export const SessionId = Schema.String.check(uuid).pipe(Schema.brand("SessionId"))
export type SessionId = typeof SessionId.Type

/** How a login was proven. */
export const LoginMethod = Schema.Literals(["password", "registration", "invitation", "sso", "passkey", "switch"])
export type LoginMethod = typeof LoginMethod.Type

/** A request with a session's cookie, or for one, that may come from a page of another origin. */
export class CsrfRefused extends Problem<CsrfRefused>()("CsrfRefused", "csrf_refused", {}) {}

/** The refresh token is not good any more, or was never one: RFC 6749 §5.2. Which, and why, is not told. */
export class InvalidGrant extends Problem<InvalidGrant>()("InvalidGrant", "invalid_grant", {
  error: Schema.tag("invalid_grant")
}) {}
