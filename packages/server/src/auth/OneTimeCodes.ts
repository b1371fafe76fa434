import { OneTimeCodes } from "@llm-saas/engine/accounts/OneTimeCodes"
import { DIGITS } from "@llm-saas/domain/Totp"
import { Effect, Layer, Redacted } from "effect"
import { randomBytes } from "node:crypto"
import { HOTP, Secret } from "otpauth"

const SECRET_BYTES = 20

/** TOTP is HOTP of the time step (RFC 6238 §4.2), with SHA-1: what every authenticator takes. */
export const OneTimeCodesLayer = Layer.succeed(
  OneTimeCodes,
  OneTimeCodes.of({
    makeSecret: Effect.sync(() => Redacted.make(new Secret({ buffer: bytes() }).base32)),
    fits: (secret, code, step) =>
      new HOTP({ secret: Secret.fromBase32(Redacted.value(secret)), algorithm: "SHA1", digits: DIGITS }).validate({
        token: code,
        counter: step,
        window: 0
      }) === 0
  })
)

/** In a buffer of their own: small ones share one. */
const bytes = (): ArrayBuffer => new Uint8Array(randomBytes(SECRET_BYTES)).buffer
