import { TenantId } from "@llm-saas/domain/Tenant"
import { UserId } from "@llm-saas/domain/User"
import { Schema } from "effect"
import type { Sender } from "../config/ClientNetworks.ts"

/** To a tenant's own provider. */
const TenantTrip = Schema.Struct({ tenant: Schema.String, connection: Schema.String })
export type TenantTrip = typeof TenantTrip.Type

/** To a provider of the installation. */
const ProviderTrip = Schema.Struct({
  provider: Schema.String,
  /** The account that the person has chosen. */
  choice: Schema.optionalKey(Schema.String),
  /** Not to log in, but to be linked to the account of who is logged in. */
  link: Schema.optionalKey(Schema.Struct({ tenant: TenantId, user: UserId, epoch: Schema.Int }))
})
export type ProviderTrip = typeof ProviderTrip.Type

/** A login under way, as the browser keeps it, sealed. */
export const LoginUnderWay = Schema.Struct({
  at: Schema.Union([TenantTrip, ProviderTrip]),
  state: Schema.String,
  nonce: Schema.String,
  verifier: Schema.String,
  /** The session that the browser had, by SHA-256 of its refresh token: its cookie does not come along from another site. */
  earlier: Schema.optionalKey(Schema.String),
  /** Milliseconds since 1970, by this server's clock. */
  until: Schema.Finite,
  /** Where the browser goes after it: a path of ours, or an app's address with its challenge and state. */
  goal: Schema.Union([
    Schema.Struct({ path: Schema.String }),
    Schema.Struct({ app: Schema.String, challenge: Schema.String, state: Schema.NullOr(Schema.String) })
  ])
})
export type LoginUnderWay = typeof LoginUnderWay.Type

// One cookie a login, of a few: two tabs do not end each other's, and no page can fill the browser with them. SameSite=Lax: the browser comes
// back from another site. `__Host-`: of this host alone, over HTTPS.

const PLACES = 8
const ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Lax"

/** The cookie's name for a login, by its state, which is in the answer. */
const nameOf = (state: string): string => `__Host-sso-${(state.codePointAt(0) ?? 0) % PLACES}`

export const keep = (state: string, sealed: string, seconds: number): string =>
  `${nameOf(state)}=${sealed}; Max-Age=${seconds}; ${ATTRIBUTES}`

export const forget = (state: string): string => keep(state, "", 0)

/** What the browser keeps for the login with this state. */
export const kept = (state: string, { headers }: Sender): string | undefined => {
  const wanted = nameOf(state)
  for (const pair of headers["cookie"]?.split(";") ?? []) {
    const [name, value] = pair.trim().split("=", 2)
    if (name === wanted && value !== undefined && value !== "") return value
  }
  return undefined
}
