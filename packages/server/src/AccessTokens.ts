import { Unauthenticated } from "@llm-saas/domain/Refusal"
import { TenantId } from "@llm-saas/domain/Tenant"
import { UserId } from "@llm-saas/domain/User"
import type { Identity } from "@llm-saas/engine/Accounts"
import { Clock, Context, Effect, Layer, Redacted, Schema } from "effect"
import {
  calculateJwkThumbprint,
  type CryptoKey,
  exportJWK,
  importPKCS8,
  importSPKI,
  type JWK,
  jwtVerify,
  SignJWT
} from "jose"
import { createPublicKey, randomUUID } from "node:crypto"
import { readFileSync } from "node:fs"
import { SecretKey } from "./SecretKey.ts"
import { Settings } from "./Settings.ts"
import { StartupFailed } from "./Startup.ts"

const ISSUER = "llm-saas"
const AUDIENCE = "llm-saas-api"
/** RFC 9068: an access token says that it is one. */
const TYPE = "at+jwt"
/** Seconds by which two machines' clocks may differ. */
const TOLERANCE = 5
const MAX_LENGTH = 4096
/** How long, in seconds, and how many verified tokens are remembered: verifying costs 20 to 140 µs, remembering next to nothing. */
const REMEMBERED_SECONDS = 60
const REMEMBERED = 10_000

/** What a verified token says. The role in it is not: the database knows better. */
export interface Verified {
  readonly userId: UserId
  readonly tenantId: TenantId
  readonly issuedAt: number
}

/** Bearer tokens: JWTs with one allowed algorithm, issuer, audience and type. */
export class AccessTokens extends Context.Service<
  AccessTokens,
  {
    readonly issue: (
      identity: Identity
    ) => Effect.Effect<{ readonly access_token: string; readonly expires_in: number }>
    readonly verify: (token: string) => Effect.Effect<Verified, Unauthenticated>
    /** The public half of the signing key (RFC 7517); empty for a shared secret. */
    readonly jwks: { readonly keys: ReadonlyArray<Readonly<Record<string, string>>> }
  }
>()("@llm-saas/server/AccessTokens") {
  static readonly layer = Layer.effect(
    AccessTokens,
    Effect.gen(function* () {
      const { ACCESS_TOKEN_EXPIRE_MINUTES, ALGORITHM, JWT_PRIVATE_KEY_FILE } = yield* Settings
      const secret = yield* SecretKey
      const alg = ALGORITHM ?? "HS256"
      const lifetime = (ACCESS_TOKEN_EXPIRE_MINUTES ?? 60) * 60
      const keys = alg === "HS256" ? sharedKey(secret.value) : yield* keyPair(alg, JWT_PRIVATE_KEY_FILE)
      const remembered = new Map<string, { readonly verified: Verified; readonly until: number }>()

      const issue = Effect.fnUntraced(function* (identity: Identity) {
        const now = Math.floor((yield* Clock.currentTimeMillis) / 1000)
        const token = new SignJWT({ user_id: identity.userId, tenant_id: identity.tenantId, role: identity.role })
          .setProtectedHeader({ alg, typ: TYPE, ...(keys.kid === undefined ? {} : { kid: keys.kid }) })
          .setSubject(identity.userId)
          .setIssuer(ISSUER)
          .setAudience(AUDIENCE)
          .setIssuedAt(now)
          .setExpirationTime(now + lifetime)
          .setJti(randomUUID())
        return { access_token: yield* Effect.promise(() => token.sign(keys.signing)), expires_in: lifetime }
      })

      const verifyAnew = (token: string, now: number) =>
        Effect.tryPromise({
          try: () =>
            jwtVerify(token, keys.verifying, {
              algorithms: [alg],
              issuer: ISSUER,
              audience: AUDIENCE,
              typ: TYPE,
              clockTolerance: TOLERANCE,
              currentDate: new Date(now),
              requiredClaims: ["sub", "user_id", "tenant_id", "role", "exp", "iat", "jti"]
            }),
          catch: () => new Unauthenticated({})
        }).pipe(
          Effect.flatMap(({ payload }) => decodeClaims(payload)),
          Effect.filterOrFail(
            (claims) => claims.sub === claims.user_id && claims.iat * 1000 <= now + TOLERANCE * 1000,
            () => new Unauthenticated({})
          ),
          Effect.map((claims) => {
            const verified: Verified = { userId: claims.user_id, tenantId: claims.tenant_id, issuedAt: claims.iat }
            // A Map keeps the order of insertion: the first key is the oldest.
            const oldest = remembered.size < REMEMBERED ? undefined : remembered.keys().next().value
            if (oldest !== undefined) remembered.delete(oldest)
            remembered.set(token, { verified, until: Math.min(now + REMEMBERED_SECONDS * 1000, claims.exp * 1000) })
            return verified
          }),
          Effect.mapError(() => new Unauthenticated({}))
        )

      const verify = (token: string) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          if (token.length > MAX_LENGTH) return Effect.fail(new Unauthenticated({}))
          const known = remembered.get(token)
          if (known !== undefined && known.until > now) return Effect.succeed(known.verified)
          return verifyAnew(token, now)
        })
      return AccessTokens.of({ issue, verify, jwks: { keys: keys.public } })
    })
  )
}

const Claims = Schema.Struct({
  sub: Schema.String,
  user_id: UserId,
  tenant_id: TenantId,
  iat: Schema.Int,
  exp: Schema.Int
})
const decodeClaims = Schema.decodeUnknownEffect(Claims)

interface Keys {
  readonly signing: CryptoKey | Uint8Array
  readonly verifying: CryptoKey | Uint8Array
  readonly kid: string | undefined
  readonly public: ReadonlyArray<Readonly<Record<string, string>>>
}

const sharedKey = (secret: Redacted.Redacted): Keys => {
  const key = new TextEncoder().encode(Redacted.value(secret))
  return { signing: key, verifying: key, kid: undefined, public: [] }
}

const keyPair = Effect.fnUntraced(function* (alg: string, path: string | undefined) {
  if (path === undefined) {
    return yield* new StartupFailed({
      message: `JWT_PRIVATE_KEY_FILE is required for ALGORITHM=${alg}: expected the path of a PKCS #8 PEM file`
    })
  }
  const unusable = () =>
    new StartupFailed({ message: `JWT_PRIVATE_KEY_FILE is not a PKCS #8 PEM file with a key for ${alg}` })
  const step = <A>(work: () => Promise<A>) => Effect.tryPromise({ try: work, catch: unusable })
  const pem = yield* Effect.try({ try: () => readFileSync(path, "utf8"), catch: unusable })
  const spki = yield* Effect.try({
    try: () => createPublicKey(pem).export({ type: "spki", format: "pem" }).toString(),
    catch: unusable
  })
  const signing = yield* step(() => importPKCS8(pem, alg))
  const verifying = yield* step(() => importSPKI(spki, alg, { extractable: true }))
  const jwk: JWK = yield* step(() => exportJWK(verifying))
  const kid = yield* step(() => calculateJwkThumbprint(jwk))
  const members = Object.entries(jwk).flatMap(([name, value]) =>
    typeof value === "string" ? [[name, value] as const] : []
  )
  const keys: Keys = { signing, verifying, kid, public: [{ ...Object.fromEntries(members), kid, alg, use: "sig" }] }
  return keys
})
