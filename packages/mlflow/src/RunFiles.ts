import type { TrackingRecord } from "@llm-saas/database/TrackingOutbox"
import type { TenantId } from "@llm-saas/domain/Tenant"
import { monotonicMillis, wallMillis } from "@llm-saas/domain/Time"
import { Clock, Effect, FileSystem, Layer, type PlatformError } from "effect"
import { Digest, sha256 } from "effect/crypto/Digest"
import type { ExperimentOptions } from "./Experiments.ts"
import { MlflowFailed } from "./MlflowFailed.ts"
import { createRun, metricsOf, paramsOf, statusOf } from "./Run.ts"
import { Sink } from "./Sink.ts"

/** The directory of the runs, and values written into them. */
export interface FileOptions extends ExperimentOptions {
  /** An absolute path, without a trailing slash. */
  readonly directory: string
  readonly service: string
  readonly environment: string
}

/** MLflow's numbers for a run's status. */
const STATUS = { FINISHED: 3, FAILED: 4, KILLED: 5 } as const

/**
 * Runs as files in the layout of MLflow's file store (`mlflow ui --backend-store-uri ./mlruns`, from 3.13 on with
 * MLFLOW_ALLOW_FILE_STORE=true). It has no traces, and so no assessments. A run is written to a temporary directory and then moved into
 * place; its id is derived from the generation's, so that writing it twice makes one run.
 */
export const layer = (options: FileOptions) =>
  Layer.effect(
    Sink,
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const digest = yield* Digest
      const clock = yield* Clock.Clock
      const { directory } = options
      let workedAt = Number.NEGATIVE_INFINITY

      const experimentOf = Effect.fnUntraced(function* (tenantId: TenantId) {
        const name = options.isolation === "shared" ? options.experiment : `${options.experiment}/${tenantId}`
        // Derived from the name, so every process has the same number: 18 digits, as in MLflow.
        const hash = yield* Effect.orDie(digest.digestHex(sha256, new TextEncoder().encode(name)))
        const id = String((BigInt(`0x${hash.slice(0, 15)}`) % 900_000_000_000_000_000n) + 100_000_000_000_000_000n)
        const now = wallMillis(clock)
        yield* placed(`${directory}/${id}/meta.yaml`, (draft) =>
          files.writeFileString(
            draft,
            yaml({
              artifact_location: uriOf(`${directory}/${id}`),
              creation_time: now,
              experiment_id: id,
              last_update_time: now,
              lifecycle_stage: "active",
              name
            })
          )
        )
        return id
      })

      /** Creates a path in a temporary directory and moves it into place, unless it exists already. */
      const placed = Effect.fnUntraced(function* (
        path: string,
        make: (draft: string) => Effect.Effect<void, PlatformError.PlatformError>
      ) {
        if (yield* files.exists(path)) return
        const parent = path.slice(0, path.lastIndexOf("/"))
        yield* files.makeDirectory(parent, { recursive: true })
        const draft = yield* files.makeTempDirectory({ directory, prefix: ".draft-" })
        yield* make(`${draft}/it`).pipe(
          Effect.andThen(files.rename(`${draft}/it`, path)),
          // Another process was first.
          Effect.catch((error) =>
            Effect.flatMap(files.exists(path), (there) => (there ? Effect.void : Effect.fail(error)))
          ),
          Effect.ensuring(Effect.ignore(files.remove(draft, { recursive: true })))
        )
      })

      const writeRun = Effect.fnUntraced(function* (record: TrackingRecord) {
        if (record.run_done) return record.run_id
        const experiment = yield* experimentOf(record.tenant_id)
        const runId = record.generation_id.replaceAll("-", "")
        const { run_name, start_time, tags } = createRun(record, experiment, options.service)
        const place = `${directory}/${experiment}/${runId}`
        yield* placed(
          place,
          Effect.fnUntraced(function* (draft) {
            for (const folder of ["artifacts", "metrics", "params", "tags"])
              yield* files.makeDirectory(`${draft}/${folder}`, { recursive: true })
            for (const { key, value } of paramsOf(record, options.environment))
              yield* files.writeFileString(`${draft}/params/${key}`, value)
            for (const { key, step, timestamp, value } of metricsOf(record))
              yield* files.writeFileString(`${draft}/metrics/${key}`, `${timestamp} ${value} ${step}\n`)
            for (const { key, value } of [...tags, { key: "mlflow.runName", value: run_name }])
              yield* files.writeFileString(`${draft}/tags/${key}`, value)
            yield* files.writeFileString(
              `${draft}/meta.yaml`,
              yaml({
                artifact_uri: uriOf(`${place}/artifacts`),
                end_time: Math.trunc(record.ended_at),
                entry_point_name: "",
                experiment_id: experiment,
                lifecycle_stage: "active",
                run_id: runId,
                run_name,
                run_uuid: runId,
                source_name: "",
                source_type: 4,
                source_version: "",
                start_time,
                status: STATUS[statusOf(record)],
                tags: [],
                user_id: record.user_id
              })
            )
          })
        )
        workedAt = monotonicMillis(clock)
        return runId
      })

      const failed = (error: PlatformError.PlatformError) =>
        new MlflowFailed({ reason: "unreachable", detail: error.reason._tag, unsure: false })

      return Sink.of({
        name: `the directory ${directory}`,
        advice: "a directory this program may write to",
        open: files.makeDirectory(directory, { recursive: true }).pipe(Effect.as(""), Effect.mapError(failed)),
        send: (record) =>
          writeRun(record).pipe(
            Effect.match({
              onSuccess: (runId) => ({
                progress: {
                  runId,
                  runDone: true,
                  traceSent: true,
                  feedback: record.feedback.map(({ revision, user_id }) => ({ revision, user_id }))
                },
                unsure: false,
                failure: undefined
              }),
              onFailure: (error) => ({
                progress: { runId: null, runDone: false, traceSent: record.trace_sent, feedback: [] },
                unsure: false,
                failure: failed(error)
              })
            })
          ),
        workedAt: () => workedAt
      })
    })
  )

const yaml = (values: Readonly<Record<string, string | number | ReadonlyArray<never>>>): string =>
  Object.entries(values)
    .map(([key, value]) => {
      const text =
        typeof value === "string"
          ? `'${value.replaceAll("'", "''")}'`
          : typeof value === "number"
            ? String(value)
            : "[]"
      return `${key}: ${text}\n`
    })
    .join("")

/** Percent-encoded, as MLflow writes and reads it. */
const uriOf = (path: string) => `file://${path.split("/").map(encodeURIComponent).join("/")}`
