import { Schema } from "effect"
import { Problem } from "./ProblemClass.ts"
import { Issuer } from "./SingleSignOn.ts"
import { uuid } from "./Text.ts"

export const SsoIdentityId = Schema.String.check(uuid).pipe(Schema.brand("SsoIdentityId"))
export type SsoIdentityId = typeof SsoIdentityId.Type

/** A person at an identity provider who logs in to the account. `issuer` and `subject` name them (OpenID Connect Core 1.0 §2). */
export class SsoIdentity extends Schema.Class<SsoIdentity>("SsoIdentity")({
  id: SsoIdentityId,
  /** Whose provider it is: the tenant's own, or one of the whole installation. */
  origin: Schema.Literals(["tenant", "installation"]),
  issuer: Issuer,
  subject: Schema.String,
  created_at: Schema.DateTimeUtcFromString,
  last_login_at: Schema.NullOr(Schema.DateTimeUtcFromString)
}) {}

/** The account has no such identity. */
export class IdentityNotFound extends Problem<IdentityNotFound>()("IdentityNotFound", "identity_not_found", {}) {}

/** Without it there is no way to log in to the account: it has no password, or passwords do not count in the tenant. */
export class LastLogin extends Problem<LastLogin>()("LastLogin", "last_login", {}) {}
