import { SECRET_BYTES } from "@llm-saas/domain/ApiKeyText"
import { makeRefreshToken } from "@llm-saas/domain/RefreshTokenText"
import { Context, Effect, Layer, Redacted } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import { createHash, createHmac } from "node:crypto"
import { SecretKey } from "./SecretKey.ts"

/** A refresh token, and the hash that is stored of it: SHA-256, in hexadecimal. */
export interface RefreshToken {
  readonly text: string
  readonly hash: string
}

/**
 * Texts of refresh tokens. The first of a session is random. Its successors are derived, each from the one before and SECRET_KEY: so a
 * request that is repeated, since its answer was lost, gets the same successor, which is stored nowhere. With another SECRET_KEY another
 * one is derived, which does not fit what is stored.
 */
export class RefreshTokens extends Context.Service<
  RefreshTokens,
  {
    readonly first: Effect.Effect<RefreshToken>
    readonly of: (text: string) => RefreshToken
    readonly after: (text: string) => RefreshToken
  }
>()("@llm-saas/server/auth/RefreshTokens") {
  static readonly layer = Layer.effect(
    RefreshTokens,
    Effect.gen(function* () {
      const random = yield* SecureRandom
      const { value } = yield* SecretKey
      const key = createHmac("sha256", Redacted.value(value)).update("refresh tokens").digest()
      return RefreshTokens.of({
        first: Effect.map(random.randomBytes(SECRET_BYTES), (bytes) => of(makeRefreshToken(bytes))),
        of,
        after: (text) => of(makeRefreshToken(createHmac("sha256", key).update(text).digest()))
      })
    })
  )
}

const of = (text: string): RefreshToken => ({ text, hash: createHash("sha256").update(text).digest("hex") })
