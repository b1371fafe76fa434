import { repeat } from "@llm-saas/domain/Loop"
import type { Configuration } from "@llm-saas/llm/routes/Configuration"
import { type ConfigProvider, Effect, type FileSystem } from "effect"
import type { Defaults } from "./Defaults.ts"
import { load, same, type Snapshot, snapshot } from "./ProvidersFile.ts"

/** Between two looks at the file. A change is used with the second look that sees it: the first may be in the middle of its writing. */
const EVERY = "3 seconds"

interface Watched {
  readonly path: string
  readonly defaults: Defaults
  /** The environment, for the variables that the file names. */
  readonly variables: Effect.Effect<ConfigProvider.ConfigProvider>
}

/** The configuration of a file, as it is at the start: every error of it is a failure. */
export const read = Effect.fnUntraced(function* ({ defaults, path, variables }: Watched) {
  const found = yield* snapshot(path)
  const { configuration, warnings } = yield* load(path, found, defaults, yield* variables)
  for (const warning of warnings) yield* Effect.logWarning(`PROVIDERS_FILE: ${warning}`)
  return { configuration, found }
})

/**
 * One look at the file. It is used again when it, or a file with a key that it names, has changed and is as the look before saw it. One
 * with errors is logged once, and what was used before stays.
 */
export const looks = (
  { defaults, path, variables }: Watched,
  first: Snapshot,
  use: (configuration: Configuration) => Effect.Effect<void>
) => {
  let used = first
  let seen = first
  const look: Effect.Effect<void, never, FileSystem.FileSystem> = Effect.gen(function* () {
    const found = yield* snapshot(path)
    const steady = same(found, seen)
    seen = found
    if (!steady || same(found, used)) return
    used = found
    yield* Effect.matchEffect(
      Effect.flatMap(variables, (given) => load(path, found, defaults, given)),
      {
        onFailure: ({ message }) =>
          Effect.logError(`${message}\n  The providers stay as they were before.`, { providers_file: path }),
        onSuccess: Effect.fnUntraced(function* ({ configuration, warnings }) {
          yield* use(configuration)
          for (const warning of warnings) yield* Effect.logWarning(`PROVIDERS_FILE: ${warning}`)
          const { models, providers } = configuration
          yield* Effect.logInfo(`PROVIDERS_FILE was read again: ${providers.length} providers, ${models.length} models`)
        })
      }
    )
  })
  return look
}

/** Looks every few seconds, for as long as the scope is open. */
export const watch = (...watched: Parameters<typeof looks>) =>
  repeat({ name: "the look at PROVIDERS_FILE", every: EVERY, late: "1 minute" }, looks(...watched))
