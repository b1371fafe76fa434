import { Schema } from "effect"
import { Problem } from "./ProblemClass.ts"
import { uuid } from "./Text.ts"
import { UserId } from "./User.ts"

/** A session's id: a UUIDv7. */
export const SessionId = Schema.String.check(uuid).pipe(Schema.brand("SessionId"))
export type SessionId = typeof SessionId.Type

/** How a login was proven. */
export const LoginMethod = Schema.Literals([
  "password",
  "registration",
  "invitation",
  "sso",
  "provider",
  "passkey",
  "switch"
])
export type LoginMethod = typeof LoginMethod.Type

/** A login that is not over. */
export class Session extends Schema.Class<Session>("Session")({
  id: SessionId,
  user_id: UserId,
  method: LoginMethod,
  /** The User-Agent of the login, cut to 200 characters. */
  device: Schema.NullOr(Schema.String),
  /** Of the login, or of the last renewal: an IPv4 address, or an IPv6 /64. */
  address: Schema.NullOr(Schema.String),
  created_at: Schema.DateTimeUtcFromString,
  /** When it was last renewed. */
  last_used_at: Schema.DateTimeUtcFromString,
  /** It ends then, unless it is renewed before. */
  expires_at: Schema.DateTimeUtcFromString,
  /** It ends then in any case. */
  ends_at: Schema.DateTimeUtcFromString,
  /** Whether it is the one of the request. */
  current: Schema.Boolean
}) {}

/** There is no such session that is not over, or it is another user's or tenant's: all get the same answer. */
export class SessionNotFound extends Problem<SessionNotFound>()("SessionNotFound", "session_not_found", {}) {}

/** A request with a session's cookie, or for one, that may come from a page of another origin. */
export class CsrfRefused extends Problem<CsrfRefused>()("CsrfRefused", "csrf_refused", {}) {}

/** The refresh token is not good any more, or was never one: RFC 6749 §5.2. Which, and why, is not told. */
export class InvalidGrant extends Problem<InvalidGrant>()("InvalidGrant", "invalid_grant", {
  error: Schema.tag("invalid_grant")
}) {}
