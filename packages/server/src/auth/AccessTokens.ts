import { Unauthenticated } from "@llm-saas/domain/Refusal"
import { monotonicMillis, wallMillis } from "@llm-saas/domain/Time"
import { SessionId } from "@llm-saas/domain/Session"
import { TenantId } from "@llm-saas/domain/Tenant"
import { Role, UserId } from "@llm-saas/domain/User"
import type { Identity } from "@llm-saas/engine/accounts/Accounts"
import { Clock, Context, Effect, Layer, Schema } from "effect"
import { layerWebCrypto, SecureRandom } from "effect/crypto/SecureRandom"
import { type JWTVerifyOptions, jwtVerify, SignJWT } from "jose"
import { AgingMap } from "./AgingMap.ts"
import { Settings } from "../config/Settings.ts"
import { SigningKeys } from "./SigningKeys.ts"

const ISSUER = "llm-saas"
const AUDIENCE = "llm-saas-api"
/** The token's type, so that no other kind of token can stand in for it (RFC 9068 §2.1). */
const TYPE = "at+jwt"
/** Seconds after its expiry in which a token is still accepted, for the difference between two machines' clocks. */
const TOLERANCE_SECONDS = 5
/** Characters: our tokens have some 450, some 1,150 with a 4096 bit RSA key. */
const MAX_CHARACTERS = 4096
/** Lifetime (ms) and number of remembered verified tokens: verifying costs 20 to 140 µs, remembering next to nothing. */
const REMEMBERED = { lifetimeMs: 60_000, capacity: 5000 }

/** The claims of a verified token. Its role is left out: the database's is current. */
export interface Verified {
  readonly userId: UserId
  readonly tenantId: TenantId
  /** The epoch of the user's tokens that it belongs to. */
  readonly tokenEpoch: number
  /** The session that it belongs to. */
  readonly session?: SessionId
}

/** The session that a token is made for. */
export interface TokenSession {
  readonly id: SessionId
  /** Seconds that are left of it. */
  readonly leftSeconds: number
}

interface Remembered {
  readonly verified: Verified
  /** On the monotonic clock, in milliseconds. */
  readonly until: number
  /** The token's `exp`, in milliseconds since 1970. */
  readonly expiresAt: number
}

/**
 * Bearer tokens: JWTs (RFC 7519) by the profile of RFC 9068, with one allowed algorithm, issuer, audience and type.
 *
 * A verified token is remembered for at most a minute, with the token itself as the key: a look-up finds a hash, seeded per process,
 * before it compares a character, so its time reveals nothing about a token the caller does not already have.
 */
export class AccessTokens extends Context.Service<
  AccessTokens,
  {
    /** A token for `identity`; `expires_in` is in seconds. One of a session does not outlive it. */
    readonly issue: (
      identity: Identity,
      session?: TokenSession
    ) => Effect.Effect<{ readonly access_token: string; readonly expires_in: number }>
    /** Refuses everything but a valid token of ours, without saying why. */
    readonly verify: (token: string) => Effect.Effect<Verified, Unauthenticated>
    readonly jwks: SigningKeys["Service"]["jwks"]
  }
>()("@llm-saas/server/auth/AccessTokens") {
  static readonly layerNoDeps = Layer.effect(
    AccessTokens,
    Effect.gen(function* () {
      const { ACCESS_TOKEN_EXPIRE_MINUTES } = yield* Settings
      const { algorithm, jwks, kid, signing, verifying } = yield* SigningKeys
      const random = yield* SecureRandom
      const longest = ACCESS_TOKEN_EXPIRE_MINUTES * 60
      const header = { alg: algorithm, typ: TYPE, ...(kid === undefined ? {} : { kid }) }
      const remembered = new AgingMap<string, Remembered>(REMEMBERED)

      const issue = Effect.fnUntraced(function* (
        { role, tenantId, tokenEpoch, userId }: Identity,
        session?: TokenSession
      ) {
        const now = Math.floor(wallMillis(yield* Clock.Clock) / 1000)
        const expires_in = Math.min(longest, Math.max(1, Math.floor(session?.leftSeconds ?? longest)))
        const of = session === undefined ? {} : { sid: session.id }
        const token = new SignJWT({ user_id: userId, tenant_id: tenantId, role, epoch: tokenEpoch, ...of })
          .setProtectedHeader(header)
          .setSubject(userId)
          .setIssuer(ISSUER)
          .setAudience(AUDIENCE)
          .setIssuedAt(now)
          .setExpirationTime(now + expires_in)
          .setJti(yield* random.uuidV4())
        return { access_token: yield* Effect.promise(() => token.sign(signing)), expires_in }
      })

      const rules: JWTVerifyOptions = {
        algorithms: [algorithm],
        issuer: ISSUER,
        audience: AUDIENCE,
        typ: TYPE,
        clockTolerance: TOLERANCE_SECONDS,
        requiredClaims: ["sub", "iat", "exp", "jti"]
      }

      const verifyAnew = Effect.fnUntraced(
        function* (token: string, now: number, at: number) {
          const currentDate = new Date(now)
          const { payload } = yield* Effect.tryPromise(() => jwtVerify(token, verifying, { ...rules, currentDate }))
          const claims = yield* decodeClaims(payload)
          // A clock that was ahead, here or in another process, has issued tokens that begin in the future. They are accepted, or else
          // correcting the clock would log every user out; tokens from further ahead than their lifetime would be valid for too long.
          if (claims.sub !== claims.user_id || claims.iat > now / 1000 + longest + TOLERANCE_SECONDS)
            return yield* new Unauthenticated({})
          const verified = {
            userId: claims.user_id,
            tenantId: claims.tenant_id,
            tokenEpoch: claims.epoch ?? 0,
            ...(claims.sid === undefined ? {} : { session: claims.sid })
          }
          remembered.set(token, { verified, until: at + REMEMBERED.lifetimeMs, expiresAt: claims.exp * 1000 }, at)
          return verified
        },
        Effect.mapError(() => new Unauthenticated({}))
      )

      const verify = (token: string) =>
        Effect.clockWith((clock): Effect.Effect<Verified, Unauthenticated> => {
          if (token.length > MAX_CHARACTERS) return Effect.fail(new Unauthenticated({}))
          const now = wallMillis(clock)
          const at = monotonicMillis(clock)
          const known = remembered.get(token)
          return known !== undefined && known.until > at && known.expiresAt > now
            ? Effect.succeed(known.verified)
            : verifyAnew(token, now, at)
        })
      return AccessTokens.of({ issue, verify, jwks })
    })
  ).pipe(Layer.provide(layerWebCrypto))

  static readonly layer = AccessTokens.layerNoDeps.pipe(Layer.provide(SigningKeys.layer))
}

const Claims = Schema.Struct({
  sub: Schema.String,
  user_id: UserId,
  tenant_id: TenantId,
  role: Role,
  iat: Schema.Int,
  exp: Schema.Int,
  jti: Schema.NonEmptyString,
  sid: Schema.optionalKey(SessionId),
  // Absent in tokens issued before epochs existed.
  epoch: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2_147_483_647 })))
})
const decodeClaims = Schema.decodeUnknownEffect(Claims)
