import { NodeRuntime } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { announceServer } from "./process/Banner.ts"
import { ContainerLoopbackLayer } from "./process/ContainerLoopback.ts"
import { DatabaseLayer, RolesLayer } from "./Database.ts"
import { HttpOptions } from "./http/HttpOptions.ts"
import { LogLines } from "./logging/LogLines.ts"
import { LogOptions } from "./logging/LogOptions.ts"
import { LogsLayer } from "./logging/Logs.ts"
import { MailerLayer } from "./mail/Mailer.ts"
import { MetricsLayer } from "./metrics/Metrics.ts"
import { ProgramLayer } from "./Program.ts"
import { SecretKey } from "./auth/SecretKey.ts"
import { Settings } from "./config/Settings.ts"
import { exitCode, explainServer } from "./process/Startup.ts"
import { TracesLayer } from "./tracking/Traces.ts"
import { TrackingLayer } from "./tracking/Tracker.ts"
import { isWorker, WorkersLayer } from "./process/Workers.ts"

const Server = Layer.effectDiscard(announceServer).pipe(
  Layer.provide(ProgramLayer),
  // With several workers, their parent process does this.
  Layer.merge(isWorker ? Layer.empty : Layer.mergeAll(TrackingLayer, MailerLayer, ContainerLoopbackLayer)),
  Layer.merge(MetricsLayer),
  Layer.provide(TracesLayer),
  Layer.provide(DatabaseLayer),
  Layer.provide(HttpOptions.layer)
)

Layer.unwrap(Effect.map(Settings, ({ WORKERS }) => (WORKERS > 1 && !isWorker ? WorkersLayer : Server))).pipe(
  Layer.provide(LogsLayer),
  Layer.provide([LogLines.layer, LogOptions.layer]),
  Layer.provide(SecretKey.layer),
  Layer.provide(RolesLayer),
  Layer.provide(Settings.layer),
  Layer.launch,
  Effect.tapCause(explainServer),
  NodeRuntime.runMain({ disableErrorReporting: true, teardown: exitCode })
)
