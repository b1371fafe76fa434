import { Effect, type Redacted } from "effect"
import { asLogin } from "./DatabaseUrl.ts"
import { checkPasswordIsOurs } from "./Installation.ts"
import { MigrationFailed } from "../MigrationFailed.ts"
import { Roles } from "./Roles.ts"
import { scramVerifier } from "./Scram.ts"
import { connect, connectAs, rows } from "../connections/Script.ts"

/** The program's login roles: to serve requests, and for work across tenants. {@link Roles} has their names. */
export type LoginRole = "api" | "jobs"

/** The same server and database, logging in as `role`. */
export const loginUrl = asLogin

/**
 * Fails where the role cannot get this password because another installation uses it with another one. Changes nothing: to be called before
 * `migrate`.
 */
export const checkLogin = Effect.fn("LoginRole.check")(function* (
  adminUrl: Redacted.Redacted,
  login: LoginRole,
  password: Redacted.Redacted
) {
  const role = (yield* Roles)[login]
  const connection = yield* connect(adminUrl)
  const known = yield* rows(connection, "select from pg_roles where rolname = $1::text", [role])
  if (known.length === 0 || (yield* accepts(loginUrl(adminUrl, role, password), role))) return
  yield* checkPasswordIsOurs(connection, role)
}, Effect.scoped)

/**
 * Gives the role this password, unless it has it already; run it after `migrate`. Returns the tested URL of the role's login. Fails where
 * another installation in this server uses the role with another password.
 */
export const prepareLogin = Effect.fn("LoginRole.prepare")(function* (
  adminUrl: Redacted.Redacted,
  login: LoginRole,
  password: Redacted.Redacted
) {
  const role = (yield* Roles)[login]
  const url = loginUrl(adminUrl, role, password)
  // Trying is a read; `alter role` by two processes at once collides.
  if (yield* accepts(url, role)) return url
  const verifier = yield* scramVerifier(role, password)
  yield* connect(adminUrl).pipe(
    Effect.tap((connection) => checkPasswordIsOurs(connection, role)),
    Effect.flatMap((connection) => rows(connection, `alter role ${role} password '${verifier}'`)),
    Effect.scoped,
    Effect.retry({ times: 3, while: (error) => error.state === "XX000" })
  )
  if (yield* accepts(url, role)) return url
  return yield* new MigrationFailed({
    reason: "login",
    detail: `${role} was given a password, and the server does not let it in with it: see its pg_hba.conf`
  })
})

/**
 * Whether the server accepts this password. A refusal after the password check (class 42: no right to connect to this database yet) counts
 * as accepted.
 */
const accepts = (url: Redacted.Redacted, role: string) =>
  connectAs(url, role).pipe(
    Effect.scoped,
    Effect.as(true),
    Effect.catchIf(
      ({ state }) => state?.startsWith("28") === true || state === "42501",
      ({ state }) => Effect.succeed(state === "42501")
    )
  )
