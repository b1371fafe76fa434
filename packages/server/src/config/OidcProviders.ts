import { type LoginProviderChoice, LoginProviderName } from "@llm-saas/domain/LoginProvider"
import type { Values } from "./Variables.ts"

const NAME = LoginProviderName.make("oidc")

/** The installation's OpenID Connect providers: the one that has variables of its own first, then those of the list. */
export const providersOf = (
  values: Pick<
    Values,
    "OIDC_CLIENT_ID" | "OIDC_CLIENT_SECRET" | "OIDC_ISSUER" | "OIDC_NAME" | "OIDC_PROVIDERS" | "OIDC_TITLE"
  >
): ReadonlyArray<LoginProviderChoice> => {
  const { OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, OIDC_ISSUER, OIDC_NAME, OIDC_PROVIDERS, OIDC_TITLE } = values
  if (OIDC_ISSUER === undefined || OIDC_CLIENT_ID === undefined) return OIDC_PROVIDERS
  const one = {
    name: OIDC_NAME ?? NAME,
    issuer: OIDC_ISSUER,
    client_id: OIDC_CLIENT_ID,
    ...(OIDC_TITLE === undefined ? {} : { title: OIDC_TITLE }),
    ...(OIDC_CLIENT_SECRET === undefined ? {} : { client_secret: OIDC_CLIENT_SECRET })
  }
  return [one, ...OIDC_PROVIDERS]
}
