import type { LoginProviderName } from "@llm-saas/domain/LoginProvider"
import type { Slug } from "@llm-saas/domain/SingleSignOn"
import { Context } from "effect"

/** Where people log in, and where providers send them back to: addresses of this installation as the world sees it. */
export class SsoAddresses extends Context.Service<
  SsoAddresses,
  {
    /** Of the page of a tenant, which sends the browser to its provider. */
    readonly login: (slug: Slug) => string
    /** The same of a provider of the installation. */
    readonly loginWith: (provider: LoginProviderName) => string
    /** The redirect URI, the same for every tenant. */
    readonly callback: string
  }
>()("@llm-saas/engine/sso/SsoAddresses") {}
