import { type Renewal, SessionAccess } from "@llm-saas/database/SessionAccess"
import { Actor } from "@llm-saas/domain/Actor"
import { parseRefreshToken } from "@llm-saas/domain/RefreshTokenText"
import { TooManyRequests, type Unauthenticated, type Unavailable } from "@llm-saas/domain/Refusal"
import { InvalidGrant } from "@llm-saas/domain/Session"
import { monotonicMillis } from "@llm-saas/domain/Time"
import { UserSessions } from "@llm-saas/engine/accounts/UserSessions"
import { Clock, Context, Effect, Layer, Option, Result } from "effect"
import { AccessTokens } from "./AccessTokens.ts"
import { AddressFailures } from "./AddressFailures.ts"
import { AgingMap } from "./AgingMap.ts"
import { ClientNetworks, type Sender } from "../config/ClientNetworks.ts"
import { Settings } from "../config/Settings.ts"
import { RefreshTokens } from "./RefreshTokens.ts"
import { type Form, SessionAnswers, type TokenAnswer } from "./SessionAnswers.ts"

type Renewed = Extract<Renewal, { readonly outcome: "renewed" | "repeated" }>

/** How long (ms) a token is remembered that this process gave out, or that was refused here, and how many. */
const GIVEN = { lifetimeMs: 24 * 3_600_000, capacity: 50_000 }
const REFUSED = { lifetimeMs: 60_000, capacity: 50_000 }

/**
 * What refresh tokens do: they renew their session, and end it. No answer says why one is refused.
 *
 * Tokens that do not work count for the client's address, as API keys do; beyond the limit only tokens that this process gave out are looked
 * up: a client that tries tokens ends nobody else's session at the same address. A client that sends one refused token again and again is
 * answered without the database.
 */
export class Renewals extends Context.Service<
  Renewals,
  {
    /** Replaces a refresh token. `form`: how its successor is told. */
    readonly renew: (
      refreshToken: string,
      form: Exclude<Form, "none">,
      from: Sender
    ) => Effect.Effect<TokenAnswer, InvalidGrant | TooManyRequests | Unavailable>
    /** Ends the session of a refresh token. Nothing tells whether there was one. */
    readonly end: (refreshToken: string, from: Sender) => Effect.Effect<void, TooManyRequests | Unavailable>
    /** Ends the session of an access token. */
    readonly logout: (accessToken: string) => Effect.Effect<void, Unauthenticated | InvalidGrant | Unavailable>
  }
>()("@llm-saas/server/auth/Renewals") {
  static readonly layer = Layer.effect(
    Renewals,
    Effect.suspend(() => make)
  ).pipe(Layer.provide(SessionAccess.layer))
}

const DAY_SECONDS = 86_400

const make = Effect.gen(function* () {
  const settings = yield* Settings
  const access = yield* SessionAccess
  const userSessions = yield* UserSessions
  const accessTokens = yield* AccessTokens
  const refreshTokens = yield* RefreshTokens
  const answers = yield* SessionAnswers
  const networks = yield* ClientNetworks
  const given = new AgingMap<string, true>(GIVEN)
  const refused = new AgingMap<string, true>(REFUSED)
  const failures = new AddressFailures(settings.LOGIN_WINDOW_MINUTES * 60_000, settings.LOGIN_FAILURES_PER_ADDRESS)

  /** The hash of a token that may be looked up. */
  const admit = Effect.fnUntraced(function* (text: string, from: Sender) {
    const now = monotonicMillis(yield* Clock.Clock)
    const { hash } = refreshTokens.of(text)
    if (given.get(hash) === true) return Option.some(hash)
    const waitMs = failures.wait(networks.of(from), now)
    if (waitMs !== undefined) return yield* new TooManyRequests({ retry_after: Math.ceil(waitMs / 1000) })
    if (refused.get(hash) === true) return Option.none()
    if (Result.isSuccess(parseRefreshToken(text))) return Option.some(hash)
    failures.add(networks.of(from), now)
    return Option.none()
  })

  const renew: Renewals["Service"]["renew"] = Effect.fn("Renewals.renew")(function* (text, form, from) {
    const hash = yield* admit(text, from)
    if (Option.isNone(hash)) return yield* new InvalidGrant({})
    const next = refreshTokens.after(text)
    const found = yield* access.renew({
      hash: hash.value,
      next: next.hash,
      idleSeconds: settings.SESSION_IDLE_DAYS * DAY_SECONDS,
      repeatSeconds: settings.SESSION_REPEAT_SECONDS,
      address: networks.of(from).narrow
    })
    const now = monotonicMillis(yield* Clock.Clock)
    const renewed = Option.filter(found, isRenewed)
    if (Option.isNone(renewed)) {
      failures.add(networks.of(from), now)
      refused.set(hash.value, true, now)
      return yield* new InvalidGrant({})
    }
    given.set(next.hash, true, now)
    const { idle_seconds, left_seconds, role, session_id, tenant_id, token_epoch, user_id } = renewed.value
    const identity = { tenantId: tenant_id, userId: user_id, role, tokenEpoch: token_epoch }
    const session = { id: session_id, leftSeconds: left_seconds, idleSeconds: idle_seconds }
    return yield* answers.renewable(identity, session, next, form)
  })

  const end: Renewals["Service"]["end"] = Effect.fn("Renewals.end")(function* (text, from) {
    const hash = yield* admit(text, from)
    if (Option.isSome(hash)) yield* access.end(hash.value, "logged_out")
  })

  const logout: Renewals["Service"]["logout"] = Effect.fn("Renewals.logout")(function* (text) {
    const { session, ...verified } = yield* accessTokens.verify(text)
    if (session === undefined) return yield* new InvalidGrant({ detail: NO_SESSION })
    yield* userSessions.logout.pipe(
      Effect.provideService(Actor, { ...verified, session, needs: "user" }),
      // It is over already.
      Effect.catchTags({ Unauthenticated: () => Effect.void, Forbidden: () => Effect.void })
    )
  })
  return Renewals.of({ renew, end, logout })
})

const isRenewed = (renewal: Renewal): renewal is Renewed => "tenant_id" in renewal

const NO_SESSION = "This access token belongs to no session: nothing ends it before its time."
