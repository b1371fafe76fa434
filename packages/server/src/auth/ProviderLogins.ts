import { LoginProviderAccess, type PersonsAccount } from "@llm-saas/database/LoginProviderAccess"
import { Actor } from "@llm-saas/domain/Actor"
import { IdentityTaken, type LoginProviderName } from "@llm-saas/domain/LoginProvider"
import { TenantRequired, type TooManyRequests, type Unavailable } from "@llm-saas/domain/Refusal"
import {
  type RedirectRefused,
  SsoExpired,
  SsoNotFound,
  SsoRefused,
  type SsoUnavailable
} from "@llm-saas/domain/SingleSignOn"
import { verifiedEmailOf } from "@llm-saas/domain/SsoClaims"
import { wallMillis } from "@llm-saas/domain/Time"
import { type ConfiguredProvider, LoginProviders } from "@llm-saas/engine/sso/LoginProviders"
import { OpenIdProviders } from "@llm-saas/engine/sso/OpenIdProviders"
import { SsoAddresses } from "@llm-saas/engine/sso/SsoAddresses"
import { Context, Effect, Layer, Option, Schema } from "effect"
import type { Sender } from "../config/ClientNetworks.ts"
import { sealed } from "./Sealed.ts"
import { SecretKey } from "./SecretKey.ts"
import type { LoginUnderWay, ProviderTrip } from "./SsoCookie.ts"
import { type Arrival, SsoTrips, type Step, type Wanted } from "./SsoTrips.ts"

/** To choose an account, and to log in at the provider once more. */
const CHOICE_MS = 600_000

/** An account that a person chose: for them alone, and good for nothing without another login at the provider. */
const Choice = Schema.Struct({
  issuer: Schema.String,
  subject: Schema.String,
  tenant: Schema.String,
  user: Schema.String,
  until: Schema.Finite
})

/**
 * Logins by a provider of the installation. The person is found by issuer and subject; an equal address of an account leads there only where its
 * tenant said so, and after the person chose it: else anybody's tenant could have an account of theirs, and they would be in it.
 */
export class ProviderLogins extends Context.Service<
  ProviderLogins,
  {
    readonly begin: (
      name: LoginProviderName,
      wanted: Wanted & { readonly choice?: string },
      from: Sender
    ) => Effect.Effect<Step, SsoNotFound | RedirectRefused | SsoUnavailable | TooManyRequests | Unavailable>
    /** To have the person at the provider linked to the actor's account. Who may with which proof is the caller's. */
    readonly beginLink: (
      name: LoginProviderName,
      returnTo: string | undefined,
      from: Sender
    ) => Effect.Effect<Step, SsoNotFound | SsoUnavailable | TooManyRequests | Unavailable, Actor>
    /** `query`: as the provider sent the browser back, without the question mark. */
    readonly finish: (
      trip: LoginUnderWay,
      at: ProviderTrip,
      query: string
    ) => Effect.Effect<Arrival, SsoExpired | SsoRefused | SsoUnavailable | TenantRequired | IdentityTaken | Unavailable>
  }
>()("@llm-saas/server/auth/ProviderLogins") {
  static readonly layer = Layer.effect(
    ProviderLogins,
    Effect.suspend(() => make)
  ).pipe(Layer.provide(LoginProviderAccess.layer))
}

const make = Effect.gen(function* () {
  const configured = new Map<string, ConfiguredProvider>((yield* LoginProviders).all.map((each) => [each.name, each]))
  const access = yield* LoginProviderAccess
  const providers = yield* OpenIdProviders
  const addresses = yield* SsoAddresses
  const trips = yield* SsoTrips
  const choices = sealed({ secret: (yield* SecretKey).value, purpose: "sso choice", prefix: "ac_" }, Choice)
  const now = Effect.clockWith((clock) => Effect.sync(() => wallMillis(clock)))

  const begin: ProviderLogins["Service"]["begin"] = Effect.fn("ProviderLogins.begin")(function* (
    name,
    { choice, ...wanted },
    from
  ) {
    yield* trips.count(from)
    const goal = yield* trips.goalOf(wanted)
    const found = configured.get(name)
    if (found === undefined) return yield* new SsoNotFound({})
    const at = { provider: name, ...(choice === undefined ? {} : { choice }) }
    return yield* trips.leave(found.client, { at, goal }, from)
  })

  const beginLink: ProviderLogins["Service"]["beginLink"] = Effect.fn("ProviderLogins.beginLink")(
    function* (name, returnTo, from) {
      yield* trips.count(from)
      const found = configured.get(name)
      if (found === undefined) return yield* new SsoNotFound({})
      const { tenantId: tenant, tokenEpoch: epoch, userId: user } = yield* Actor
      const at = { provider: name, link: { tenant, user, epoch } }
      return yield* trips.leave(found.client, { at, goal: { path: returnTo ?? "/" } }, from)
    }
  )

  /** Asks which account is meant. Each address is for this person, who comes back with the same goal. */
  const ask = Effect.fnUntraced(function* (
    { goal }: LoginUnderWay,
    { client, name }: ConfiguredProvider,
    subject: string,
    accounts: ReadonlyArray<PersonsAccount>
  ) {
    const until = (yield* now) + CHOICE_MS
    const tenants = yield* Effect.forEach(accounts, ({ name: tenant, tenant_id, user_id }) =>
      Effect.map(
        choices.seal({ issuer: client.issuer, subject, tenant: tenant_id, user: user_id, until }),
        (choice) => ({ tenant_id, name: tenant, login_url: `${addresses.loginWith(name)}?${again(goal, choice)}` })
      )
    )
    return yield* new TenantRequired({ tenants })
  })

  const chosen = Effect.fnUntraced(function* (choice: string | undefined, issuer: string, subject: string) {
    const found = choice === undefined ? undefined : Option.getOrUndefined(choices.open(choice))
    const good = found?.issuer === issuer && found.subject === subject && found.until > (yield* now)
    return good ? found : undefined
  })

  const finish: ProviderLogins["Service"]["finish"] = Effect.fn("ProviderLogins.finish")(function* (trip, at, query) {
    const found = configured.get(at.provider)
    if (found === undefined) return yield* new SsoExpired({})
    const { issuer } = found.client
    const claims = yield* providers.claims(found.client, trip, query)
    const person = { provider: found.name, issuer, subject: claims.sub, email: verifiedEmailOf(claims) }
    if (at.link !== undefined) {
      const { epoch, tenant, user } = at.link
      const outcome = yield* access.link(person, { tenantId: tenant, userId: user, tokenEpoch: epoch })
      if (outcome === "linked") return yield* trips.arrive(trip, undefined)
      return yield* outcome === "taken"
        ? new IdentityTaken({})
        : outcome === "full"
          ? new SsoRefused({})
          : new SsoExpired({})
    }
    const accounts = yield* access.accounts(person)
    const linked = accounts.filter((each) => each.linked)
    const choice = yield* chosen(at.choice, issuer, claims.sub)
    const [account] =
      choice === undefined
        ? linked
        : accounts.filter(({ tenant_id, user_id }) => tenant_id === choice.tenant && user_id === choice.user)
    if (choice === undefined && accounts.length > 0 && linked.length !== 1)
      return yield* ask(trip, found, claims.sub, linked.length > 0 ? linked : accounts)
    const place = account === undefined ? undefined : { tenantId: account.tenant_id, userId: account.user_id }
    const standing = place === undefined ? Option.none() : yield* access.login(person, place)
    if (place === undefined || Option.isNone(standing)) {
      yield* access.refused(person)
      return yield* new SsoRefused({})
    }
    const { role, token_epoch } = standing.value
    return yield* trips.arrive(trip, { identity: { ...place, role, tokenEpoch: token_epoch }, method: "provider" })
  })
  return ProviderLogins.of({ begin, beginLink, finish })
})

/** The parameters that begin the same login again, for an account that was chosen. */
const again = (goal: LoginUnderWay["goal"], choice: string): string =>
  new URLSearchParams(
    "path" in goal
      ? { choice, return_to: goal.path }
      : {
          choice,
          redirect_uri: goal.app,
          code_challenge: goal.challenge,
          code_challenge_method: "S256",
          ...(goal.state === null ? {} : { state: goal.state })
        }
  ).toString()
