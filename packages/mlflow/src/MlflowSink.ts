import type { Opinion, Progress, TrackingRecord } from "@llm-saas/database/TrackingOutbox"
import { Clock, Effect, Layer, Schema } from "effect"
import type { ContentPolicy } from "./Content.ts"
import * as Experiments from "./Experiments.ts"
import { MlflowFailed } from "./MlflowFailed.ts"
import { MlflowHttp, TIMEOUT } from "./MlflowHttp.ts"
import { createRun, endRun, logBatch, traceName } from "./Run.ts"
import { Sink } from "./Sink.ts"
import { ASSESSMENT, assessmentOf, traceOf } from "./Trace.ts"

/** What MLflow is told, and how. */
export interface MlflowOptions extends Experiments.ExperimentOptions {
  /** For people who read logs: where it is, without credentials. */
  readonly url: string
  /** What the service calls itself. */
  readonly service: string
  readonly environment: string
  readonly content: ContentPolicy
}

/** The first MLflow whose traces have all that is promised: runs linked by a header, sessions, users, tags. */
const TRACES_SINCE = [3, 14] as const

/**
 * Records as MLflow's runs, traces and assessments. `runs/create` and, on older servers, traces are not idempotent: where something may
 * have arrived unheard, it is looked for first. Everything else may be repeated.
 */
export const layer = (options: MlflowOptions) =>
  Layer.effect(
    Sink,
    Effect.gen(function* () {
      const http = yield* MlflowHttp
      const clock = yield* Clock.Clock
      const experiments = yield* Experiments.make(http, options)
      let traces = true

      const open = Effect.gen(function* () {
        // Another server may answer at the same address, with other experiments.
        yield* experiments.forgetAll
        const version = yield* Effect.catchIf(
          http.text({ method: "GET", path: "/version" }),
          // A proxy may let nothing but the API through.
          ({ reason }) => reason === "unsupported" || reason === "gone",
          () => Effect.succeed("")
        )
        const [major, minor] = (/^\s*(\d+)\.(\d+)/u.exec(version) ?? []).slice(1).map(Number)
        if (major === undefined || minor === undefined) {
          traces = true
          return ""
        }
        traces = major > TRACES_SINCE[0] || (major === TRACES_SINCE[0] && minor >= TRACES_SINCE[1])
        if (!traces)
          yield* Effect.logWarning(`MLflow ${major}.${minor} gets runs, and no traces: they need 3.14 or newer`)
        return version.trim().slice(0, 40)
      })

      const findRun = Effect.fnUntraced(function* (record: TrackingRecord, experimentId: string) {
        const { runs } = yield* http.call(
          {
            method: "POST",
            path: "/api/2.0/mlflow/runs/search",
            body: {
              experiment_ids: [experimentId],
              filter: `tags.generation_id = '${record.generation_id}'`,
              max_results: 1
            }
          },
          Runs
        )
        return runs?.[0]?.info.run_id
      })

      const makeRun = Effect.fnUntraced(function* (record: TrackingRecord, experimentId: string) {
        const { run } = yield* http.call(
          {
            method: "POST",
            path: "/api/2.0/mlflow/runs/create",
            body: createRun(record, experimentId, options.service)
          },
          Run
        )
        return run.info.run_id
      })

      /** The experiment was deleted under us: MLflow calls that an invalid parameter. It is looked up, and restored, once. */
      const inExperiment = <A>(
        record: TrackingRecord,
        work: (experimentId: string) => Effect.Effect<A, MlflowFailed>
      ): Effect.Effect<A, MlflowFailed> => {
        const attempt = Effect.flatMap(experiments.idOf(record.tenant_id), work)
        return Effect.catchIf(
          attempt,
          ({ reason }) => reason === "gone" || reason === "refused",
          () => Effect.andThen(experiments.forget(record.tenant_id), attempt)
        )
      }

      const sendTrace = (record: TrackingRecord, experimentId: string, runId: string | null) =>
        http
          .text({
            method: "POST",
            path: "/v1/traces",
            headers: {
              "x-mlflow-experiment-id": experimentId,
              ...(runId === null ? {} : { "x-mlflow-run-id": runId })
            },
            body: traceOf(record, { service: options.service, runId, content: options.content })
          })
          .pipe(
            Effect.asVoid,
            // A file store: its runs are as good as any.
            Effect.catchIf(
              ({ reason }) => reason === "unsupported",
              ({ detail }) =>
                Effect.suspend(() => {
                  const first = traces
                  traces = false
                  return first ? Effect.logWarning(`MLflow gets runs, and no traces: ${detail}`) : Effect.void
                })
            )
          )

      const findTrace = (traceId: string) =>
        Effect.map(
          http.call({ method: "GET", path: `/api/3.0/mlflow/traces/${traceName(traceId)}` }, Traced),
          ({ trace }) => trace.trace_info
        )

      const isThere = (traceId: string) =>
        findTrace(traceId).pipe(
          Effect.as(true),
          Effect.catchIf(
            ({ reason }) => reason === "gone",
            () => Effect.succeed(false)
          )
        )

      /** A trace that arrived unheard may not have come as far as its link. */
      const link = (traceId: string, runId: string) =>
        Effect.asVoid(
          http.text({
            method: "POST",
            path: "/api/2.0/mlflow/traces/link-to-run",
            body: { trace_ids: [traceName(traceId)], run_id: runId }
          })
        )

      /** One assessment a user: the one that is there is changed. */
      const assess = Effect.fnUntraced(function* (record: TrackingRecord, opinion: Opinion) {
        const { assessments } = yield* findTrace(record.trace_id)
        const known = assessments?.find(
          ({ assessment_name, source }) => assessment_name === ASSESSMENT && source?.source_id === opinion.user_id
        )
        const path = `/api/3.0/mlflow/traces/${traceName(record.trace_id)}/assessments`
        const body = assessmentOf(record, opinion, options.content)
        yield* known === undefined
          ? http.text({ method: "POST", path, body })
          : http.text({
              method: "PATCH",
              path: `${path}/${known.assessment_id}`,
              body: { ...body, update_mask: "feedback,rationale" }
            })
      })

      const send: Sink["Service"]["send"] = Effect.fnUntraced(function* (record, until) {
        let { run_id: runId, run_done: runDone, trace_sent: traceSent, unsure } = record
        const feedback: Array<Progress["feedback"][number]> = []
        const inTime = Effect.suspend(() =>
          clock.currentTimeMillisUnsafe() + TIMEOUT < until
            ? Effect.void
            : Effect.fail(new MlflowFailed({ reason: "late", detail: "the claim ran out", unsure: false }))
        )
        /** What may not be done twice: only while the claim is ours, and remembered when nobody knows whether it was. */
        const once = <A>(work: Effect.Effect<A, MlflowFailed>) =>
          Effect.andThen(inTime, work).pipe(
            Effect.tapError((failed) =>
              Effect.sync(() => {
                unsure ||= failed.unsure
              })
            )
          )

        const run = Effect.gen(function* () {
          if (runDone) return
          runId ??= yield* inExperiment(record, (experimentId) =>
            Effect.gen(function* () {
              const found = unsure ? yield* findRun(record, experimentId) : undefined
              return found ?? (yield* once(makeRun(record, experimentId)))
            })
          )
          yield* http.text({
            method: "POST",
            path: "/api/2.0/mlflow/runs/log-batch",
            body: logBatch(record, runId, options.environment)
          })
        }).pipe(
          Effect.tapError((failed) =>
            Effect.sync(() => {
              // Somebody deleted it: the next attempt makes another.
              if (failed.reason === "gone") runId = null
            })
          )
        )

        const trace = Effect.gen(function* () {
          if (traceSent || !traces) return
          if (unsure && (yield* isThere(record.trace_id)))
            return runId === null ? undefined : yield* link(record.trace_id, runId)
          yield* once(inExperiment(record, (experimentId) => sendTrace(record, experimentId, runId)))
        }).pipe(
          Effect.map(() => {
            traceSent = true
          })
        )

        // The run's end comes last: a run that is FINISHED has everything.
        const end = Effect.gen(function* () {
          if (runDone || runId === null) return
          yield* http.text({ method: "POST", path: "/api/2.0/mlflow/runs/update", body: endRun(record, runId) })
          runDone = true
        })

        const opinions = Effect.suspend(() =>
          traces
            ? Effect.forEach(
                record.feedback,
                (opinion) =>
                  Effect.map(assess(record, opinion), () => {
                    feedback.push({ user_id: opinion.user_id, revision: opinion.revision })
                  }),
                { discard: true }
              )
            : Effect.void
        )

        const failure = yield* run.pipe(
          Effect.andThen(trace),
          Effect.andThen(end),
          Effect.andThen(opinions),
          Effect.as(undefined),
          Effect.catch((failed) => Effect.succeed(failed))
        )
        return {
          progress: { runId, runDone, traceSent, feedback },
          unsure: failure !== undefined && unsure,
          failure
        }
      })

      return Sink.of({
        name: `MLflow at ${options.url}`,
        advice: "`pip install mlflow`, `mlflow ui --port 5001`",
        open,
        send,
        workedAt: http.workedAt
      })
    })
  )

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
