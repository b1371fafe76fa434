import { Context, Effect, Layer, type LogLevel } from "effect"
import { Settings } from "../config/Settings.ts"

/** Format and level of the log. */
export class LogOptions extends Context.Service<
  LogOptions,
  {
    /** One JSON object per line, for programs; or readable lines, for operators. */
    readonly format: "json" | "readable"
    readonly colour: boolean
    readonly level: LogLevel.LogLevel
  }
>()("@llm-saas/server/logging/LogOptions") {
  static readonly layer = Layer.effect(
    LogOptions,
    Effect.map(Settings, ({ APP_ENV, DEBUG, LOG_LEVEL }) =>
      LogOptions.of({
        format: APP_ENV === "production" ? "json" : "readable",
        colour:
          (process.stdout.isTTY === true || process.env["FORCE_COLOR"] === "1")
          && process.env["NO_COLOR"] === undefined,
        level: LEVELS[LOG_LEVEL ?? (DEBUG === true ? "debug" : "info")]
      })
    )
  )
}

const LEVELS = { debug: "Debug", info: "Info", warning: "Warn", error: "Error" } satisfies Record<
  string,
  LogLevel.LogLevel
>
