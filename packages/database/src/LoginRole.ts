import { Effect, Redacted } from "effect"
import { createHmac, createHash, pbkdf2, randomBytes } from "node:crypto"
import { MigrationFailed } from "./MigrationFailed.ts"
import { connect, rows } from "./Script.ts"

/** Who the program logs in as: to serve requests, and for work that is across tenants. */
export type LoginRole = "llm_api" | "llm_jobs"

/** The same server and database, logging in as `role`. */
export const loginUrl = (
  adminUrl: Redacted.Redacted,
  role: LoginRole,
  password: Redacted.Redacted
): Redacted.Redacted => {
  const url = new URL(Redacted.value(adminUrl))
  url.username = role
  url.password = encodeURIComponent(Redacted.value(password))
  return Redacted.make(url.href)
}

/**
 * Gives the role this password, unless it has it already; run it after `migrate`. The server is sent a SCRAM verifier and never the
 * password, which could otherwise end up in its log. Returns the URL with which the role logs in.
 */
export const prepareLogin = Effect.fn("LoginRole.prepare")(function* (
  adminUrl: Redacted.Redacted,
  role: LoginRole,
  password: Redacted.Redacted
) {
  const url = loginUrl(adminUrl, role, password)
  // Trying is a read; `alter role` by two processes at once collides.
  const works = yield* connect(url).pipe(Effect.scoped, Effect.match({ onFailure: () => false, onSuccess: () => true }))
  if (works) return url
  const verifier = yield* scramVerifier(role, Redacted.value(password))
  yield* connect(adminUrl).pipe(
    Effect.flatMap((connection) => rows(connection, `alter role ${role} password '${verifier}'`)),
    Effect.scoped,
    Effect.retry({ times: 3, while: (error) => error.state === "XX000" })
  )
  return url
})

const ITERATIONS = 4096

/** What PostgreSQL stores of a password (RFC 5803). Ours are ASCII, so that SASLprep has nothing to change. */
const scramVerifier = Effect.fnUntraced(function* (role: LoginRole, password: string) {
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
