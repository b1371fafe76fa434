import { Effect, Redacted } from "effect"
import { createHash, createHmac, pbkdf2, randomBytes } from "node:crypto"
import { MigrationFailed } from "../MigrationFailed.ts"

const ITERATIONS = 4096

/**
 * The verifier that PostgreSQL stores for a password (RFC 5803): the server receives this and never the password, which could end up in its
 * log. Passwords are printable ASCII, so that SASLprep has nothing to change.
 */
export const scramVerifier = Effect.fnUntraced(function* (role: string, secret: Redacted.Redacted) {
  const password = Redacted.value(secret)
  if (!/^[\x21-\x7e]+$/u.test(password)) {
    return yield* new MigrationFailed({ reason: "files", detail: `the password of ${role} is to be printable ASCII` })
  }
  const salt = randomBytes(16)
  const salted = yield* Effect.callback<Buffer>((resume) =>
    pbkdf2(password, salt, ITERATIONS, 32, "sha256", (error, key) =>
      resume(error === null ? Effect.succeed(key) : Effect.die(error))
    )
  )
  const hmac = (text: string) => createHmac("sha256", salted).update(text).digest()
  const stored = createHash("sha256").update(hmac("Client Key")).digest("base64")
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString("base64")}$${stored}:${hmac("Server Key").toString("base64")}`
})
