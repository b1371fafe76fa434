import type { Slug } from "@llm-saas/domain/SingleSignOn"
import { Context } from "effect"

/** Where people log in, and where providers send them back to: addresses of this installation as the world sees it. */
export class SsoAddresses extends Context.Service<
  SsoAddresses,
  {
    /** Of the page of a tenant, which sends the browser to its provider. */
    readonly login: (slug: Slug) => string
    /** The redirect URI, the same for every tenant. */
    readonly callback: string
  }
>()("@llm-saas/engine/sso/SsoAddresses") {}
