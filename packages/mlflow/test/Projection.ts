import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { PreTenantAccess } from "@llm-saas/database/PreTenantAccess"
import { Pool } from "@llm-saas/database/connections/Pool"
import { Tenancy } from "@llm-saas/database/Tenancy"
import { TrackingOutbox } from "@llm-saas/database/TrackingOutbox"
import { GenerationStore } from "@llm-saas/database/GenerationStore"
import { MlflowHttp } from "@llm-saas/mlflow/MlflowHttp"
import * as MlflowSink from "@llm-saas/mlflow/MlflowSink"
import * as RunFiles from "@llm-saas/mlflow/RunFiles"
import { Tracking } from "@llm-saas/mlflow/Tracking"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Layer, Schedule } from "effect"
import { layerWebCrypto as DigestLayer } from "effect/crypto/Digest"
import { layerWebCrypto } from "effect/crypto/SecureRandom"
import { FetchHttpClient } from "effect/http"

/** The services that store answers for a test, and the outbox. */
export const world = Layer.mergeAll(
  Layer.mergeAll(Tenancy.layer, PreTenantAccess.layer, GenerationStore.layer).pipe(
    Layer.provide(
      Layer.unwrap(
        Effect.map(TestDatabase, ({ apiUrl }) =>
          Pool.layer({ url: apiUrl, size: 4, acquireTimeout: "10 seconds", waiting: 5000 })
        )
      )
    )
  ),
  TrackingOutbox.layer.pipe(
    Layer.provide(
      Layer.unwrap(
        Effect.map(TestDatabase, ({ jobsUrl }) =>
          Pool.layer({ url: jobsUrl, size: 4, acquireTimeout: "10 seconds", waiting: 5000 })
        )
      )
    )
  )
).pipe(Layer.provideMerge(TestDatabase.layer))

/** The program's own layers to MLflow. */
export const tracking = (
  url: string,
  options: Partial<MlflowSink.MlflowOptions> & { readonly concurrency?: number } = {}
) =>
  Tracking.layer({ concurrency: options.concurrency ?? 4, content: options.content !== "off" }).pipe(
    Layer.provide(
      MlflowSink.layer({
        url,
        service: "llm-saas",
        environment: "test",
        content: "full",
        experiment: "llm-inference",
        isolation: "experiment",
        ...options
      })
    ),
    Layer.provide(MlflowHttp.layer({ url, credentials: { kind: "none" } })),
    Layer.provide([FetchHttpClient.layer, layerWebCrypto])
  )

/** The same into files. */
export const trackingFiles = (directory: string) =>
  Tracking.layer({ concurrency: 1, content: false }).pipe(
    Layer.provide(
      RunFiles.layer({
        directory,
        service: "llm-saas",
        environment: "test",
        experiment: "llm-inference",
        isolation: "experiment"
      })
    ),
    Layer.provide([NodeFileSystem.layer, DigestLayer, layerWebCrypto])
  )

/** Waits until this many records are pending. */
export const waiting = (enough: (pending: number) => boolean) =>
  Effect.flatMap(TrackingOutbox, ({ lag }) =>
    lag.pipe(
      Effect.repeat({ until: ({ pending }) => enough(pending), schedule: Schedule.spaced("50 millis") }),
      Effect.asVoid
    )
  )

/** Waits until no record is pending. */
export const drained = waiting((pending) => pending === 0)
