import { PreTenantAccess } from "@llm-saas/database/PreTenantAccess"
import { type LoginConnection, SsoAccess } from "@llm-saas/database/SsoAccess"
import type { TooManyRequests, Unavailable } from "@llm-saas/domain/Refusal"
import { InvalidGrant } from "@llm-saas/domain/Session"
import {
  RedirectRefused,
  type Slug,
  SsoExpired,
  SsoNotFound,
  SsoRefused,
  SsoUnavailable
} from "@llm-saas/domain/SingleSignOn"
import { addressOf, roleOf } from "@llm-saas/domain/SsoClaims"
import { TenantId } from "@llm-saas/domain/Tenant"
import { wallMillis } from "@llm-saas/domain/Time"
import { UserId } from "@llm-saas/domain/User"
import type { Identity } from "@llm-saas/engine/accounts/Accounts"
import { Encryption } from "@llm-saas/engine/providerKeys/Encryption"
import { OpenIdProviders, type ProviderClient } from "@llm-saas/engine/sso/OpenIdProviders"
import { SsoAddresses } from "@llm-saas/engine/sso/SsoAddresses"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import { createHash, timingSafeEqual } from "node:crypto"
import { ClientNetworks, type Sender } from "../config/ClientNetworks.ts"
import { Settings } from "../config/Settings.ts"
import { AddressLimit } from "./AddressLimit.ts"
import { sealed } from "./Sealed.ts"
import { SecretKey } from "./SecretKey.ts"
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

/** A login that is over: an identity for a browser's session, or an app's address with a code for one. */
export type Arrival = Step & { readonly identity: Identity | undefined }

/** For the person at the provider. */
const LOGIN_MS = 600_000
/** For the app to exchange its code. */
const CODE_MS = 60_000

/** The random bytes of state, nonce and verifier. */
const BYTES = 32

/**
 * Logins by single sign-on: to the provider and back. States: begun (a sealed cookie, no row) → spent (its state's hash is in meta.spent) →
 * over. Only the browser that began a login can finish it, once.
 */
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
      query: string,
      from: Sender
    ) => Effect.Effect<Arrival, SsoExpired | SsoRefused | SsoUnavailable | TooManyRequests | Unavailable>
    /** The identity of an app's code, with the verifier of its challenge (RFC 7636 §4.6). Once. */
    readonly exchange: (code: string, verifier: string) => Effect.Effect<Identity, InvalidGrant | Unavailable>
  }
>()("@llm-saas/server/auth/SsoLogins") {
  static readonly layer = Layer.effect(
    SsoLogins,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const settings = yield* Settings
  const access = yield* SsoAccess
  const providers = yield* OpenIdProviders
  const encryption = yield* Encryption
  const addresses = yield* SsoAddresses
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

  const goalOf = ({ code_challenge, redirect_uri, return_to, state }: Wanted): LoginUnderWay["goal"] | undefined => {
    if (redirect_uri === undefined) return { path: return_to ?? "/" }
    if (code_challenge === undefined || !isApp(redirect_uri, settings.ALLOWED_ORIGINS)) return undefined
    return { app: redirect_uri, challenge: code_challenge, state: state ?? null }
  }

  const begin: SsoLogins["Service"]["begin"] = Effect.fn("SsoLogins.begin")(function* (slug, wanted, from) {
    yield* limit.count(networks.of(from))
    const goal = goalOf(wanted)
    if (goal === undefined) return yield* new RedirectRefused({})
    const found = yield* access.connection({ slug })
    if (Option.isNone(found)) return yield* new SsoNotFound({})
    const client = yield* clientOf(found.value)
    if (client === undefined) return yield* new SsoUnavailable({ reason: "refused" })
    const secrets = { state: yield* text, nonce: yield* text, verifier: yield* text }
    const location = yield* providers.authorizationUrl(client, secrets)
    const { id, tenant_id } = found.value
    const login = { ...secrets, tenant: tenant_id, connection: id, until: (yield* now) + LOGIN_MS, goal }
    return { location, cookie: keep(secrets.state, yield* cookies.seal(login), LOGIN_MS / 1000) }
  })

  const finish: SsoLogins["Service"]["finish"] = Effect.fn("SsoLogins.finish")(function* (query, from) {
    yield* limit.count(networks.of(from))
    const state = new URLSearchParams(query).get("state") ?? ""
    const login = Option.getOrUndefined(cookies.open(kept(state, from) ?? ""))
    if (login === undefined || !equal(login.state, state) || login.until < (yield* now))
      return yield* new SsoExpired({})
    // Before the provider is asked: a second request with this state does not get as far.
    if (!(yield* access.spend(hashOf(`state ${state}`), LOGIN_MS))) return yield* new SsoExpired({})
    const tenantId = TenantId.make(login.tenant)
    // As it is now: it may have changed, or ended, while the person was at the provider.
    const found = Option.getOrUndefined(yield* access.connection({ tenantId, id: login.connection }))
    const client = found === undefined ? undefined : yield* clientOf(found)
    if (found === undefined || client === undefined) return yield* new SsoExpired({})
    const claims = yield* providers.claims(client, login, query)
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
    const identity: Identity = { tenantId, userId: id, role, tokenEpoch: token_epoch }
    const cookie = forget(state)
    if ("path" in login.goal) return { location: login.goal.path, cookie, identity }
    const code = yield* codes.seal({
      tenant: tenantId,
      user: id,
      epoch: token_epoch,
      challenge: login.goal.challenge,
      until: (yield* now) + CODE_MS,
      once: yield* text
    })
    const location = new URL(login.goal.app)
    location.searchParams.set("code", code)
    if (login.goal.state !== null) location.searchParams.set("state", login.goal.state)
    return { location: location.href, cookie, identity: undefined }
  })

  const exchange: SsoLogins["Service"]["exchange"] = Effect.fn("SsoLogins.exchange")(function* (code, verifier) {
    const said = Option.getOrUndefined(codes.open(code))
    if (said === undefined || said.until < (yield* now)) return yield* new InvalidGrant({})
    // First: a code that came with a wrong verifier is in another's hands.
    const first = yield* access.spend(hashOf(`code ${said.once}`), CODE_MS)
    if (!first || !equal(challengeOf(verifier), said.challenge)) return yield* new InvalidGrant({})
    const [tenantId, userId] = [TenantId.make(said.tenant), UserId.make(said.user)]
    const account = Option.getOrUndefined(yield* access.account(tenantId, userId, said.epoch))
    if (account === undefined) return yield* new InvalidGrant({})
    return { tenantId, userId, role: account.role, tokenEpoch: account.token_epoch }
  })
  return SsoLogins.of({ begin, finish, exchange })
})

/** What an app is given, sealed: nothing is stored until it is used. */
const AppCode = Schema.Struct({
  tenant: Schema.String,
  user: Schema.String,
  epoch: Schema.Int,
  challenge: Schema.String,
  until: Schema.Finite,
  once: Schema.String
})

/** Whether codes are sent there: an app on the browser's machine, by its address and not its name (RFC 8252 §8.3), or an allowed origin. */
const isApp = (address: string, origins: ReadonlyArray<string>): boolean => {
  if (!URL.canParse(address)) return false
  const { hostname, origin, password, protocol, username } = new URL(address)
  if (username !== "" || password !== "") return false
  return (protocol === "http:" && (hostname === "127.0.0.1" || hostname === "[::1]")) || origins.includes(origin)
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest()
const hashOf = (text: string): string => digest(text).toString("hex")
const challengeOf = (verifier: string): string => digest(verifier).toString("base64url")
const equal = (one: string, other: string): boolean => timingSafeEqual(digest(one), digest(other))
