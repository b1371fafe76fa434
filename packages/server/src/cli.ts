import { NodeRuntime } from "@effect/platform-node"
import { migrate, rollback, status } from "@llm-saas/database/Migrations"
import { Cause, Console, Effect, Layer, Redacted } from "effect"
import { readdirSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { administrator } from "./Database.ts"
import { Settings } from "./Settings.ts"
import { StartupFailed } from "./Startup.ts"

// `npm run db:…`: what operators and developers do with the database from the command line.

const MIGRATIONS = fileURLToPath(new URL("../../../sql/migrations/", import.meta.url))

const dbMigrate = Effect.gen(function* () {
  const { applied, rebuilt, version } = yield* Effect.flatMap(administrator, migrate)
  for (const step of applied) yield* Console.log(`applied ${step.version} ${step.name}`)
  yield* Console.log(
    rebuilt ? `the schema is at version ${version}` : `nothing to do: the schema is at version ${version}`
  )
})

const dbStatus = Effect.gen(function* () {
  const found = yield* Effect.flatMap(administrator, status)
  for (const step of found.applied)
    yield* Console.log(`applied  ${step.version} ${step.name}  ${step.applied_at.toISOString()}`)
  for (const step of found.pending) yield* Console.log(`pending  ${step.version} ${step.name}`)
  yield* Console.log(
    `the database is ${found.state}: at version ${found.version}, this program at ${found.codeVersion}`
  )
})

const dbRollback = Effect.gen(function* () {
  const undone = yield* Effect.flatMap(administrator, rollback)
  yield* Console.log(
    `undone ${undone.version} ${undone.name}; \`npm run db:migrate\` builds functions and policies again`
  )
})

const dbNew = (name: string | undefined) =>
  Effect.gen(function* () {
    if (name === undefined || !/^[a-z][a-z0-9_]*$/u.test(name)) {
      return yield* new StartupFailed({ message: "usage: npm run db:new NAME, in lower case with underscores" })
    }
    const last = readdirSync(MIGRATIONS).toSorted().at(-1)?.slice(0, 4) ?? "0"
    const file = `${String(Number(last) + 1).padStart(4, "0")}_${name}.sql`
    writeFileSync(
      `${MIGRATIONS}${file}`,
      "-- Why this change. A first line `-- breaking` if older programs must not run on it.\n",
      { flag: "wx" }
    )
    yield* Console.log(`sql/migrations/${file}`)
  })

const dbPsql = Effect.gen(function* () {
  const url = yield* administrator
  yield* Console.log(`psql '${Redacted.value(url)}'`)
})

const command = (name: string | undefined, argument: string | undefined) => {
  switch (name) {
    case "migrate":
      return dbMigrate
    case "status":
      return dbStatus
    case "rollback":
      return dbRollback
    case "new":
      return dbNew(argument)
    case "psql":
      return dbPsql
    default:
      return Effect.fail(new StartupFailed({ message: "usage: npm run db:migrate|status|rollback|new|psql" }))
  }
}

Effect.scoped(Effect.suspend(() => command(process.argv[2], process.argv[3]))).pipe(
  Effect.provide(Layer.fresh(Settings.layer)),
  Effect.tapCause((cause) =>
    Effect.sync(() => {
      const [reason] = cause.reasons
      console.error(reason?._tag === "Fail" ? reason.error.message : Cause.pretty(cause))
    })
  ),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
