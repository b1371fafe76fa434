import { NodeRuntime } from "@effect/platform-node"
import type { MigrationFailed } from "@llm-saas/database/MigrationFailed"
import { read } from "@llm-saas/database/logins/DatabaseUrl"
import { checkLogin, prepareLogin } from "@llm-saas/database/logins/LoginRole"
import { migrate, status } from "@llm-saas/database/migrations/Migrations"
import { newMigration } from "@llm-saas/database/migrations/NewMigration"
import { planRollback, rollback } from "@llm-saas/database/migrations/Rollback"
import { psqlLine } from "@llm-saas/database/Psql"
import { Roles } from "@llm-saas/database/logins/Roles"
import type { PgProgramFailed } from "@llm-saas/database/backup/PgPrograms"
import type { TenantUnknown } from "@llm-saas/database/logins/AuditorLogins"
import { schemaDiff } from "@llm-saas/database/migrations/SchemaDiff"
import { writeSchema } from "@llm-saas/database/migrations/SchemaDump"
import * as EmbeddedPostgres from "@llm-saas/embedded-postgres/EmbeddedPostgres"
import { Console, Effect, Layer, type Scope } from "effect"
import { auditCommand, type NotIsolated } from "./commands/Audit.ts"
import { dbBackup, dbRestore } from "./commands/BackupCommands.ts"
import { ALL, command } from "./commands/CommandLine.ts"
import { administrator, RolesLayer } from "./Database.ts"
import { Settings } from "./config/Settings.ts"
import { exitCode, explain, StartupFailed } from "./process/Startup.ts"

// `npm run db:…` and `audit:…`: database commands for operators, developers and auditors.

const dbMigrate = Effect.fnUntraced(function* (given: ReadonlyArray<string>) {
  if (given.some((option) => option !== "--logins" && option !== "--accept"))
    return yield* new StartupFailed({ message: `usage: ${command("db:migrate", "[--logins --accept]")}` })
  const logins = given.includes("--logins") ? yield* loginsWanted : []
  const admin = yield* administrator
  for (const { login, password } of logins) yield* checkLogin(admin, login, password)
  const { applied, mended, rebuilt, version } = yield* migrate(admin, {
    strangers: given.includes("--accept") ? "accept" : "refuse"
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
    const { password, user } = url === undefined ? NOBODY : read(url)
    return user === role && password !== undefined
      ? Effect.succeed({ login, role, variable, password })
      : Effect.fail(
          new StartupFailed({ message: `--logins takes the password of ${role} from ${variable}: it has none` })
        )
  })
})

const NOBODY = { user: "", password: undefined }

const dbStatus = Effect.gen(function* () {
  const found = yield* Effect.flatMap(administrator, status)
  for (const step of found.applied)
    yield* Console.log(`applied  ${step.version} ${step.name}  ${step.applied_at.toISOString()}`)
  for (const step of found.pending) yield* Console.log(`pending  ${step.version} ${step.name}`)
  yield* Console.log(
    `the database is ${found.state}: at version ${found.version}, this program at ${found.codeVersion}`
  )
})

const dbRollback = Effect.fnUntraced(function* (args: ReadonlyArray<string>) {
  if (args.some((option) => option !== "--yes" && option !== "--force"))
    return yield* new StartupFailed({ message: `usage: ${command("db:rollback", "[--yes --force]")}` })
  const admin = yield* administrator
  const { loses, migration } = yield* planRollback(admin)
  yield* Console.log(
    `takes back ${migration.version} ${migration.name}${loses === undefined ? "" : `, which loses ${loses}`}. `
      + "Functions, policies and grants go with it: a running service fails every request until code that fits has migrated"
  )
  const undone = yield* rollback(admin, { yes: args.includes("--yes"), force: args.includes("--force") })
  yield* Console.log(
    `undone ${undone.version} ${undone.name}; \`${command("db:migrate")}\` of the code that fits builds functions and policies again`
  )
})

const dbNew = Effect.fnUntraced(function* (args: ReadonlyArray<string>) {
  const [name, ...more] = args.filter((each) => each !== "--from-diff")
  if (name === undefined || more.length > 0 || name.startsWith("-"))
    return yield* new StartupFailed({ message: `usage: ${command("db:new", "[--from-diff] NAME")}` })
  const draft = args.includes("--from-diff") ? yield* drafted : undefined
  if (draft === "") return yield* Console.log("the database's tables are those of the files: there is nothing to write")
  yield* Console.log(yield* newMigration(name, { draft }))
})

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

const dbPsql = Effect.flatMap(administrator, (url) => Console.log(psqlLine(url)))

// From a database of its own: a developer's database may differ from the files.
const dbSchema = Effect.gen(function* () {
  const { url } = yield* EmbeddedPostgres.make()
  yield* migrate(url)
  for (const path of yield* writeSchema(url)) yield* Console.log(path)
})

type Failures =
  | StartupFailed
  | MigrationFailed
  | PgProgramFailed
  | EmbeddedPostgres.EmbeddedPostgresFailed
  | TenantUnknown
  | NotIsolated

const run = (
  name: string | undefined,
  args: ReadonlyArray<string>
): Effect.Effect<void, Failures, Settings | Scope.Scope> => {
  if (name?.startsWith("audit:") === true) return auditCommand(name, args)
  switch (name) {
    case "migrate":
      return dbMigrate(args)
    case "status":
      return dbStatus
    case "rollback":
      return dbRollback(args)
    case "backup":
      return dbBackup(args)
    case "restore":
      return dbRestore(args)
    case "new":
      return dbNew(args)
    case "psql":
      return dbPsql
    case "schema":
      return dbSchema
    default:
      return Effect.fail(new StartupFailed({ message: `usage: ${ALL}` }))
  }
}

Effect.scoped(Effect.suspend(() => run(process.argv[2], process.argv.slice(3)))).pipe(
  Effect.provide(Layer.provideMerge(RolesLayer, Layer.fresh(Settings.layerCommands))),
  Effect.tapCause(explain),
  NodeRuntime.runMain({ disableErrorReporting: true, teardown: exitCode })
)
