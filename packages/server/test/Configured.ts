import { ConfigProvider, Effect, Layer } from "effect"
import { Settings, settings } from "../src/config/Settings.ts"

/** The settings from only these variables. */
export const configured = (variables: Readonly<Record<string, string>> = {}) =>
  Layer.effect(Settings, settings).pipe(
    Layer.provide(ConfigProvider.layer(Effect.succeed(ConfigProvider.fromEnvRecord(variables))))
  )
