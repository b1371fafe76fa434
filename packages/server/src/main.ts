import { NodeRuntime } from "@effect/platform-node"
import { Cause, Effect, Layer, Logger } from "effect"
import { announce } from "./Banner.ts"
import { DatabaseLayer } from "./Database.ts"
import { ServerLayer } from "./http/Server.ts"
import { Program } from "./Program.ts"
import { SecretKey } from "./SecretKey.ts"
import { Settings } from "./Settings.ts"
import { StartupFailed } from "./Startup.ts"

const Logs = Layer.unwrap(
  Effect.map(Settings, ({ APP_ENV }) =>
    Logger.layer([APP_ENV === "production" ? Logger.consoleJson : Logger.consolePretty()])
  )
)

Layer.effectDiscard(announce).pipe(
  Layer.provide(Program),
  Layer.provide(ServerLayer),
  Layer.provide(DatabaseLayer),
  Layer.provide(Logs),
  Layer.provide(SecretKey.layer),
  Layer.provide(Settings.layer),
  Layer.launch,
  Effect.tapCause((cause) =>
    Effect.sync(() => {
      if (Cause.hasInterruptsOnly(cause)) return
      const failed = cause.reasons.find((reason) => reason._tag === "Fail" && reason.error instanceof StartupFailed)
      console.error(failed?._tag === "Fail" ? failed.error.message : Cause.pretty(cause))
    })
  ),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
