import type { Progress, TrackingRecord } from "@llm-saas/database/TrackingOutbox"
import { monotonicMillis } from "@llm-saas/domain/Time"
import { Clock, Effect, Layer } from "effect"
import * as Experiments from "./Experiments.ts"
import * as MlflowCalls from "./MlflowCalls.ts"
import { MlflowFailed } from "./MlflowFailed.ts"
import { MlflowHttp, TIMEOUT_MS } from "./MlflowHttp.ts"
import { Sink } from "./Sink.ts"

/** Options of the records sent to MLflow. */
export interface MlflowOptions extends Experiments.ExperimentOptions, MlflowCalls.Telling {
  /** MLflow's address, for the log. */
  readonly url: string
}

/** The first MLflow version whose traces support all we need: runs linked by a header, sessions, users, tags. */
const TRACES_SINCE = [3, 14] as const

/**
 * Records as MLflow's runs, traces and assessments. `runs/create` and, on older servers, traces are not idempotent: if one may have
 * arrived without an answer, it is searched for first. Everything else may be repeated.
 */
export const layer = (options: MlflowOptions) =>
  Layer.effect(
    Sink,
    Effect.gen(function* () {
      const http = yield* MlflowHttp
      const clock = yield* Clock.Clock
      const experiments = yield* Experiments.make(http, options)
      const mlflow = MlflowCalls.make(http, options)
      let traces = true

      const open = Effect.gen(function* () {
        // There may now be another server at the same address, with other experiments.
        yield* experiments.forgetAll
        const version = yield* Effect.catchIf(
          http.text({ method: "GET", path: "/version" }),
          // A proxy may allow only the API.
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

      /** If the experiment was deleted meanwhile, MLflow reports an invalid parameter. It is looked up, and restored, once. */
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

      /** A file store has no traces: only runs are sent. */
      const withoutTraces = ({ detail }: MlflowFailed) =>
        Effect.suspend(() => {
          const first = traces
          traces = false
          return first ? Effect.logWarning(`MLflow gets runs, and no traces: ${detail}`) : Effect.void
        })

      const send: Sink["Service"]["send"] = Effect.fnUntraced(function* (record, until) {
        let { run_id: runId, run_done: runDone, trace_sent: traceSent, unsure } = record
        const feedback: Array<Progress["feedback"][number]> = []
        const inTime = Effect.suspend(() =>
          monotonicMillis(clock) + TIMEOUT_MS < until
            ? Effect.void
            : Effect.fail(new MlflowFailed({ reason: "late", detail: "the claim ran out", unsure: false }))
        )
        /** For calls that must not be repeated: only while the claim is ours. Records whether the call may have been carried out. */
        const once = <A>(work: Effect.Effect<A, MlflowFailed>) =>
          Effect.andThen(inTime, work).pipe(
            Effect.tapError((failed) =>
              Effect.sync(() => {
                unsure ||= failed.unsure
              })
            )
          )

        const theRun = (experimentId: string) =>
          Effect.gen(function* () {
            const [found] = unsure ? yield* mlflow.findRuns(record, experimentId) : []
            return found ?? (yield* once(mlflow.makeRun(record, experimentId)))
          })

        const run = Effect.gen(function* () {
          if (runDone) return
          runId ??= yield* inExperiment(record, theRun)
          yield* mlflow.fillRun(record, runId)
        }).pipe(
          Effect.tapError((failed) =>
            Effect.sync(() => {
              // The run was deleted: the next attempt creates another.
              if (failed.reason === "gone") runId = null
            })
          )
        )

        const trace = Effect.gen(function* () {
          if (traceSent || !traces) return
          // A trace that arrived without an answer may not be linked yet.
          if (unsure && (yield* mlflow.hasTrace(record.trace_id)))
            return runId === null ? undefined : yield* mlflow.link(record.trace_id, runId)
          const sending = inExperiment(record, (experimentId) => mlflow.sendTrace(record, experimentId, runId))
          yield* Effect.catchIf(once(sending), ({ reason }) => reason === "unsupported", withoutTraces)
        }).pipe(
          Effect.map(() => {
            traceSent = true
          })
        )

        // The run's end is sent last: a FINISHED run has everything, except a trace that MLflow refuses.
        const end = Effect.gen(function* () {
          if (runDone || runId === null) return
          yield* mlflow.endRun(record, runId)
          runDone = true
        })
        const traceAndEnd = Effect.catchIf(
          trace,
          ({ reason }) => reason === "refused",
          (refused) => Effect.andThen(end, Effect.fail(refused))
        ).pipe(Effect.andThen(end))

        // A run that the search did not find may have arrived later, out of a stalled queue.
        const cleared = Effect.suspend(() =>
          unsure && runId !== null
            ? inExperiment(record, (experimentId) =>
                Effect.flatMap(mlflow.findRuns(record, experimentId), (runs) =>
                  Effect.forEach(
                    runs.filter((id) => id !== runId),
                    mlflow.deleteRun,
                    { discard: true }
                  )
                )
              )
            : Effect.void
        )

        const opinions = Effect.suspend(() =>
          Effect.forEach(
            traces ? record.feedback : [],
            (opinion) =>
              Effect.map(mlflow.assess(record, opinion), () => {
                feedback.push({ user_id: opinion.user_id, revision: opinion.revision })
              }),
            { discard: true }
          )
        )

        const failure = yield* run.pipe(
          Effect.andThen(traceAndEnd),
          Effect.andThen(cleared),
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
