import { read } from "@llm-saas/database/logins/DatabaseUrl"
import { checkLogin, prepareLogin } from "@llm-saas/database/logins/LoginRole"
import { Roles } from "@llm-saas/database/logins/Roles"
import { migrate, status } from "@llm-saas/database/migrations/Migrations"
import { newMigration } from "@llm-saas/database/migrations/NewMigration"
import { planRollback, rollback } from "@llm-saas/database/migrations/Rollback"
import { schemaDiff } from "@llm-saas/database/migrations/SchemaDiff"
import { writeSchema } from "@llm-saas/database/migrations/SchemaDump"
import { psqlLine } from "@llm-saas/database/Psql"
import * as EmbeddedPostgres from "@llm-saas/embedded-postgres/EmbeddedPostgres"
import { Console, Effect } from "effect"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import { Settings } from "../config/Settings.ts"
import { administrator } from "../Database.ts"
import { StartupFailed } from "../process/Startup.ts"
import { command, named } from "./CommandLine.ts"
import { forSources, option } from "./Program.ts"

// `npm run db:migrate`, `db:status`, `db:rollback`, `db:new`, `db:psql` and `db:schema`.

const migrating = Effect.fnUntraced(function* (given: { readonly logins: boolean; readonly accept: boolean }) {
  const logins = given.logins ? yield* loginsWanted : []
  const admin = yield* administrator
  for (const { login, password } of logins) yield* checkLogin(admin, login, password)
  const { applied, mended, rebuilt, version } = yield* migrate(admin, {
    foreign: given.accept ? "accept" : "refuse"
  })
  for (const step of applied) yield* Console.log(`applied ${step.version} ${step.name}`)
  for (const difference of mended) yield* Console.log(`mended ${difference}`)
  yield* Console.log(
    rebuilt ? `the schema is at version ${version}` : `nothing to do: the schema is at version ${version}`
  )
  for (const { login, password, role, variable } of logins) {
    yield* prepareLogin(admin, login, password)
    yield* Console.log(`${role} logs in with the password of ${variable}`)
  }
})

export const dbMigrate = Command.make(
  named("db:migrate"),
  {
    logins: option(
      "logins",
      "also give the API's and the jobs' logins the passwords of DATABASE_URL and DATABASE_JOBS_URL"
    ),
    accept: option("accept", "accept objects that are not from the files, instead of refusing")
  },
  migrating
).pipe(Command.withDescription("Apply what is pending and mend what was changed by hand"))

/** The passwords of the program's logins, from the URLs it will use. */
const loginsWanted = Effect.gen(function* () {
  const { DATABASE_ADMIN_URL, DATABASE_JOBS_URL, DATABASE_URL } = yield* Settings
  if (DATABASE_ADMIN_URL === undefined)
    return yield* new StartupFailed({ message: "--logins sets passwords as DATABASE_ADMIN_URL, which is missing" })
  const given = [
    { variable: "DATABASE_URL", login: "api", url: DATABASE_URL },
    ...(DATABASE_JOBS_URL === undefined
      ? []
      : [{ variable: "DATABASE_JOBS_URL", login: "jobs", url: DATABASE_JOBS_URL } as const])
  ] as const
  const names = yield* Roles
  return yield* Effect.forEach(given, ({ login, url, variable }) => {
    const role = names[login]
    const { password, user } = url === undefined ? NO_LOGIN : read(url)
    return user === role && password !== undefined
      ? Effect.succeed({ login, role, variable, password })
      : Effect.fail(
          new StartupFailed({ message: `--logins takes the password of ${role} from ${variable}: it has none` })
        )
  })
})

const NO_LOGIN = { user: "", password: undefined }

const shown = Effect.gen(function* () {
  const found = yield* Effect.flatMap(administrator, status)
  for (const step of found.applied)
    yield* Console.log(`applied  ${step.version} ${step.name}  ${step.applied_at.toISOString()}`)
  for (const step of found.pending) yield* Console.log(`pending  ${step.version} ${step.name}`)
  yield* Console.log(
    `the database is ${found.state}: at version ${found.version}, this program at ${found.codeVersion}${
      found.repeatablesDiffer && found.version === found.codeVersion
        ? ", with other functions, policies or grants than this program's"
        : ""
    }`
  )
})

export const dbStatus = Command.make(named("db:status"), {}, () => shown).pipe(
  Command.withDescription("List the applied and the pending migrations")
)

const takingBack = Effect.fnUntraced(function* (given: { readonly yes: boolean; readonly force: boolean }) {
  const admin = yield* administrator
  const { loses, migration } = yield* planRollback(admin)
  yield* Console.log(
    `takes back ${migration.version} ${migration.name}${loses === undefined ? "" : `, which loses ${loses}`}. `
      + "Functions, policies and grants go with it: a running service fails every request until code that fits has migrated"
  )
  const undone = yield* rollback(admin, given)
  yield* Console.log(
    `undone ${undone.version} ${undone.name}; \`${command("db:migrate")}\` of the code that fits builds functions and policies again`
  )
})

export const dbRollback = Command.make(
  named("db:rollback"),
  {
    yes: option("yes", "although data is lost with it"),
    force: option("force", "although programs are connected, whose requests fail from then on")
  },
  takingBack
).pipe(Command.withDescription("Take the last migration back"))

const writing = Effect.fnUntraced(function* (given: { readonly fromDiff: boolean; readonly name: string }) {
  const draft = given.fromDiff ? yield* drafted : undefined
  if (draft === "") return yield* Console.log("the database's tables are those of the files: there is nothing to write")
  yield* Console.log(yield* newMigration(given.name, { draft }))
})

export const dbNew = Command.make(
  named("db:new"),
  {
    fromDiff: option("from-diff", "a draft of what was changed by hand in the database"),
    name: Argument.String("NAME").pipe(Argument.withDescription("what the migration does"))
  },
  writing
).pipe(Command.withDescription("Write the next migration's file"), forSources)

/** A draft migration for what was changed by hand in the database, compared with one made from the files. */
const drafted = Effect.gen(function* () {
  const changed = yield* administrator
  const { state } = yield* status(changed)
  if (state !== "current")
    return yield* new StartupFailed({
      message: `the database is ${state}: only what was changed by hand since it was migrated can be told`
    })
  const { url } = yield* EmbeddedPostgres.make()
  yield* migrate(url)
  return yield* schemaDiff(url, changed)
})

export const dbPsql = Command.make(named("db:psql"), {}, () =>
  Effect.flatMap(administrator, (url) => Console.log(psqlLine(url)))
).pipe(Command.withDescription("Print the psql line for the database"))

// From a database of its own: a developer's database may differ from the files.
const dumping = Effect.gen(function* () {
  const { url } = yield* EmbeddedPostgres.make()
  yield* migrate(url)
  for (const path of yield* writeSchema(url)) yield* Console.log(path)
})

export const dbSchema = Command.make(named("db:schema"), {}, () => dumping).pipe(
  Command.withDescription("Write sql/schema.sql and sql/catalogue.tsv again"),
  forSources
)
