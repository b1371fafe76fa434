import { Effect, Redacted } from "effect"
import { scramVerifier } from "./Scram.ts"
import { connect, rows } from "./Script.ts"

/** Who the program logs in as: to serve requests, and for work that is across tenants. */
export type LoginRole = "llm_api" | "llm_jobs"

/** The same server and database, logging in as `role`. */
export const loginUrl = (adminUrl: Redacted.Redacted, role: string, password: Redacted.Redacted): Redacted.Redacted => {
  const url = new URL(Redacted.value(adminUrl))
  url.username = role
  url.password = encodeURIComponent(Redacted.value(password))
  return Redacted.make(url.href)
}

/**
 * Gives the role this password, unless it has it already; run it after `migrate`. Returns the URL with which the role logs in.
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
  const verifier = yield* scramVerifier(role, password)
  yield* connect(adminUrl).pipe(
    Effect.flatMap((connection) => rows(connection, `alter role ${role} password '${verifier}'`)),
    Effect.scoped,
    Effect.retry({ times: 3, while: (error) => error.state === "XX000" })
  )
  return url
})
