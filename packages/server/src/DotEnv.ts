import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { ConfigProvider, Effect, Layer } from "effect"
import { SettingsInvalid } from "./SettingsInvalid.ts"

/**
 * The variables of the process, and behind them those of a `.env` file where there is one: what the environment says wins. An
 * empty variable counts as absent in both, as it does in a compose file's `${NAME:-}`.
 */
export const provider = Effect.fnUntraced(function* (
  path: string,
  environment: Readonly<Record<string, string | undefined>>
) {
  const given = ConfigProvider.fromEnvRecord(environment)
  const file = yield* ConfigProvider.fromDotEnv({ path }).pipe(
    Effect.catchReason("PlatformError", "NotFound", () => Effect.succeed(ConfigProvider.fromEnvRecord({}))),
    Effect.mapError(
      () => new SettingsInvalid({ broken: [{ variable: path, expected: "a text file that may be read" }] })
    )
  )
  return ConfigProvider.orElse(given, file)
})

/** As above, for the process and the working directory. */
export const layer: Layer.Layer<never, SettingsInvalid> = ConfigProvider.layer(
  Effect.suspend(() => provider(".env", process.env))
).pipe(Layer.provide(NodeFileSystem.layer))
