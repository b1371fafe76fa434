import type { Credentials, Token, Want } from "@llm-saas/api/AccountsApi"
import { SessionAccess } from "@llm-saas/database/SessionAccess"
import { Actor } from "@llm-saas/domain/Actor"
import type { Password } from "@llm-saas/domain/Password"
import type { PasswordRefused } from "@llm-saas/domain/PasswordRules"
import { parseRefreshToken } from "@llm-saas/domain/RefreshTokenText"
import { type Forbidden, InvalidCredentials, type TenantRequired, Unauthenticated } from "@llm-saas/domain/Refusal"
import type { TooManyRequests, Unavailable } from "@llm-saas/domain/Refusal"
import { InvalidGrant, type LoginMethod, type SessionId } from "@llm-saas/domain/Session"
import { EmailInput } from "@llm-saas/domain/User"
import { Accounts, type Identity } from "@llm-saas/engine/accounts/Accounts"
import { UserSessions } from "@llm-saas/engine/accounts/UserSessions"
import { Context, Effect, Layer, Option, type Redacted, Result, Schema } from "effect"
import { AccessTokens } from "./AccessTokens.ts"
import { ClientNetworks, type Sender } from "../config/ClientNetworks.ts"
import { Settings } from "../config/Settings.ts"
import { LoginThrottle } from "./LoginThrottle.ts"
import { type RefreshToken, RefreshTokens } from "./RefreshTokens.ts"
import { keepInCookie } from "./SessionCookie.ts"

type Answer = typeof Token.Type

/** The form of a login's answer. `none`: an access token alone. `token`: with a refresh token. `cookie`: that one in a cookie. */
type Form = "none" | "token" | "cookie"

/** Issues tokens at login, renews them and throttles guessing, the same for HTTP and RPC. */
export class Sessions extends Context.Service<
  Sessions,
  {
    /**
     * Every login ends here, however it was proven: a token for the account, of a new session where one is wanted. Who wants a cookie has
     * shown before that no page of another origin asks ({@link refuseOtherOrigins}). Fails if the account changed since the proof.
     */
    readonly begin: (
      identity: Identity,
      how: { readonly method: LoginMethod; readonly want: Form; readonly sender: Sender }
    ) => Effect.Effect<Answer, Unauthenticated | Unavailable>
    readonly login: (
      credentials: typeof Credentials.Type,
      from: Sender
    ) => Effect.Effect<Answer, InvalidCredentials | TenantRequired | TooManyRequests | Unavailable>
    /** Replaces a refresh token. `form`: how it came, and how its successor is told. */
    readonly renew: (
      refreshToken: string,
      form: Exclude<Form, "none">,
      from: Sender
    ) => Effect.Effect<Answer, InvalidGrant | Unavailable>
    /** Ends every earlier token; returns a new one. */
    readonly changePassword: (
      change: { readonly current: Redacted.Redacted<string>; readonly next: Password },
      from: Sender
    ) => Effect.Effect<
      Answer,
      InvalidCredentials | PasswordRefused | TooManyRequests | Unauthenticated | Forbidden | Unavailable,
      Actor
    >
  }
>()("@llm-saas/server/auth/Sessions") {
  static readonly layer = Layer.effect(
    Sessions,
    Effect.suspend(() => make)
  ).pipe(Layer.provide([RefreshTokens.layer, SessionAccess.layer]))
}

/** Longest device that is kept, in characters. */
const DEVICE_CHARACTERS = 200
const DAY_SECONDS = 86_400

const make = Effect.gen(function* () {
  const settings = yield* Settings
  const accounts = yield* Accounts
  const userSessions = yield* UserSessions
  const access = yield* SessionAccess
  const tokens = yield* AccessTokens
  const refreshTokens = yield* RefreshTokens
  const throttle = yield* LoginThrottle
  const networks = yield* ClientNetworks
  const idleSeconds = settings.SESSION_IDLE_DAYS * DAY_SECONDS
  const lifeSeconds = settings.SESSION_MAX_DAYS * DAY_SECONDS

  const plain = (identity: Identity): Effect.Effect<Answer> =>
    Effect.map(tokens.issue(identity), (issued) => ({ ...issued, token_type: "bearer" as const }))

  /** The answer with the tokens of a session. */
  const answer = Effect.fnUntraced(function* (
    identity: Identity,
    session: { readonly id: SessionId; readonly leftSeconds: number; readonly idleSeconds: number },
    refresh: RefreshToken,
    form: Form
  ) {
    const issued = yield* tokens.issue(identity, session)
    const refresh_expires_in = Math.max(1, Math.floor(session.idleSeconds))
    if (form === "cookie") yield* keepInCookie(refresh.text, refresh_expires_in)
    return {
      ...issued,
      token_type: "bearer" as const,
      session_id: session.id,
      ...(form === "cookie" ? {} : { refresh_token: refresh.text }),
      refresh_expires_in
    }
  })

  const begin: Sessions["Service"]["begin"] = Effect.fnUntraced(function* (identity, { method, sender, want }) {
    if (want === "none") return yield* plain(identity)
    const { tenantId, tokenEpoch, userId } = identity
    const refresh = yield* refreshTokens.first
    const started = {
      method,
      hash: refresh.hash,
      device: sender.headers["user-agent"]?.slice(0, DEVICE_CHARACTERS),
      address: networks.of(sender).narrow.slice(0, 64),
      idleSeconds,
      lifeSeconds
    }
    const id = yield* userSessions.begin(started).pipe(
      Effect.provideService(Actor, { tenantId, userId, tokenEpoch, needs: "user" }),
      Effect.catchTag("Forbidden", () => new Unauthenticated({}))
    )
    const session = { id, leftSeconds: lifeSeconds, idleSeconds: Math.min(idleSeconds, lifeSeconds) }
    return yield* answer(identity, session, refresh, want)
  })

  const login: Sessions["Service"]["login"] = ({ password, session, tenant_id, username }, sender) => {
    const client = networks.of(sender)
    const email = Option.getOrUndefined(asEmail(username))
    const attempt = { account: username, exact: tenant_id !== undefined, client }
    return throttle
      .guard(attempt, (attempts) =>
        accounts.login({ email, password, tenantId: tenant_id, client: client.narrow, attempts })
      )
      .pipe(
        Effect.flatMap((identity) => begin(identity, { method: "password", want: formOf(session), sender })),
        // Disabled, or changed, since the password was compared.
        Effect.catchTag("Unauthenticated", () => new InvalidCredentials({}))
      )
  }

  const renew: Sessions["Service"]["renew"] = Effect.fnUntraced(function* (text, form, sender) {
    if (Result.isFailure(parseRefreshToken(text))) return yield* new InvalidGrant({})
    const next = refreshTokens.after(text)
    const renewal = yield* access.renew({
      hash: refreshTokens.of(text).hash,
      next: next.hash,
      idleSeconds,
      repeatSeconds: settings.SESSION_REPEAT_SECONDS,
      address: networks.of(sender).narrow.slice(0, 64)
    })
    if (Option.isNone(renewal)) return yield* new InvalidGrant({})
    const found = renewal.value
    if (found.outcome === "ended" || found.outcome === "reused") return yield* new InvalidGrant({})
    const identity = {
      tenantId: found.tenant_id,
      userId: found.user_id,
      role: found.role,
      tokenEpoch: found.token_epoch
    }
    const session = { id: found.session_id, leftSeconds: found.left_seconds, idleSeconds: found.idle_seconds }
    return yield* answer(identity, session, next, form)
  })

  const changePassword: Sessions["Service"]["changePassword"] = Effect.fnUntraced(function* (change, from) {
    const client = networks.of(from)
    // A wrong password here counts together with those at the login.
    const { email, tenant } = yield* accounts.me
    const identity = yield* throttle.guard({ account: email, exact: true, client }, (attempts) =>
      accounts.changePassword({ ...change, email, tenantName: tenant.name, client: client.narrow, attempts })
    )
    return yield* plain(identity)
  })
  return Sessions.of({ begin, login, renew, changePassword })
})

/** The form that a request's `session` asks for. */
export const formOf = (want: Want | undefined): Form =>
  want === "cookie" ? "cookie" : want === true ? "token" : "none"

const asEmail = Schema.decodeUnknownOption(EmailInput)
