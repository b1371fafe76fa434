import { PreTenantAccess } from "@llm-saas/database/PreTenantAccess"
import { SessionAccess } from "@llm-saas/database/SessionAccess"
import { SsoAccess } from "@llm-saas/database/SsoAccess"
import type { TooManyRequests, Unavailable } from "@llm-saas/domain/Refusal"
import { InvalidGrant, LoginMethod, SessionId } from "@llm-saas/domain/Session"
import { RedirectRefused, SsoExpired, type SsoUnavailable } from "@llm-saas/domain/SingleSignOn"
import { TenantId } from "@llm-saas/domain/Tenant"
import { wallMillis } from "@llm-saas/domain/Time"
import { UserId } from "@llm-saas/domain/User"
import type { Identity } from "@llm-saas/engine/accounts/Accounts"
import { OpenIdProviders, type ProviderClient } from "@llm-saas/engine/sso/OpenIdProviders"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import { createHash, timingSafeEqual } from "node:crypto"
import { ClientNetworks, type Sender } from "../config/ClientNetworks.ts"
import { Settings } from "../config/Settings.ts"
import { AddressLimit } from "./AddressLimit.ts"
import { RefreshTokens } from "./RefreshTokens.ts"
import { sealed } from "./Sealed.ts"
import { SecretKey } from "./SecretKey.ts"
import { cookieOf } from "./SessionCookie.ts"
import { forget, keep, kept, LoginUnderWay } from "./SsoCookie.ts"

/** What a login is to lead to. */
export interface Wanted {
  readonly return_to?: string
  readonly redirect_uri?: string
  readonly code_challenge?: string
  readonly state?: string
}

/** Where the browser goes now, and the cookie that it keeps or forgets. */
export interface Step {
  readonly location: string
  readonly cookie: string
}

/** A login that was proven: for a browser's session, or for an app's. */
export interface Proven {
  readonly identity: Identity
  readonly method: LoginMethod
  /** The session that the browser had: see `LoginUnderWay`. */
  readonly earlier?: string
  /** Of an app's code: the id of its session. */
  readonly coded?: SessionId
}

/** A trip that is over: with a login for a browser's session; without one where an app's address has a code for it, or none was wanted. */
export type Arrival = Step & { readonly login: Proven | undefined }

/** For the person at the provider. */
const TRIP_MS = 600_000
/** For the app to exchange its code. */
const CODE_MS = 60_000

/** The random bytes of state, nonce and verifier. */
const BYTES = 32

/**
 * A browser's way to a provider and back, whoever's provider it is. States: under way (a sealed cookie, no row) → spent (its state's hash is in
 * meta.spent) → over. Only the browser that left can come back, once.
 */
export class SsoTrips extends Context.Service<
  SsoTrips,
  {
    /** Counts a step for the client's address. */
    readonly count: (from: Sender) => Effect.Effect<void, TooManyRequests | Unavailable>
    readonly goalOf: (wanted: Wanted) => Effect.Effect<LoginUnderWay["goal"], RedirectRefused>
    readonly leave: (
      client: ProviderClient,
      trip: Pick<LoginUnderWay, "at" | "goal">,
      from: Sender
    ) => Effect.Effect<Step, SsoUnavailable>
    /** The trip that the browser comes back from; `query`: as the provider sent it, without the question mark. */
    readonly back: (query: string, from: Sender) => Effect.Effect<LoginUnderWay, SsoExpired | Unavailable>
    readonly arrive: (trip: LoginUnderWay, login: Proven | undefined) => Effect.Effect<Arrival>
    /** The login of an app's code, with the verifier of its challenge (RFC 7636 §4.6). Once. */
    readonly exchange: (code: string, verifier: string) => Effect.Effect<Proven, InvalidGrant | Unavailable>
  }
>()("@llm-saas/server/auth/SsoTrips") {
  static readonly layer = Layer.effect(
    SsoTrips,
    Effect.suspend(() => make)
  ).pipe(Layer.provide(SessionAccess.layer))
}

const make = Effect.gen(function* () {
  const settings = yield* Settings
  const access = yield* SsoAccess
  const sessions = yield* SessionAccess
  const refreshTokens = yield* RefreshTokens
  const providers = yield* OpenIdProviders
  const networks = yield* ClientNetworks
  const random = yield* SecureRandom
  const secret = (yield* SecretKey).value
  const cookies = sealed({ secret, purpose: "sso login", prefix: "" }, LoginUnderWay)
  const codes = sealed({ secret, purpose: "sso code", prefix: "sc_" }, AppCode)
  const limit = new AddressLimit({
    name: "sso",
    // Each login is two requests.
    limit: settings.SSO_LOGINS_PER_ADDRESS * 2,
    windowMs: settings.LOGIN_WINDOW_MINUTES * 60_000,
    secret,
    access: yield* PreTenantAccess
  })

  const text = Effect.map(random.randomBytes(BYTES), (bytes) => Buffer.from(bytes).toString("base64url"))
  const now = Effect.clockWith((clock) => Effect.sync(() => wallMillis(clock)))

  const goalOf: SsoTrips["Service"]["goalOf"] = ({ code_challenge, redirect_uri, return_to, state }) => {
    if (redirect_uri === undefined) return Effect.succeed({ path: return_to ?? "/" })
    if (code_challenge === undefined || !isApp(redirect_uri, settings.APP_REDIRECT_URIS))
      return Effect.fail(new RedirectRefused({}))
    return Effect.succeed({ app: redirect_uri, challenge: code_challenge, state: state ?? null })
  }

  const leave: SsoTrips["Service"]["leave"] = Effect.fn("SsoTrips.leave")(function* (client, trip, from) {
    const secrets = { state: yield* text, nonce: yield* text, verifier: yield* text }
    const location = yield* providers.authorizationUrl(client, secrets)
    const session = cookieOf(from)
    const earlier = session === undefined ? {} : { earlier: refreshTokens.of(session).hash }
    const cookie = yield* cookies.seal({ ...secrets, ...trip, ...earlier, until: (yield* now) + TRIP_MS })
    return { location, cookie: keep(secrets.state, cookie, TRIP_MS / 1000) }
  })

  const back: SsoTrips["Service"]["back"] = Effect.fn("SsoTrips.back")(function* (query, from) {
    const state = new URLSearchParams(query).get("state") ?? ""
    const trip = Option.getOrUndefined(cookies.open(kept(state, from) ?? ""))
    if (trip === undefined || !equal(trip.state, state) || trip.until < (yield* now)) return yield* new SsoExpired({})
    // Before the provider is asked: a second request with this state does not get as far.
    if (!(yield* access.spend(hashOf(`state ${state}`), TRIP_MS))) return yield* new SsoExpired({})
    return trip
  })

  const arrive: SsoTrips["Service"]["arrive"] = Effect.fn("SsoTrips.arrive")(function* (trip, login) {
    const { earlier, goal, state } = trip
    const cookie = forget(state)
    if ("path" in goal) {
      const arrived = login === undefined || earlier === undefined ? login : { ...login, earlier }
      return { location: goal.path, cookie, login: arrived }
    }
    const location = new URL(goal.app)
    if (login !== undefined) {
      const { tenantId: tenant, tokenEpoch: epoch, userId: user } = login.identity
      const until = (yield* now) + CODE_MS
      const { challenge } = goal
      const session = SessionId.make(yield* random.uuidV7())
      const code = { tenant, user, epoch, session, method: login.method, challenge, until, once: yield* text }
      location.searchParams.set("code", yield* codes.seal(code))
    }
    if (goal.state !== null) location.searchParams.set("state", goal.state)
    return { location: location.href, cookie, login: undefined }
  })

  const exchange: SsoTrips["Service"]["exchange"] = Effect.fn("SsoTrips.exchange")(function* (code, verifier) {
    const said = Option.getOrUndefined(codes.open(code))
    if (said === undefined || said.until < (yield* now)) return yield* new InvalidGrant({})
    // First: a code that came with a wrong verifier is in another's hands.
    const first = yield* access.spend(hashOf(`code ${said.once}`), CODE_MS)
    const [tenantId, userId] = [TenantId.make(said.tenant), UserId.make(said.user)]
    if (!equal(challengeOf(verifier), said.challenge)) return yield* new InvalidGrant({})
    if (!first) {
      // Two have the code and its verifier (RFC 6749 §4.1.2). Without the verifier nobody has begun anything.
      yield* sessions.endCoded(tenantId, said.session)
      return yield* new InvalidGrant({})
    }
    const account = Option.getOrUndefined(yield* access.account(tenantId, userId, said.epoch))
    if (account === undefined) return yield* new InvalidGrant({})
    const identity = { tenantId, userId, role: account.role, tokenEpoch: account.token_epoch }
    return { identity, method: said.method, coded: said.session }
  })

  const count: SsoTrips["Service"]["count"] = (from) => limit.count(networks.of(from))
  return SsoTrips.of({ count, goalOf, leave, back, arrive, exchange })
})

/** What an app is given, sealed: nothing is stored until it is used. */
const AppCode = Schema.Struct({
  tenant: Schema.String,
  user: Schema.String,
  epoch: Schema.Int,
  session: SessionId,
  method: LoginMethod,
  challenge: Schema.String,
  until: Schema.Finite,
  once: Schema.String
})

/**
 * Whether codes are sent there: to an address that the operator lists, compared as text (RFC 9700 §2.1). An app on the browser's machine has any
 * port of its loopback address, which it learns when it listens (RFC 8252 §7.3).
 */
const isApp = (address: string, listed: ReadonlyArray<string>): boolean =>
  listed.some((each) => withoutPort(each) === withoutPort(address))

const withoutPort = (address: string): string => address.replace(LOOPBACK, "$1$2")

const LOOPBACK = /^(http:\/\/(?:127\.0\.0\.1|\[::1\])):\d{1,5}(\/.*)$/u

const digest = (text: string): Buffer => createHash("sha256").update(text).digest()
const hashOf = (text: string): string => digest(text).toString("hex")
const challengeOf = (verifier: string): string => digest(verifier).toString("base64url")
const equal = (one: string, other: string): boolean => timingSafeEqual(digest(one), digest(other))
