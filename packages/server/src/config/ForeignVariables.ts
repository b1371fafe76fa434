import { Array, ConfigProvider, Console, Effect, FileSystem, Result } from "effect"
import cluster from "node:cluster"
import { isIP } from "node:net"
import * as DotEnv from "./DotEnv.ts"
import { type BrokenVariable, lineOf, type SettingsInvalid } from "./SettingsInvalid.ts"

/** Some variable names are used by many programs, and their values may be meant for another one. */
interface Sources extends DotEnv.Sources {
  readonly isDevelopment: Effect.Effect<boolean, BrokenVariable>
}

/** Shells (zsh, csh) and conda set names in these, which would open the port to the network, or to nothing. */
const LISTEN = ["HOST", "METRICS_HOST"]

/** A DATABASE_URL of another kind is another program's; a mistake in one of ours must not select another database. */
const OTHER_DATABASE = /^(?:sqlite|libsql|mysql|mariadb|mssql|sqlserver|oracle|mongodb|redis|jdbc|file)\b/iu

/**
 * Reads the settings. In development, an unusable environment variable is taken for another program's (`DEBUG=release`,
 * `HOST=x86_64-conda-linux-gnu`, `MLFLOW_TRACKING_URI=databricks`): it is named on standard error and ignored. Variables in `.env` were
 * written for this program, and APP_ENV decides about all others: these are refused everywhere, and in production all are.
 */
export const withoutForeign = Effect.fnUntraced(function* <A>(
  read: Effect.Effect<A, SettingsInvalid>,
  sources: Sources
): Effect.fn.Return<A, SettingsInvalid, FileSystem.FileSystem> {
  const provider = yield* DotEnv.provider(sources)
  yield* warnOfDollars(sources)
  const found = yield* Effect.result(within(read, provider))
  const isDevelopment = yield* within(sources.isDevelopment, provider).pipe(Effect.orElseSucceed(() => false))
  if (!isDevelopment) return yield* Effect.fromResult(found)
  const given = ({ variable }: BrokenVariable) => {
    const value = sources.environment[variable] ?? ""
    return value !== "" && (!variable.startsWith("DATABASE_") || OTHER_DATABASE.test(value))
  }
  const foreign = [...(Result.isFailure(found) ? found.failure.broken : []), ...named(sources.environment)].filter(
    given
  )
  if (foreign.length === 0) return yield* Effect.fromResult(found)
  const rest = Object.fromEntries(
    Object.entries(sources.environment).filter(([name]) => !foreign.some(({ variable }) => variable === name))
  )
  const settings = yield* within(read, yield* DotEnv.provider({ ...sources, environment: rest }))
  // Only the parent process reports: its workers read the same variables.
  if (!cluster.isWorker)
    for (const broken of Array.dedupeWith(foreign, (a, b) => a.variable === b.variable))
      yield* Console.error(`${lineOf(broken)}; what the environment has is ignored, as another program's`)
  return settings
})

const warnOfDollars = Effect.fnUntraced(function* ({ names, path }: Sources) {
  if (cluster.isWorker) return
  const fs = yield* FileSystem.FileSystem
  const text = yield* fs.readFileString(path).pipe(Effect.orElseSucceed(() => ""))
  for (const name of DotEnv.withDollar(text, names))
    yield* Console.error(
      `${name} in .env has a $: put its value into single quotes, or docker compose reads another one`
    )
})

const within = <A, E>(read: Effect.Effect<A, E>, provider: ConfigProvider.ConfigProvider): Effect.Effect<A, E> =>
  Effect.provideService(read, ConfigProvider.ConfigProvider, provider)

const named = (environment: DotEnv.Sources["environment"]): ReadonlyArray<BrokenVariable> =>
  LISTEN.flatMap((variable) => {
    const value = environment[variable] ?? ""
    return value === "" || value === "localhost" || isIP(value) !== 0
      ? []
      : [{ variable, expected: "an address such as 127.0.0.1 in development (a name can be set in .env)" }]
  })
