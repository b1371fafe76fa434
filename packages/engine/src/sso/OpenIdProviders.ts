import type { Outside } from "@llm-saas/domain/Outside"
import type { SsoUnavailable } from "@llm-saas/domain/SingleSignOn"
import type { SsoClaims } from "@llm-saas/domain/SsoClaims"
import type { TenantId } from "@llm-saas/domain/Tenant"
import { Context, type Effect, type Redacted } from "effect"

/** A provider as one tenant has set it up, or the installation. */
export interface ProviderClient {
  /** Whose: what is remembered of a provider, and how much of it is asked at once, is apart for each. */
  readonly owner: TenantId | "installation"
  readonly issuer: string
  readonly clientId: string
  /** None: a public client, which PKCE protects alone. */
  readonly secret: Redacted.Redacted | undefined
  readonly redirectUri: string
}

/** What one login is bound by: made for it, and known to the provider only as a hash or by its echo. */
export interface LoginSecrets {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

/** OpenID Connect providers, which are somewhere in the network and can be slow, wrong or hostile. */
export class OpenIdProviders extends Context.Service<
  OpenIdProviders,
  {
    /** Reads the provider's configuration and keys anew, so that an admin learns at once what is wrong. */
    readonly check: (client: ProviderClient) => Effect.Effect<void, SsoUnavailable>
    /** Where the browser goes to log in. */
    readonly authorizationUrl: (client: ProviderClient, secrets: LoginSecrets) => Effect.Effect<string, SsoUnavailable>
    /**
     * What the provider says of the person, from the parameters it sent the browser back with (`query`, without the question mark). Checked:
     * `state`, `iss` of the answer (RFC 9207), the ID token's signature, `iss`, `aud`, `azp`, `exp` and `nonce` (OpenID Connect Core §3.1.3.7),
     * and that userinfo is about the same person.
     */
    readonly claims: (
      client: ProviderClient,
      secrets: LoginSecrets,
      query: string
    ) => Effect.Effect<SsoClaims & { readonly sub: string }, SsoUnavailable>
  }
>()("@llm-saas/engine/sso/OpenIdProviders") {
  declare readonly outside: Outside["outside"]
}
