import type { TrackingRecord } from "@llm-saas/database/TrackingOutbox"
import type { TenantId } from "@llm-saas/domain/Tenant"
import { monotonicMillis, wallMillis } from "@llm-saas/domain/Time"
import { Clock, Effect, FileSystem, Layer, type PlatformError } from "effect"
import { Digest, sha256 } from "effect/crypto/Digest"
import type { ExperimentOptions } from "./Experiments.ts"
import { MlflowFailed } from "./MlflowFailed.ts"
import { createRun, metricsOf, paramsOf, statusOf } from "./Run.ts"
import { type Sent, Sink } from "./Sink.ts"

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

      const placed = placing(files, directory)

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

      const writeRun = Effect.fnUntraced(function* (record: TrackingRecord) {
        if (record.run_done) return record.run_id
        const experiment = yield* experimentOf(record.tenant_id)
        const runId = record.generation_id.replaceAll("-", "")
        const place = `${directory}/${experiment}/${runId}`
        yield* placed(
          place,
          Effect.fnUntraced(function* (draft) {
            for (const folder of FOLDERS) yield* files.makeDirectory(`${draft}/${folder}`, { recursive: true })
            for (const [name, text] of filesOf(record, { experiment, runId, place }, options))
              yield* files.writeFileString(`${draft}/${name}`, text)
          })
        )
        workedAt = monotonicMillis(clock)
        return runId
      })

      return Sink.of({
        name: `the directory ${directory}`,
        advice: "a directory this program may write to",
        open: files.makeDirectory(directory, { recursive: true }).pipe(Effect.as(""), Effect.mapError(failed)),
        send: (record) =>
          writeRun(record).pipe(
            Effect.match({
              onSuccess: (runId) => whole(record, runId),
              onFailure: (error) => nothing(record, failed(error))
            })
          ),
        workedAt: () => workedAt
      })
    })
  )

/** Creates a path in a temporary directory and moves it into place, unless it exists already. */
const placing = (files: FileSystem.FileSystem, directory: string) =>
  Effect.fnUntraced(function* (
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

const FOLDERS = ["artifacts", "metrics", "params", "tags"] as const

/** Where a run is, and its id. */
interface Location {
  readonly experiment: string
  readonly runId: string
  /** The run's directory. */
  readonly place: string
}

/** The files of a run: their paths in its directory, and their text. */
const filesOf = (
  record: TrackingRecord,
  { experiment, place, runId }: Location,
  { environment, service }: FileOptions
): ReadonlyArray<readonly [name: string, text: string]> => {
  const { run_name, start_time, tags } = createRun(record, experiment, service)
  const meta = yaml({
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
  return [
    ...paramsOf(record, environment).map(({ key, value }) => [`params/${key}`, value] as const),
    ...metricsOf(record).map(
      ({ key, step, timestamp, value }) => [`metrics/${key}`, `${timestamp} ${value} ${step}\n`] as const
    ),
    ...tags.map(({ key, value }) => [`tags/${key}`, value] as const),
    ["tags/mlflow.runName", run_name],
    ["meta.yaml", meta]
  ]
}

/** All of the record is written. There are no traces and no assessments, so nothing else remains to be sent. */
const whole = ({ feedback }: TrackingRecord, runId: string | null): Sent => ({
  progress: {
    runId,
    runDone: true,
    traceSent: true,
    feedback: feedback.map(({ revision, user_id }) => ({ revision, user_id }))
  },
  unsure: false,
  failure: undefined
})

const nothing = ({ trace_sent }: TrackingRecord, failure: MlflowFailed): Sent => ({
  progress: { runId: null, runDone: false, traceSent: trace_sent, feedback: [] },
  unsure: false,
  failure
})

const failed = (error: PlatformError.PlatformError) =>
  new MlflowFailed({ reason: "unreachable", detail: error.reason._tag, unsure: false })

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
