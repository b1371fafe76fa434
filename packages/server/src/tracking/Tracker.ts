import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { repeat } from "@llm-saas/domain/Loop"
import { type Lag, TrackingOutbox } from "@llm-saas/database/TrackingOutbox"
import { type Destination, destinationOf } from "@llm-saas/mlflow/Destination"
import { type Address, MlflowHttp } from "@llm-saas/mlflow/MlflowHttp"
import * as MlflowSink from "@llm-saas/mlflow/MlflowSink"
import * as RunFiles from "@llm-saas/mlflow/RunFiles"
import { Tracking } from "@llm-saas/mlflow/Tracking"
import { Effect, Layer, Redacted } from "effect"
import { layerWebCrypto as DigestLayer } from "effect/crypto/Digest"
import { layerWebCrypto as RandomLayer } from "effect/crypto/SecureRandom"
import { resolve } from "node:path"
import { JobsLogin, JobsPoolLayer } from "../Database.ts"
import { HttpOutgoingLayer } from "../http/HttpOutgoing.ts"
import { availability, gauge, total } from "../metrics/Gauge.ts"
import { Settings } from "../config/Settings.ts"

/** Records sent to MLflow at once, per installation process: what MLflow on SQLite takes without queueing. */
const CONCURRENCY = 4

/**
 * Sends ended answers to MLflow in the background, over its own connections and with its own login. Where that login is not known,
 * records stay in the database until a process that knows it sends them.
 */
export const TrackingLayer = Layer.unwrap(
  Effect.gen(function* () {
    const settings = yield* Settings
    const { url } = yield* JobsLogin
    const destination = destinationOf(settings.MLFLOW_TRACKING_URI) ?? { kind: "off" }
    if (url === undefined) {
      yield* Effect.logWarning(
        destination.kind === "off"
          ? "DATABASE_JOBS_URL is not set: records for MLflow stay in the database, where only that login can remove them"
          : "DATABASE_JOBS_URL is not set: answers are kept for MLflow, and not sent there"
      )
      return Layer.empty
    }
    return (settings.METRICS_PORT === undefined ? Layer.empty : Gauges).pipe(
      Layer.provide(sending(destination, settings)),
      Layer.provide(TrackingOutbox.layer),
      Layer.provide(JobsPoolLayer)
    )
  })
)

/** How often (ms) the outbox is counted for the metrics. */
const COUNTED_MS = 10_000

/** Gauges of how far MLflow is behind. */
const Gauges = Layer.effectDiscard(
  Effect.gen(function* () {
    const outbox = yield* TrackingOutbox
    const { count } = yield* Tracking
    let lag: Lag = { pending: 0, parked: 0, oldestSeconds: 0 }
    const look = Effect.map(
      Effect.orElseSucceed(outbox.lag, () => lag),
      (found) => {
        lag = found
      }
    )
    yield* repeat(
      { name: "the count of answers to track", late: "5 minutes" },
      Effect.andThen(look, Effect.sleep(COUNTED_MS))
    )
    yield* gauge("tracking_pending", "Answers that MLflow does not know yet.", () => lag.pending)
    yield* gauge("tracking_parked", "Answers that MLflow refuses, which wait for a person.", () => lag.parked)
    yield* gauge("tracking_oldest_seconds", "For how long the oldest of them has waited.", () => lag.oldestSeconds)
    yield* total("tracking_sent_total", "Answers sent by this process.", () => count().sent)
    yield* availability("mlflow")
    yield* gauge("tracking_up", "Whether MLflow answers.", () => (count().open === true ? 1 : 0))
  })
)

const sending = (destination: Destination, settings: Settings["Service"]) => {
  switch (destination.kind) {
    case "off":
      return Tracking.layerOff
    case "files":
      return Tracking.layer({ concurrency: 1, content: false }).pipe(
        Layer.provide(
          RunFiles.layer({
            directory: resolve(destination.directory),
            service: settings.APP_NAME,
            environment: settings.APP_ENV,
            experiment: settings.MLFLOW_EXPERIMENT,
            isolation: settings.MLFLOW_TENANT_ISOLATION
          })
        ),
        Layer.provide([NodeFileSystem.layer, DigestLayer, RandomLayer])
      )
    case "http":
      return Tracking.layer({ concurrency: CONCURRENCY, content: settings.MLFLOW_LOG_CONTENT !== "off" }).pipe(
        Layer.provide(
          MlflowSink.layer({
            url: destination.url,
            service: settings.APP_NAME,
            environment: settings.APP_ENV,
            content: settings.MLFLOW_LOG_CONTENT,
            experiment: settings.MLFLOW_EXPERIMENT,
            isolation: settings.MLFLOW_TENANT_ISOLATION
          })
        ),
        Layer.provide(MlflowHttp.layer({ url: destination.url, credentials: credentialsOf(settings) })),
        Layer.provide([HttpOutgoingLayer, RandomLayer])
      )
  }
}

/** A name and a password take precedence over a token, as in MLflow's own clients. */
const credentialsOf = ({
  MLFLOW_TRACKING_PASSWORD,
  MLFLOW_TRACKING_TOKEN,
  MLFLOW_TRACKING_USERNAME
}: Settings["Service"]): Address["credentials"] => {
  if (MLFLOW_TRACKING_USERNAME !== undefined)
    return {
      kind: "basic",
      username: MLFLOW_TRACKING_USERNAME,
      password: MLFLOW_TRACKING_PASSWORD ?? Redacted.make("")
    }
  return MLFLOW_TRACKING_TOKEN === undefined ? { kind: "none" } : { kind: "bearer", token: MLFLOW_TRACKING_TOKEN }
}
