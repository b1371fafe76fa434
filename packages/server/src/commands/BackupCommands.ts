import { backup, restore } from "@llm-saas/database/backup/Backup"
import { read } from "@llm-saas/database/logins/DatabaseUrl"
import { prepareLogin } from "@llm-saas/database/logins/LoginRole"
import { inspectLogin } from "@llm-saas/database/logins/RoleSafety"
import { Roles } from "@llm-saas/database/logins/Roles"
import { Console, DateTime, Effect, Option, Redacted } from "effect"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import { randomBytes } from "node:crypto"
import { NotIsolated, reportAt } from "./Audit.ts"
import { administrator } from "../Database.ts"
import { command, named } from "./CommandLine.ts"
import { formatReport } from "./IsolationText.ts"
import { Settings } from "../config/Settings.ts"

// `npm run db:backup` and `db:restore`: the database to a file and back.

const say = (line: string) => void process.stderr.write(`${line}\n`)

const saving = Effect.fnUntraced(function* ({ file: given }: { readonly file: Option.Option<string> }) {
  const admin = yield* administrator
  const moment = DateTime.formatIso(yield* DateTime.now).replaceAll(/[:.]/gu, "-")
  const name = Option.getOrElse(given, () => `${read(admin).database.replaceAll(/[^\w-]/gu, "_")}-${moment}.dump`)
  const { bytes, file, tables } = yield* backup(admin, name, say).pipe(embeddedHint)
  yield* Console.log(
    `${file}: ${(bytes / 1_000_000).toFixed(2)} MB, ${tables} tables. It holds everything that tenants wrote, and hashes of passwords`
  )
})

export const dbBackup = Command.make(
  named("db:backup"),
  {
    file: Argument.String("FILE").pipe(
      Argument.withDescription("without it, one in the working directory, named for the database and the time"),
      Argument.optional
    )
  },
  saving
).pipe(Command.withDescription("Write the database to a file"))

const restoring = Effect.fnUntraced(function* ({ file }: { readonly file: string }) {
  const admin = yield* administrator
  const { readers, version } = yield* restore(admin, file, { progress: say }).pipe(embeddedHint)
  yield* Console.log(`restored; the schema is at version ${version}`)
  if (readers > 0)
    yield* Console.log(
      `${readers} logins of people who read with psql did not come along: ${command("audit:grant")} makes new ones`
    )
  const found = yield* Effect.flatMap(apiOf(admin), reportAt)
  yield* Console.log(`\n${formatReport(found)}`)
  if (!found.ok) return yield* new NotIsolated({ findings: found.findings.length })
})

export const dbRestore = Command.make(
  named("db:restore"),
  { file: Argument.String("FILE").pipe(Argument.withDescription("a file that a backup wrote")) },
  restoring
).pipe(
  Command.withDescription(
    "Fill an empty database from a file, then check tenant isolation in it: exit code 1 if it is broken"
  )
)

/** A login to check isolation with: a superuser acts as the API; for another administrator the API's own login is prepared. */
const apiOf = Effect.fnUntraced(function* (admin: Redacted.Redacted) {
  if ((yield* inspectLogin(admin)).risks.includes("is a superuser")) return admin
  const { DATABASE_URL } = yield* Settings
  const { api } = yield* Roles
  const given = DATABASE_URL === undefined ? undefined : read(DATABASE_URL)
  if (given?.user === api && given.password !== undefined) return yield* prepareLogin(admin, "api", given.password)
  yield* Console.log(
    `${api} has a random password that is kept nowhere: ${command("db:migrate", "--logins")} gives it that of DATABASE_URL`
  )
  return yield* prepareLogin(admin, "api", Redacted.make(randomBytes(24).toString("base64url")))
})

/** The embedded server is newer than most machines' client programs, and its data is a directory that can be copied. */
const embeddedHint = <A, E extends { readonly message: string }, R>(work: Effect.Effect<A, E, R>) =>
  Effect.mapError(work, (error) => error).pipe(
    Effect.tapError((error) =>
      Effect.gen(function* () {
        const { DATABASE_ADMIN_URL, DATABASE_URL, DATA_DIR } = yield* Settings
        if (
          DATABASE_ADMIN_URL === undefined
          && DATABASE_URL === undefined
          && error.message.includes("postgresql-client")
        )
          yield* Console.error(
            `The embedded PostgreSQL's data is ${DATA_DIR}: a copy of it, made while no program runs, is a backup too`
          )
      })
    )
  )
