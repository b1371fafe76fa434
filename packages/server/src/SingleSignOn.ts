import { SsoAccess } from "@llm-saas/database/SsoAccess"
import { LoginProviders } from "@llm-saas/engine/sso/LoginProviders"
import { SsoAddresses } from "@llm-saas/engine/sso/SsoAddresses"
import { SsoConnections } from "@llm-saas/engine/sso/SsoConnections"
import { SsoIdentities } from "@llm-saas/engine/sso/SsoIdentities"
import { DomainProofsLayer } from "@llm-saas/sso/DomainProofsLayer"
import { OpenIdProvidersLayer } from "@llm-saas/sso/OpenIdProvidersLayer"
import { Effect, Layer } from "effect"
import { SecretKey } from "./auth/SecretKey.ts"
import { providersOf } from "./config/OidcProviders.ts"
import { Settings } from "./config/Settings.ts"

const SsoAddressesLayer = Layer.effect(
  SsoAddresses,
  Effect.map(Settings, ({ PUBLIC_URL }) =>
    SsoAddresses.of({
      login: (slug) => `${PUBLIC_URL}/login/${slug}`,
      callback: `${PUBLIC_URL}/sso/callback`,
      loginWith: (provider) => `${PUBLIC_URL}/login/with/${provider}`
    })
  )
)

const LoginProvidersLayer = Layer.effect(
  LoginProviders,
  Effect.map(Effect.all([Settings, SsoAddresses]), ([settings, { callback }]) =>
    LoginProviders.of({
      all: providersOf(settings).map(({ client_id, client_secret, issuer, name, title = name }) => ({
        name,
        title,
        client: { owner: "installation", issuer, clientId: client_id, secret: client_secret, redirectUri: callback }
      }))
    })
  )
)

const ProvidersLayer = Layer.unwrap(
  Effect.map(Settings, ({ SSO_PRIVATE_NETWORKS }) => OpenIdProvidersLayer({ allowPrivate: SSO_PRIVATE_NETWORKS }))
)

const ProofsLayer = Layer.unwrap(
  Effect.map(Effect.all([SecretKey, Settings]), ([{ value }, { SSO_DNS_SERVERS }]) =>
    DomainProofsLayer({ secret: value, ...(SSO_DNS_SERVERS.length === 0 ? {} : { servers: SSO_DNS_SERVERS }) })
  )
)

/** Single sign-on: what admins set up, and providers and names in the network. */
export const SingleSignOnLayer = Layer.merge(SsoConnections.layer, SsoIdentities.layer).pipe(
  Layer.provideMerge(Layer.mergeAll(ProvidersLayer, ProofsLayer, LoginProvidersLayer, SsoAccess.layer)),
  Layer.provideMerge(SsoAddressesLayer)
)
