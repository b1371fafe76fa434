import { Schema } from "effect"
import { Problem } from "./ProblemClass.ts"
import { ClientId, ClientSecret, Issuer } from "./SingleSignOn.ts"
import { line } from "./Text.ts"

const NAME = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/u

/** The last part of the address where people log in by a provider of the installation: `/login/with/{name}`. */
export const LoginProviderName = Schema.String.check(
  Schema.isPattern(NAME, {
    expected: "1 to 40 lower-case letters, digits and hyphens, which begin and end with a letter or digit"
  })
).pipe(Schema.brand("LoginProviderName"))
export type LoginProviderName = typeof LoginProviderName.Type

/** An OpenID Connect provider of the whole installation, as the operator configures it. */
export const LoginProviderChoice = Schema.Struct({
  name: LoginProviderName,
  /** What a login form shows. Default: the name. */
  title: Schema.optionalKey(line(60)),
  issuer: Issuer,
  client_id: ClientId,
  /** None: a public client, which PKCE protects alone. */
  client_secret: Schema.optionalKey(ClientSecret)
})
export type LoginProviderChoice = typeof LoginProviderChoice.Type

/** A provider as a login form shows it. */
export class LoginProvider extends Schema.Class<LoginProvider>("LoginProvider")({
  name: LoginProviderName,
  title: Schema.String,
  /** Where the browser goes to log in by it. */
  login_url: Schema.String
}) {}

/** The person at the provider logs in to another account of the tenant. */
export class IdentityTaken extends Problem<IdentityTaken>()("IdentityTaken", "identity_taken", {}) {}
