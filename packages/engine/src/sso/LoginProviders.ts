import type { LoginProviderName } from "@llm-saas/domain/LoginProvider"
import { Context } from "effect"
import type { ProviderClient } from "./OpenIdProviders.ts"

/** A provider of the installation. */
export interface ConfiguredProvider {
  readonly name: LoginProviderName
  readonly title: string
  readonly client: ProviderClient
}

/** The OpenID Connect providers of the whole installation, as the operator configures them, in that order. Names are unique. */
export class LoginProviders extends Context.Service<
  LoginProviders,
  { readonly all: ReadonlyArray<ConfiguredProvider> }
>()("@llm-saas/engine/sso/LoginProviders") {}
