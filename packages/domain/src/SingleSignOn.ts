import { Schema } from "effect"
import { Problem } from "./ProblemClass.ts"
import { TenantId } from "./Tenant.ts"
import { line } from "./Text.ts"

/** Last parts of `/login/{slug}` that are not a tenant's to take. */
const RESERVED: ReadonlySet<string> = new Set(["installation", "second-factor", "sso", "password", "callback"])
const SLUG = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/u
const SLUG_EXPECTED =
  "3 to 63 lower-case letters, digits and hyphens, which begin and end with a letter or digit, and no reserved word"

/** The last part of the address where a tenant's people log in: `/login/{slug}`. */
export const Slug = Schema.String.check(
  Schema.makeFilter((text) => (SLUG.test(text) && !RESERVED.has(text) ? undefined : `Expected ${SLUG_EXPECTED}`), {
    expected: SLUG_EXPECTED,
    toJsonSchema: () => ({ pattern: SLUG.source })
  })
).pipe(Schema.brand("Slug"))
export type Slug = typeof Slug.Type

/** A path of this server, which no browser takes for another host. */
export const ReturnPath = Schema.String.check(
  Schema.isPattern(/^\/(?![/\\])[!-[\]-~]{0,499}$/u, { expected: "a path of this server, such as /console" })
)

/** An app's own address: on its machine (RFC 8252 §7.3), or a page. Which pages, the operator says. */
export const AppAddress = Schema.String.check(
  Schema.isPattern(/^https?:\/\/[!-"$-~]{1,490}$/u, { expected: "the address of an app, without a fragment" })
)

/** PKCE's challenge by S256: 32 bytes in base64url (RFC 7636 §4.2). */
export const CodeChallenge = Schema.String.check(
  Schema.isPattern(/^[\w-]{43}$/u, { expected: "43 characters of base64url" })
)

/** What an app wants to be told again. */
export const AppState = Schema.String.check(
  Schema.isPattern(/^[ -~]{1,500}$/u, { expected: "at most 500 ASCII characters" })
)

/** An account that a person chose, sealed: part of an address that asked which. */
export const AccountChoice = Schema.String.check(
  Schema.isPattern(/^ac_[\w-]{1,2000}$/u, { expected: "the choice of an address that asked which account" })
)

const DOMAIN = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/u

/** The domain of addresses, as DNS has it: lower case, an international one as `xn--…` (RFC 5890). */
export const MailDomain = Schema.String.check(
  Schema.isPattern(DOMAIN, { expected: "a domain in lower case, such as acme.com" })
).pipe(Schema.brand("MailDomain"))
export type MailDomain = typeof MailDomain.Type

// Visible ASCII, as the database takes it: `URL` overlooks controls at the end, and tokens name an international host as `xn--…`.
const ISSUER = /^https?:\/\/[!"$-.0->A-[\]-~]+(?:\/[!-~]*)?$/u
const ISSUER_EXPECTED =
  "the issuer's URL, such as https://login.acme.com, without a password, a question mark or a fragment"

/** An OpenID Connect issuer, exactly as its tokens name it (OpenID Connect Discovery 1.0 §4.3). */
export const Issuer = Schema.String.check(
  Schema.isMaxLength(500, { expected: "at most 500 characters" }),
  Schema.makeFilter(
    (text) =>
      ISSUER.test(text) && !/[?#]/u.test(text) && URL.canParse(text) ? undefined : `Expected ${ISSUER_EXPECTED}`,
    { expected: ISSUER_EXPECTED, toJsonSchema: () => ({ pattern: ISSUER.source }) }
  )
)

const VISIBLE = (max: number) =>
  Schema.String.check(
    Schema.isPattern(new RegExp(`^[!-~]{1,${max}}$`, "u"), {
      expected: `1 to ${max} visible ASCII characters, without spaces`
    })
  )

/** Our name at the provider. */
export const ClientId = VISIBLE(300)
/** The secret that belongs to it. */
export const ClientSecret = Schema.String.check(
  // RFC 6749, appendix A.2: spaces too.
  Schema.isPattern(/^[ -~]{1,1000}$/u, { expected: "1 to 1000 printable ASCII characters" })
).pipe(Schema.RedactedFromValue)

const MOST = 100

/** What both a connection and its choice say. */
const settings = {
  slug: Slug,
  issuer: Issuer,
  client_id: ClientId,
  trust_email: Schema.Boolean,
  jit: Schema.Boolean,
  role_claim: Schema.NullOr(line(200)),
  admin_values: Schema.Array(line(200)).check(Schema.isMaxLength(MOST, { expected: `at most ${MOST} values` })),
  required: Schema.Boolean,
  enabled: Schema.Boolean
}

/** What an admin wants the connection to be. What is left out has its default; the secret, if left out, stays. */
export const SsoConnectionChoice = Schema.Struct({
  slug: settings.slug,
  issuer: settings.issuer,
  client_id: settings.client_id,
  client_secret: Schema.optionalKey(Schema.NullOr(ClientSecret)),
  domains: Schema.optionalKey(
    Schema.Array(MailDomain).check(
      Schema.isMaxLength(MOST, { expected: `at most ${MOST} domains` }),
      Schema.isUnique({ expected: "each domain once" })
    )
  ),
  trust_email: Schema.optionalKey(settings.trust_email),
  jit: Schema.optionalKey(settings.jit),
  role_claim: Schema.optionalKey(settings.role_claim),
  admin_values: Schema.optionalKey(settings.admin_values),
  required: Schema.optionalKey(settings.required),
  enabled: Schema.optionalKey(settings.enabled)
}).annotate({ identifier: "SsoConnectionChoice" })
export type SsoConnectionChoice = typeof SsoConnectionChoice.Type

/** A domain of a connection. `routed`: its people are led to this tenant's login, since DNS has `record`. */
export class SsoDomain extends Schema.Class<SsoDomain>("SsoDomain")({
  domain: MailDomain,
  routed: Schema.Boolean,
  record: Schema.Struct({ name: Schema.String, type: Schema.Literal("TXT"), value: Schema.String })
}) {}

/** A tenant's own OpenID Connect provider, without the client's secret. */
export class SsoConnection extends Schema.Class<SsoConnection>("SsoConnection")({
  tenant_id: TenantId,
  ...settings,
  has_secret: Schema.Boolean,
  domains: Schema.Array(SsoDomain),
  /** `unreadable`: the secret cannot be decrypted with the installation's keys. Logins fail. */
  status: Schema.Literals(["active", "disabled", "unreadable"]),
  /** Where the tenant's people log in. */
  login_url: Schema.String,
  /** What to register at the provider. */
  redirect_uri: Schema.String,
  created_at: Schema.DateTimeUtcFromString,
  updated_at: Schema.DateTimeUtcFromString
}) {}

/** `redirect_uri` is not of an app that may be sent there, or has no `code_challenge` with it. */
export class RedirectRefused extends Problem<RedirectRefused>()("RedirectRefused", "redirect_refused", {}) {}

/** The tenant has no single sign-on, or there is none at this address. */
export class SsoNotFound extends Problem<SsoNotFound>()("SsoNotFound", "sso_not_found", {}) {}

/** Another tenant has the slug. Slugs are in public addresses: this reveals nothing. */
export class SlugTaken extends Problem<SlugTaken>()("SlugTaken", "slug_taken", {}) {}

/** It cannot be required before an admin has logged in by it: else a mistake would lock all of them out. */
export class SsoUntried extends Problem<SsoUntried>()("SsoUntried", "sso_untried", {}) {}

/** DNS does not have the record that proves the domain, or the connection does not name it. */
export class DomainUnproven extends Problem<DomainUnproven>()("DomainUnproven", "domain_unproven", {}) {}

/** How a provider failed us. */
export const SsoFailure = Schema.Literals(["not_allowed", "unreachable", "no_discovery", "refused", "invalid_answer"])
export type SsoFailure = typeof SsoFailure.Type

/** The provider cannot be used just now, or is not set up as it must be. `reason` says how, and quotes nothing of it. */
export class SsoUnavailable extends Problem<SsoUnavailable>()("SsoUnavailable", "sso_unavailable", {
  reason: SsoFailure
}) {}

/**
 * The provider vouched for a person, and they have no account here, or none may be made for them. Which it is, is in the tenant's audit
 * log.
 */
export class SsoRefused extends Problem<SsoRefused>()("SsoRefused", "sso_refused", {}) {}

/** The tenant requires single sign-on: no account with a password is made. Its people log in at `login_url`. */
export class SsoRequired extends Problem<SsoRequired>()("SsoRequired", "sso_required", { login_url: Schema.String }) {}

/** The login was begun too long ago, in another browser, or has ended already. */
export class SsoExpired extends Problem<SsoExpired>()("SsoExpired", "sso_expired", {}) {}
