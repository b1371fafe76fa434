import type { Opinion, TrackingRecord } from "@llm-saas/database/TrackingOutbox"
import { Effect, Schema } from "effect"
import { type ContentPolicy, shown } from "./Content.ts"
import type { MlflowFailed } from "./MlflowFailed.ts"
import type { MlflowHttp } from "./MlflowHttp.ts"
import { createRun, endRun, logBatch, traceName } from "./Run.ts"
import { ASSESSMENT, assessmentOf, traceOf } from "./Trace.ts"

/** Settings for what MLflow is sent about a record. */
export interface Telling {
  /** The service's name. */
  readonly service: string
  readonly environment: string
  readonly content: ContentPolicy
}

/** Calls to MLflow for a record. All but `makeRun` may be repeated. */
export const make = (http: MlflowHttp["Service"], telling: Telling) => ({
  ...runCalls(http, telling),
  ...traceCalls(http, telling)
})

/** Runs of MLflow: the numbers of an answer. */
const runCalls = (http: MlflowHttp["Service"], telling: Telling) => {
  const post = posting(http)
  return {
    /** Its runs in MLflow, if any. */
    findRuns: (record: TrackingRecord, experimentId: string) =>
      Effect.map(
        http.call(
          {
            method: "POST",
            path: `${API}/runs/search`,
            body: {
              experiment_ids: [experimentId],
              filter: `tags.generation_id = '${record.generation_id}'`,
              max_results: 10
            }
          },
          Runs
        ),
        ({ runs }) => (runs ?? []).map(({ info }) => info.run_id)
      ),
    makeRun: (record: TrackingRecord, experimentId: string) =>
      Effect.map(
        http.call(
          { method: "POST", path: `${API}/runs/create`, body: createRun(record, experimentId, telling.service) },
          Run
        ),
        ({ run }) => run.info.run_id
      ),
    fillRun: (record: TrackingRecord, runId: string) =>
      post("runs/log-batch", logBatch(record, runId, telling.environment)),
    endRun: (record: TrackingRecord, runId: string) => post("runs/update", endRun(record, runId)),
    deleteRun: (runId: string) => post("runs/delete", { run_id: runId })
  }
}

/** Traces of MLflow: the question, the answer, and what users think of it. */
const traceCalls = (http: MlflowHttp["Service"], telling: Telling) => {
  const post = posting(http)

  const findTrace = (traceId: string) =>
    Effect.map(
      http.call({ method: "GET", path: `${API3}/traces/${traceName(traceId)}` }, Traced),
      ({ trace }) => trace.trace_info
    )

  return {
    /** Sends a trace, linked to its run. */
    sendTrace: (record: TrackingRecord, experimentId: string, runId: string | null) =>
      Effect.flatMap(shown(telling.content, record), (allowed) =>
        Effect.asVoid(
          http.text({
            method: "POST",
            path: "/v1/traces",
            headers: {
              "x-mlflow-experiment-id": experimentId,
              ...(runId === null ? {} : { "x-mlflow-run-id": runId })
            },
            // Redacted already.
            body: traceOf(allowed, { service: telling.service, runId, content: "full" })
          })
        )
      ),
    hasTrace: (traceId: string) =>
      findTrace(traceId).pipe(
        Effect.as(true),
        Effect.catchIf(
          ({ reason }: MlflowFailed) => reason === "gone",
          () => Effect.succeed(false)
        )
      ),
    link: (traceId: string, runId: string) =>
      post("traces/link-to-run", { trace_ids: [traceName(traceId)], run_id: runId }),

    /** One assessment per user: an existing one is changed. */
    assess: Effect.fnUntraced(function* (record: TrackingRecord, opinion: Opinion) {
      const { assessments } = yield* findTrace(record.trace_id)
      const known = assessments?.find(
        ({ assessment_name, source }) => assessment_name === ASSESSMENT && source?.source_id === opinion.user_id
      )
      const path = `${API3}/traces/${traceName(record.trace_id)}/assessments`
      const body = assessmentOf(record, opinion, telling.content)
      yield* known === undefined
        ? http.text({ method: "POST", path, body })
        : http.text({
            method: "PATCH",
            path: `${path}/${known.assessment_id}`,
            body: { ...body, update_mask: "feedback,rationale" }
          })
    })
  }
}

const posting = (http: MlflowHttp["Service"]) => (path: string, body: unknown) =>
  Effect.asVoid(http.text({ method: "POST", path: `${API}/${path}`, body }))

const API = "/api/2.0/mlflow"
const API3 = "/api/3.0/mlflow"

const RunInfo = Schema.Struct({ info: Schema.Struct({ run_id: Schema.String }) })
const Run = Schema.Struct({ run: RunInfo })
const Runs = Schema.Struct({ runs: Schema.optionalKey(Schema.Array(RunInfo)) })
const Traced = Schema.Struct({
  trace: Schema.Struct({
    trace_info: Schema.Struct({
      assessments: Schema.optionalKey(
        Schema.Array(
          Schema.Struct({
            assessment_id: Schema.String,
            assessment_name: Schema.String,
            source: Schema.optionalKey(Schema.Struct({ source_id: Schema.optionalKey(Schema.String) }))
          })
        )
      )
    })
  })
})
