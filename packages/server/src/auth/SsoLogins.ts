import { type LoginConnection, SsoAccess } from "@llm-saas/database/SsoAccess"
import type { TooManyRequests, Unavailable } from "@llm-saas/domain/Refusal"
import {
  type RedirectRefused,
  type Slug,
  SsoExpired,
  SsoNotFound,
  SsoRefused,
  SsoUnavailable
} from "@llm-saas/domain/SingleSignOn"
import { addressOf, roleOf } from "@llm-saas/domain/SsoClaims"
import { TenantId } from "@llm-saas/domain/Tenant"
import { UserId } from "@llm-saas/domain/User"
import { Encryption } from "@llm-saas/engine/providerKeys/Encryption"
import { OpenIdProviders, type ProviderClient } from "@llm-saas/engine/sso/OpenIdProviders"
import { SsoAddresses } from "@llm-saas/engine/sso/SsoAddresses"
import { Context, Effect, Layer, Option } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import type { Sender } from "../config/ClientNetworks.ts"
import type { LoginUnderWay, TenantTrip } from "./SsoCookie.ts"
import { type Arrival, SsoTrips, type Step, type Wanted } from "./SsoTrips.ts"

/** Logins at a tenant's own provider. */
export class SsoLogins extends Context.Service<
  SsoLogins,
  {
    readonly begin: (
      slug: Slug,
      wanted: Wanted,
      from: Sender
    ) => Effect.Effect<Step, SsoNotFound | RedirectRefused | SsoUnavailable | TooManyRequests | Unavailable>
    /** `query`: as the provider sent the browser back, without the question mark. */
    readonly finish: (
      trip: LoginUnderWay,
      at: TenantTrip,
      query: string
    ) => Effect.Effect<Arrival, SsoExpired | SsoRefused | SsoUnavailable | Unavailable>
  }
>()("@llm-saas/server/auth/SsoLogins") {
  static readonly layer = Layer.effect(
    SsoLogins,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const access = yield* SsoAccess
  const providers = yield* OpenIdProviders
  const encryption = yield* Encryption
  const addresses = yield* SsoAddresses
  const random = yield* SecureRandom
  const trips = yield* SsoTrips

  /** Undefined: its secret cannot be decrypted. */
  const clientOf = Effect.fnUntraced(function* (connection: LoginConnection) {
    const { client_id, id, issuer, sealed: kept, tenant_id, version, wrapped, wrapped_by } = connection
    const client = { owner: tenant_id, issuer, clientId: client_id, redirectUri: addresses.callback }
    if (kept === null) return { ...client, secret: undefined }
    if (version === null || wrapped === null || wrapped_by === null) return undefined
    const place = { tenant: tenant_id, kind: "single sign-on" as const, id }
    const opened = yield* encryption.open(kept, { version, wrapped, wrapped_by }, place)
    return opened === undefined ? undefined : ({ ...client, secret: opened } satisfies ProviderClient)
  })

  const begin: SsoLogins["Service"]["begin"] = Effect.fn("SsoLogins.begin")(function* (slug, wanted, from) {
    yield* trips.count(from)
    const goal = yield* trips.goalOf(wanted)
    const found = yield* access.connection({ slug })
    if (Option.isNone(found)) return yield* new SsoNotFound({})
    const client = yield* clientOf(found.value)
    if (client === undefined) return yield* new SsoUnavailable({ reason: "refused" })
    const { id, tenant_id } = found.value
    return yield* trips.leave(client, { at: { tenant: tenant_id, connection: id }, goal }, from)
  })

  const finish: SsoLogins["Service"]["finish"] = Effect.fn("SsoLogins.finish")(function* (trip, at, query) {
    const tenantId = TenantId.make(at.tenant)
    // As it is now: it may have changed, or ended, while the person was at the provider.
    const found = Option.getOrUndefined(yield* access.connection({ tenantId, id: at.connection }))
    const client = found === undefined ? undefined : yield* clientOf(found)
    if (found === undefined || client === undefined) return yield* new SsoExpired({})
    const claims = yield* providers.claims(client, trip, query)
    const account = yield* access.login({
      tenantId,
      connection: found.id,
      issuer: found.issuer,
      subject: claims.sub,
      email: addressOf(claims, found),
      role: roleOf(claims, found),
      newUser: UserId.make(yield* random.uuidV7())
    })
    if (Option.isNone(account)) return yield* new SsoExpired({})
    if (!("id" in account.value)) return yield* new SsoRefused({})
    const { id, role, token_epoch } = account.value
    return yield* trips.arrive(trip, {
      identity: { tenantId, userId: id, role, tokenEpoch: token_epoch },
      method: "sso"
    })
  })
  return SsoLogins.of({ begin, finish })
})
