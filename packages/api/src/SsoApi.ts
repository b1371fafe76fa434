import { IdentityTaken, LoginProvider, LoginProviderName } from "@llm-saas/domain/LoginProvider"
import { TenantRequired, TooManyRequests, Unavailable } from "@llm-saas/domain/Refusal"
import {
  AccountChoice,
  AppAddress,
  AppState,
  CodeChallenge,
  DomainUnproven,
  MailDomain,
  RedirectRefused,
  ReturnPath,
  Slug,
  SlugTaken,
  SsoConnection,
  SsoConnectionChoice,
  SsoExpired,
  SsoNotFound,
  SsoRefused,
  SsoUnavailable,
  SsoUntried
} from "@llm-saas/domain/SingleSignOn"
import { TenantId, TenantNotFound } from "@llm-saas/domain/Tenant"
import { EmailInput } from "@llm-saas/domain/User"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Access, Authorization } from "./Access.ts"
import { AnyQuery } from "./AnyQuery.ts"
import { Costly } from "./Costly.ts"
import * as Examples from "./Examples.ts"

const one = { id: TenantId }

const get = HttpApiEndpoint.get("get", "/tenants/:id/sso", {
  params: one,
  success: SsoConnection,
  error: [TenantNotFound, SsoNotFound, Unavailable]
})
  .middleware(Authorization)
  .annotate(Access, "admin")
  .annotateMerge(Examples.answers(200, Examples.ssoConnection))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Single sign-on of the tenant",
      description:
        "Without the client's secret. `redirect_uri` is what to register at the provider, and `login_url` where people log in. A domain with `routed: true` is proven: `GET /login?email=` leads its people here."
    })
  )

const put = HttpApiEndpoint.put("put", "/tenants/:id/sso", {
  params: one,
  payload: SsoConnectionChoice,
  success: SsoConnection,
  error: [TenantNotFound, SlugTaken, SsoUntried, Unavailable]
})
  .middleware(Authorization)
  .annotate(Access, "admin")
  .annotateMerge(Examples.answers(200, Examples.ssoConnection, Examples.ssoConnectionChoice))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Set up single sign-on",
      description:
        "An OpenID Connect provider of the tenant's own. Replaces what was set; members that are left out have their defaults (`enabled` true, all else false or empty), but `client_secret` stays, unless the issuer or the client changes. `null` is a public client: PKCE protects it alone.\n\n"
        + "`domains` are those whose verified addresses lead to the account with that address, or, with `jit`, make one. `trust_email` is for providers that do not say `email_verified`, such as Microsoft Entra ID, and whose addresses its people cannot choose. `role_claim` and `admin_values` decide the role with every login; the last admin stays one.\n\n"
        + "`required` ends the tenant's logins by password, and what was logged in by one: keys go on. An admin must have logged in by the provider before (409 `sso_untried`). With another issuer no account is linked any more."
    })
  )

const remove = HttpApiEndpoint.delete("remove", "/tenants/:id/sso", {
  params: one,
  success: HttpApiSchema.NoContent,
  error: [TenantNotFound, SsoNotFound, Unavailable]
})
  .middleware(Authorization)
  .annotate(Access, "admin")
  .annotateMerge(
    OpenApi.annotations({
      summary: "Remove single sign-on",
      description: "Accounts stay, without their links to people at the provider. Sessions go on until they end."
    })
  )

const test = HttpApiEndpoint.post("test", "/tenants/:id/sso/test", {
  params: one,
  success: HttpApiSchema.NoContent,
  error: [TenantNotFound, SsoNotFound, SsoUnavailable, Unavailable]
})
  .middleware(Authorization)
  .annotate(Access, "admin")
  .annotateMerge(
    OpenApi.annotations({
      summary: "Is the provider there",
      description:
        "Reads its configuration and keys. Whether it accepts the client and its secret shows only with a login."
    })
  )

const proveDomain = HttpApiEndpoint.post("proveDomain", "/tenants/:id/sso/domains/:domain/prove", {
  params: { ...one, domain: MailDomain },
  success: SsoConnection,
  error: [TenantNotFound, SsoNotFound, DomainUnproven, Unavailable]
})
  .middleware(Authorization)
  .annotate(Access, "admin")
  .annotateMerge(Examples.answers(200, Examples.ssoConnection))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Lead a domain's people here",
      description:
        "Looks in DNS for the TXT record that the connection names for the domain. From then on `GET /login?email=` answers this tenant's `login_url` for its addresses: nothing else. If another tenant had the domain, it has it no longer."
    })
  )

/** Where to log in with an address. */
export const LoginPlace = Schema.Struct({ login_url: Schema.NullOr(Schema.String) }).annotate({
  identifier: "LoginPlace"
})

const find = HttpApiEndpoint.get("find", "/login", {
  query: { email: EmailInput },
  success: LoginPlace,
  error: [TooManyRequests, Unavailable]
})
  .annotate(Access, "public")
  .annotateMerge(Examples.answers(200, Examples.loginPlace))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Where to log in",
      description:
        "The login of the tenant that has proven the address's domain; null: by password, `POST /login`. Says nothing about any account: only the domain is looked at."
    })
  )

/** Providers of the installation, for a login form. */
export const LoginProviderList = Schema.Struct({ data: Schema.Array(LoginProvider) }).annotate({
  identifier: "LoginProviderList"
})

const providers = HttpApiEndpoint.get("providers", "/sso/providers", { success: LoginProviderList })
  .annotate(Access, "public")
  .annotateMerge(Examples.answers(200, { data: [Examples.loginProvider] }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Providers for all tenants",
      description:
        "Those that the operator configured, in that order, for the buttons of a login form: what it shows, and where the browser goes."
    })
  )

/** Where the browser goes after the login: a path of this server, or an app that exchanges a code. */
const goal = {
  return_to: Schema.optionalKey(ReturnPath),
  redirect_uri: Schema.optionalKey(AppAddress),
  code_challenge: Schema.optionalKey(CodeChallenge),
  code_challenge_method: Schema.optionalKey(Schema.Literal("S256")),
  state: Schema.optionalKey(AppState)
}

const startWith = HttpApiEndpoint.get("startWith", "/login/with/:name", {
  params: { name: LoginProviderName },
  query: { ...goal, choice: Schema.optionalKey(AccountChoice) },
  success: HttpApiSchema.Empty(302),
  error: [SsoNotFound, SsoUnavailable, RedirectRefused, TooManyRequests, Unavailable]
})
  .annotate(Access, "public")
  .annotate(Costly, true)
  .annotateMerge(
    OpenApi.annotations({
      summary: "Log in by a provider for all tenants",
      description:
        "As `GET /login/{slug}`, at a provider of the installation. It leads to the account that the person there is linked to: by its user (`POST /me/identities`), or by an address that both have verified, where the tenant's login policy says so (`link_by_email`). Where it may be several, or one that is to be linked by its address, `/sso/callback` asks which (409 `tenant_required`, a page for browsers); each `login_url` begins here again, with a `choice`. A second factor is asked for as after a password."
    })
  )

const start = HttpApiEndpoint.get("start", "/login/:slug", {
  params: { slug: Slug },
  query: goal,
  success: HttpApiSchema.Empty(302),
  error: [SsoNotFound, SsoUnavailable, RedirectRefused, TooManyRequests, Unavailable]
})
  .annotate(Access, "public")
  .annotate(Costly, true)
  .annotateMerge(
    OpenApi.annotations({
      summary: "Log in by single sign-on",
      description:
        'For a browser: sends it to the tenant\'s provider, which sends it back to `/sso/callback`. Then it has a session by a cookie, as after `POST /login` with `session: "cookie"`, and goes to `return_to`, a path of this server (default `/`).\n\n'
        + "For an app: `redirect_uri` is one of `APP_REDIRECT_URIS`, as text; on the browser's machine (`http://127.0.0.1:…`) with any port (RFC 8252 §7.3). And `code_challenge` by PKCE (RFC 7636, S256). The browser goes there with a `code`, which `POST /token` exchanges once, within a minute, and with `state` as it was given."
    })
  )

/** Providers add parameters of their own: any are taken, and the handler reads them itself. */
const callback = HttpApiEndpoint.get("callback", "/sso/callback", {
  success: HttpApiSchema.Empty(303),
  error: [SsoExpired, SsoRefused, SsoUnavailable, TenantRequired, IdentityTaken, TooManyRequests, Unavailable]
})
  .annotate(Access, "public")
  .annotate(Costly, true)
  .annotate(AnyQuery, true)
  .annotateMerge(
    OpenApi.annotations({
      summary: "Back from the provider",
      description:
        "Where providers send browsers. Needs the cookie of `GET /login/{slug}`, `GET /login/with/{name}` or `POST /me/identities`, works once and for ten minutes. A browser gets what went wrong as a page."
    })
  )

/** A tenant's single sign-on by OpenID Connect. */
export class SsoApi extends HttpApiGroup.make("sso")
  .add(get, put, remove, test, proveDomain, find, providers, startWith, start, callback)
  .annotateMerge(
    OpenApi.annotations({
      title: "Single sign-on",
      description: "People log in at a provider of their own company (OpenID Connect)."
    })
  ) {}
