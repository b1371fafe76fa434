import { ProvenAccounts, type SessionPlace } from "@llm-saas/database/ProvenAccounts"
import { SessionAccess } from "@llm-saas/database/SessionAccess"
import type { Credentials } from "@llm-saas/api/AccountsApi"
import type { SecondFactor } from "@llm-saas/api/SecondFactorApi"
import type { EmailUnverified } from "@llm-saas/domain/AccountLink"
import { Actor } from "@llm-saas/domain/Actor"
import {
  ChallengeEnded,
  type InvalidSecondFactor,
  type ProofRequired,
  type SecondFactorRequired
} from "@llm-saas/domain/Factor"
import type { Password } from "@llm-saas/domain/Password"
import type { PasswordRefused } from "@llm-saas/domain/PasswordRules"
import { type Forbidden, InvalidCredentials, type TenantRequired, Unauthenticated } from "@llm-saas/domain/Refusal"
import type { TooManyRequests, Unavailable } from "@llm-saas/domain/Refusal"
import type { LoginMethod, SessionId } from "@llm-saas/domain/Session"
import { EmailInput } from "@llm-saas/domain/User"
import { Accounts, type Identity } from "@llm-saas/engine/accounts/Accounts"
import { UserSessions } from "@llm-saas/engine/accounts/UserSessions"
import { Context, Effect, Layer, Option, type Redacted, Schema } from "effect"
import { ClientNetworks, type Sender } from "../config/ClientNetworks.ts"
import { Settings } from "../config/Settings.ts"
import { cookieOf } from "./SessionCookie.ts"
import { LoginThrottle } from "./LoginThrottle.ts"
import { RefreshTokens } from "./RefreshTokens.ts"
import { Proofs } from "./Proofs.ts"
import { SecondStep } from "./SecondStep.ts"
import { type Form, formOf, SessionAnswers, type TokenAnswer } from "./SessionAnswers.ts"

/** How a login was proven, and what is wanted of it. */
interface How {
  readonly method: LoginMethod
  readonly want: Form
  readonly sender: Sender
  /** Of a switch: the session that leads to the account. The new one leads to the same accounts, and ends no later. */
  readonly from?: SessionPlace
  /** Of an app's code: the id that its session gets. */
  readonly coded?: SessionId
  /** The session that the browser had, by SHA-256 of its refresh token. Default: that of the request's cookie. A cookie for another ends it. */
  readonly earlier?: string
}

/** Issues tokens at login and throttles guessing, the same for HTTP and RPC. */
export class Sessions extends Context.Service<
  Sessions,
  {
    /**
     * Every login ends here, however it was proven: tokens for the account, of a new session where one is wanted. Who wants a cookie has
     * shown before that no page of another origin asks (`refuseOtherOrigins`). Stops for a second factor, where one is asked for. Fails if
     * the account changed since the proof.
     */
    readonly begin: (
      identity: Identity,
      how: How
    ) => Effect.Effect<TokenAnswer, SecondFactorRequired | Unauthenticated | Unavailable>
    /** The second step, of a login that `begin` stopped: its answer. */
    readonly finish: (
      given: typeof SecondFactor.Type,
      from: Sender
    ) => Effect.Effect<
      TokenAnswer & { readonly recovery_codes?: ReadonlyArray<string> },
      InvalidSecondFactor | ChallengeEnded | TooManyRequests | Unavailable
    >
    /** The account that the credentials are of. Throttled; it is the same for every use of a password. */
    readonly prove: (
      credentials: Pick<typeof Credentials.Type, "username" | "password" | "tenant_id">,
      from: Sender
    ) => Effect.Effect<Identity, InvalidCredentials | TenantRequired | EmailUnverified | TooManyRequests | Unavailable>
    readonly login: (
      credentials: typeof Credentials.Type,
      from: Sender
    ) => Effect.Effect<
      TokenAnswer,
      InvalidCredentials | TenantRequired | EmailUnverified | SecondFactorRequired | TooManyRequests | Unavailable
    >
    /** Ends every earlier token, and every session but the one of the request; returns a new token. `proof`: of a second factor, where the account has one. */
    readonly changePassword: (
      change: {
        readonly current: Redacted.Redacted<string>
        readonly next: Password
        readonly proof: string | undefined
      },
      from: Sender
    ) => Effect.Effect<
      TokenAnswer,
      | InvalidCredentials
      | ProofRequired
      | PasswordRefused
      | TooManyRequests
      | Unauthenticated
      | Forbidden
      | Unavailable,
      Actor
    >
  }
>()("@llm-saas/server/auth/Sessions") {
  static readonly layer = Layer.effect(
    Sessions,
    Effect.suspend(() => make)
  ).pipe(Layer.provide([ProvenAccounts.layer, SessionAccess.layer]))
}

/** Longest device that is kept, in characters. */
const DEVICE_CHARACTERS = 200
const DAY_SECONDS = 86_400

const make = Effect.gen(function* () {
  const settings = yield* Settings
  const accounts = yield* Accounts
  const userSessions = yield* UserSessions
  const answers = yield* SessionAnswers
  const step = yield* SecondStep
  const proofs = yield* Proofs
  const proven = yield* ProvenAccounts
  const refreshTokens = yield* RefreshTokens
  const throttle = yield* LoginThrottle
  const networks = yield* ClientNetworks
  const access = yield* SessionAccess
  const longest = settings.SESSION_MAX_DAYS * DAY_SECONDS

  const begin: Sessions["Service"]["begin"] = (identity, how) =>
    Effect.andThen(step.ask(identity, how), start(identity, how))

  const finish: Sessions["Service"]["finish"] = Effect.fnUntraced(
    function* (given, sender) {
      const { identity, recoveryCodes, ...login } = yield* step.answer(given)
      const answer = yield* start(identity, { ...login, sender })
      return recoveryCodes === undefined ? answer : { ...answer, recovery_codes: recoveryCodes }
    },
    Effect.catchTag("Unauthenticated", () => new ChallengeEnded({}))
  )

  /** Whole seconds that are left of a session, which must lead to this account now: a second step comes later than the first. */
  const leftOf = Effect.fnUntraced(function* (from: SessionPlace, { tenantId, tokenEpoch, userId }: Identity) {
    const target = (yield* proven.list(from)).find(({ user_id }) => user_id === userId)
    if (target?.tenant_id !== tenantId || target.token_epoch !== tokenEpoch) return yield* new Unauthenticated({})
    return Math.floor(target.left_seconds)
  })

  /** Ends the session whose cookie is replaced: nothing of the browser could end it any more. */
  const endEarlier = Effect.fnUntraced(function* ({ earlier, sender }: How) {
    const kept = cookieOf(sender)
    const hash = earlier ?? (kept === undefined ? undefined : refreshTokens.of(kept).hash)
    if (hash !== undefined) yield* access.end(hash, "replaced")
  })

  const start = Effect.fnUntraced(function* (identity: Identity, how: How) {
    const { from, method, sender, want } = how
    const { tenantId, tokenEpoch, userId } = identity
    if (want === "none") return yield* answers.plain(identity)
    const lifeSeconds = Math.max(1, Math.min(longest, from === undefined ? longest : yield* leftOf(from, identity)))
    const idleSeconds = Math.min(settings.SESSION_IDLE_DAYS * DAY_SECONDS, lifeSeconds)
    const refresh = yield* refreshTokens.first
    const session = {
      id: how.coded,
      method,
      hash: refresh.hash,
      device: sender.headers["user-agent"]?.slice(0, DEVICE_CHARACTERS).toWellFormed(),
      address: networks.of(sender).narrow,
      idleSeconds,
      lifeSeconds
    }
    const id = yield* userSessions.begin(session).pipe(
      Effect.provideService(Actor, { tenantId, userId, tokenEpoch, needs: "user" }),
      Effect.catchTag("Forbidden", () => new Unauthenticated({}))
    )
    if (from !== undefined) yield* proven.carry(from, { tenantId, sessionId: id })
    if (how.coded !== undefined && (yield* access.isReused(id))) {
      yield* access.endCoded(tenantId, id)
      return yield* new Unauthenticated({})
    }
    // A switch leaves the session that it comes from.
    if (want === "cookie" && from === undefined) yield* endEarlier(how)
    return yield* answers.renewable(identity, { id, leftSeconds: lifeSeconds, idleSeconds }, refresh, want)
  })

  const prove: Sessions["Service"]["prove"] = ({ password, tenant_id, username }, sender) => {
    const client = networks.of(sender)
    const email = Option.getOrUndefined(asEmail(username))
    return throttle.guard({ account: username, exact: tenant_id !== undefined, client }, (attempts) =>
      accounts.login({ email, password, tenantId: tenant_id, client: client.narrow, attempts })
    )
  }

  const login: Sessions["Service"]["login"] = (credentials, sender) =>
    prove(credentials, sender).pipe(
      Effect.flatMap((identity) => begin(identity, { method: "password", want: formOf(credentials.session), sender })),
      // Disabled, or changed, since the password was compared.
      Effect.catchTag("Unauthenticated", () => new InvalidCredentials({}))
    )

  const changePassword: Sessions["Service"]["changePassword"] = Effect.fnUntraced(function* (
    { proof, ...change },
    from
  ) {
    const client = networks.of(from)
    yield* proofs.demand(proof, { factorOnly: true })
    // A wrong password here counts together with those at the login.
    const { email, tenant } = yield* accounts.me
    const { session, ...identity } = yield* throttle.guard({ account: email, exact: true, client }, (attempts) =>
      accounts.changePassword({ ...change, email, tenantName: tenant.name, client: client.narrow, attempts })
    )
    return yield* answers.plain(identity, session)
  })
  return Sessions.of({ begin, finish, prove, login, changePassword })
})

const asEmail = Schema.decodeUnknownOption(EmailInput)
