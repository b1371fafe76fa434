import { isLogin, read } from "@llm-saas/database/logins/DatabaseUrl"
import * as EmbeddedPostgres from "@llm-saas/embedded-postgres/EmbeddedPostgres"
import { checkLogin, prepareLogin } from "@llm-saas/database/logins/LoginRole"
import { nameOf } from "@llm-saas/database/catalogue/Drift"
import { driftOf } from "@llm-saas/database/catalogue/SchemaRepair"
import type { Comparison } from "@llm-saas/database/migrations/MigrationHistory"
import { migrate, status } from "@llm-saas/database/migrations/Migrations"
import { Pool } from "@llm-saas/database/connections/Pool"
import { roleNames, Roles } from "@llm-saas/database/logins/Roles"
import { holesFixedIn, inspectLogin } from "@llm-saas/database/logins/RoleSafety"
import { connect } from "@llm-saas/database/connections/Script"
import { readSqlFiles } from "@llm-saas/database/SqlFiles"
import cluster from "node:cluster"
import { createHmac } from "node:crypto"
import { Context, Effect, Layer, Redacted } from "effect"
import { command } from "./commands/CommandLine.ts"
import { SecretKey } from "./auth/SecretKey.ts"
import { Settings } from "./config/Settings.ts"
import { StartupFailed } from "./process/Startup.ts"

/**
 * The password of a login where the program itself administers the database: derived from the secret key, so that it is stored nowhere
 * and two processes with the same key agree on it.
 */
const passwordOf = (secret: Redacted.Redacted, role: string): Redacted.Redacted =>
  Redacted.make(
    createHmac("sha256", Redacted.value(secret)).update(`llm-saas database role ${role}`).digest("base64url")
  )

/** The names of this installation's roles, from the settings. */
export const RolesLayer = Layer.effect(
  Roles,
  Effect.map(Settings, ({ DATABASE_ROLE_PREFIX }) => roleNames(DATABASE_ROLE_PREFIX))
)

/** The administrator's database: the configured one, or the embedded server while the scope is open. */
export const administrator = Effect.gen(function* () {
  const { DATABASE_ADMIN_URL, DATABASE_URL, DATA_DIR } = yield* Settings
  const given = DATABASE_ADMIN_URL ?? DATABASE_URL
  if (given !== undefined) return given
  const embedded = yield* EmbeddedPostgres.make({ directory: DATA_DIR })
  return embedded.url
}).pipe(Effect.catchTag("EmbeddedPostgresFailed", ({ message }) => new StartupFailed({ message })))

/** How the program logs in. */
export interface Logins {
  /** For requests. */
  readonly api: Redacted.Redacted
  /** For work across tenants; absent where only an administrator could create it and none is configured. */
  readonly jobs: Redacted.Redacted | undefined
}

/**
 * The database for requests, with a login that cannot bypass row-level security. In production the URL must name such a login and the
 * schema must be this program's own; in development, an administrator's URL, or none, is prepared first.
 */
export const logins = Effect.gen(function* () {
  const { APP_ENV, DATABASE_JOBS_URL, DATABASE_URL } = yield* Settings
  const secret = yield* SecretKey
  const names = yield* Roles
  if (DATABASE_URL !== undefined) {
    const login = yield* inspectLogin(DATABASE_URL)
    if (!isLogin(read(DATABASE_URL).user, login.role))
      return yield* new StartupFailed({
        message: `DATABASE_URL logs in as ${read(DATABASE_URL).user}, and the server takes it for ${login.role}: refused`
      })
    const fixed = holesFixedIn(login.serverVersion)
    if (fixed !== undefined && !cluster.isWorker)
      yield* Effect.logWarning(`this PostgreSQL has known holes in row-level security: upgrade it to ${fixed} or newer`)
    if (login.risks.length === 0) {
      yield* checkSchema(DATABASE_URL)
      const logins: Logins = { api: DATABASE_URL, jobs: yield* given(DATABASE_JOBS_URL) }
      return logins
    }
    if (APP_ENV === "production") {
      return yield* new StartupFailed({
        message: `DATABASE_URL logs in as ${login.role}, which ${login.risks.join(" and ")} and so could bypass row-level security: use ${names.api}`
      })
    }
    if (!login.administers) {
      return yield* new StartupFailed({
        message: `DATABASE_URL logs in as ${login.role}, which ${login.risks.join(" and ")}: use ${names.api}, or an administrator in development`
      })
    }
  }
  const admin = yield* administrator
  const [api, jobs] = [passwordOf(secret.value, names.api), passwordOf(secret.value, names.jobs)]
  // Before anything is created: a refusal must leave the database server unchanged.
  yield* checkLogin(admin, "api", api)
  if (DATABASE_JOBS_URL === undefined) yield* checkLogin(admin, "jobs", jobs)
  const { mended, foreign } = yield* migrate(admin)
  for (const difference of mended)
    yield* Effect.logWarning(`the database was not what sql/ makes, and is again: ${difference}`)
  for (const difference of foreign) yield* Effect.logWarning(`new in the database server: ${difference}`)
  const logins: Logins = {
    api: yield* prepareLogin(admin, "api", api),
    jobs: (yield* given(DATABASE_JOBS_URL)) ?? (yield* prepareLogin(admin, "jobs", jobs))
  }
  return logins
}).pipe(
  Effect.catchTag(
    "MigrationFailed",
    (failed) => new StartupFailed({ message: `the database cannot be used: ${failed.message}` })
  )
)

/** The login configured for the jobs must be as restricted as the one for requests. */
const given = Effect.fnUntraced(function* (url: Redacted.Redacted | undefined) {
  if (url === undefined) return undefined
  const names = yield* Roles
  const { risks, role } = yield* inspectLogin(url)
  if (risks.length === 0) return url
  return yield* new StartupFailed({
    message: `DATABASE_JOBS_URL logs in as ${role}, which ${risks.join(" and ")}: use ${names.jobs}`
  })
})

const checkSchema = Effect.fnUntraced(function* (url: Redacted.Redacted) {
  const { APP_ENV } = yield* Settings
  const found = yield* status(url)
  const { state } = found
  // A worker belongs to a program that started when the schema was its own, and serves until its successor takes over.
  const fits = cluster.isWorker
    ? state !== "incompatible"
    : state === "current" || (state === "ahead" && APP_ENV !== "production")
  if (fits) return cluster.isWorker || state !== "current" ? undefined : yield* checkCatalogue(url)
  return yield* new StartupFailed({ message: misfit(found) })
})

/** How the schema differs from this program's, and what to do. */
const misfit = ({ changed, codeVersion, pending, unknown, version }: Comparison): string => {
  if (version > codeVersion)
    return `the database's schema (version ${version}) is newer than this program (${codeVersion}): run a newer program`
  if (changed.length > 0)
    return `the database was migrated by other files than this program's (${changed.join(", ")}): run the program that migrated it`
  if (unknown.length > 0)
    return `the database has migrations that this program does not know (${unknown.map(({ name }) => name).join(", ")}): run the program that migrated it`
  const migrate = `run \`${command("db:migrate")}\``
  return pending.length > 0
    ? `the database's schema (version ${version}) is not this program's (${codeVersion}): ${migrate}`
    : `the database has every migration of this program (version ${version}), but other functions, policies or grants: ${migrate}`
}

/** The schema has every migration; checks whether its catalogue still is what sql/ makes. */
const checkCatalogue = Effect.fnUntraced(function* (url: Redacted.Redacted) {
  const drift = yield* Effect.scoped(
    Effect.flatMap(connect(url), (connection) => Effect.flatMap(readSqlFiles(), (files) => driftOf(connection, files)))
  )
  for (const difference of drift.filter(({ whose }) => whose === "server"))
    yield* Effect.logWarning(`new in the database server: ${nameOf(difference)}`)
  const [first, ...more] = drift.filter(({ whose }) => whose === "ours")
  if (first === undefined) return
  return yield* new StartupFailed({
    message: `the database is not what this program's sql/ makes: ${nameOf(first)}${
      more.length === 0 ? "" : `, and ${more.length} more`
    }. \`${command("db:migrate")}\` mends it, \`${command("audit:isolation")}\` names all of it`
  })
})

/** How the jobs log in, if known. */
export class JobsLogin extends Context.Service<JobsLogin, { readonly url: Redacted.Redacted | undefined }>()(
  "@llm-saas/server/JobsLogin"
) {}

/** Connections of the jobs: two of them, for tracking and mails together. Only where it is known how they log in. */
export const JobsPoolLayer = Layer.unwrap(
  Effect.gen(function* () {
    const { DATABASE_PREPARE, DATABASE_STATEMENT_SECONDS } = yield* Settings
    const { url } = yield* JobsLogin
    if (url === undefined) return yield* Effect.die(new Error("the jobs have no login"))
    return Pool.layer({
      url,
      size: 2,
      acquireTimeout: "10 seconds",
      waiting: 10,
      // The jobs' own limit is four times that of requests.
      statementTimeout: DATABASE_STATEMENT_SECONDS * 4000,
      prepare: DATABASE_PREPARE
    })
  })
)

/** The pool for requests, on a prepared database, and how the jobs log in to it. */
export const DatabaseLayer = Layer.unwrap(
  Effect.gen(function* () {
    const { DATABASE_POOL_SIZE, DATABASE_PREPARE, DATABASE_STATEMENT_SECONDS } = yield* Settings
    const { api, jobs } = yield* logins
    return Layer.mergeAll(
      Pool.layer({
        url: api,
        size: DATABASE_POOL_SIZE,
        acquireTimeout: "5 seconds",
        waiting: 2000,
        statementTimeout: DATABASE_STATEMENT_SECONDS * 1000,
        prepare: DATABASE_PREPARE
      }),
      Layer.succeed(JobsLogin, { url: jobs })
    )
  })
)
