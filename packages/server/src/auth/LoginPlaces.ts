import { PreTenantAccess } from "@llm-saas/database/PreTenantAccess"
import { SsoAccess } from "@llm-saas/database/SsoAccess"
import { LoginProvider } from "@llm-saas/domain/LoginProvider"
import type { TooManyRequests, Unavailable } from "@llm-saas/domain/Refusal"
import { MailDomain } from "@llm-saas/domain/SingleSignOn"
import type { Email } from "@llm-saas/domain/User"
import { LoginProviders } from "@llm-saas/engine/sso/LoginProviders"
import { SsoAddresses } from "@llm-saas/engine/sso/SsoAddresses"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { ClientNetworks, type Sender } from "../config/ClientNetworks.ts"
import { Settings } from "../config/Settings.ts"
import { AddressLimit } from "./AddressLimit.ts"
import { SecretKey } from "./SecretKey.ts"

/** Where people log in, by their address. The same for HTTP and RPC. */
export class LoginPlaces extends Context.Service<
  LoginPlaces,
  {
    /** Only the domain is looked at: an address that has an account answers as one that has none. */
    readonly find: (
      email: Email,
      from: Sender
    ) => Effect.Effect<{ readonly login_url: string | null }, TooManyRequests | Unavailable>
    /** The installation's providers, for a login form. */
    readonly providers: { readonly data: ReadonlyArray<LoginProvider> }
  }
>()("@llm-saas/server/auth/LoginPlaces") {
  static readonly layer = Layer.effect(
    LoginPlaces,
    Effect.gen(function* () {
      const { LOGIN_WINDOW_MINUTES, SSO_LOGINS_PER_ADDRESS } = yield* Settings
      const access = yield* SsoAccess
      const networks = yield* ClientNetworks
      const addresses = yield* SsoAddresses
      const limit = new AddressLimit({
        name: "login-place",
        limit: SSO_LOGINS_PER_ADDRESS,
        windowMs: LOGIN_WINDOW_MINUTES * 60_000,
        secret: (yield* SecretKey).value,
        access: yield* PreTenantAccess
      })
      const { all } = yield* LoginProviders
      const data = all.map(
        ({ name, title }) => new LoginProvider({ name, title, login_url: addresses.loginWith(name) })
      )
      return LoginPlaces.of({
        providers: { data },
        find: Effect.fn("LoginPlaces.find")(function* (email, from) {
          yield* limit.count(networks.of(from))
          const domain = asDomain(email.slice(email.lastIndexOf("@") + 1))
          const slug = Option.isNone(domain) ? Option.none() : yield* access.slugOf(domain.value)
          return { login_url: Option.isNone(slug) ? null : addresses.login(slug.value) }
        })
      })
    })
  )
}

const asDomain = Schema.decodeUnknownOption(MailDomain)
