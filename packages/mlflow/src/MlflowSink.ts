import type { TrackingRecord } from "@llm-saas/database/TrackingOutbox"
import { monotonicMillis } from "@llm-saas/domain/Time"
import { Clock, Effect, Layer } from "effect"
import { begin, type Delivery, type DeliveryEvent, evolve, isCreation, next, sentOf, type Step } from "./Delivery.ts"
import * as Experiments from "./Experiments.ts"
import * as MlflowCalls from "./MlflowCalls.ts"
import { MlflowFailed } from "./MlflowFailed.ts"
import { MlflowHttp, TIMEOUT_MS } from "./MlflowHttp.ts"
import { type Sent, Sink } from "./Sink.ts"

/** Options of the records sent to MLflow. */
export interface MlflowOptions extends Experiments.ExperimentOptions, MlflowCalls.Telling {
  /** MLflow's address, for the log. */
  readonly url: string
}

/** The first MLflow version whose traces support all we need: runs linked by a header, sessions, users, tags. */
const TRACES_SINCE = [3, 14] as const

/**
 * Records as MLflow's runs, traces and assessments. `runs/create` and, on older servers, traces are not idempotent: if one may have
 * arrived without an answer, it is searched for first. Everything else may be repeated. The order of the steps is in `Delivery.ts`.
 */
export const layer = (options: MlflowOptions) =>
  Layer.effect(
    Sink,
    Effect.gen(function* () {
      const http = yield* MlflowHttp
      const clock = yield* Clock.Clock
      const experiments = yield* Experiments.make(http, options)
      const traces = traceSupport()
      const carryOut = interpreter({ mlflow: MlflowCalls.make(http, options), experiments, traces })

      const open = Effect.gen(function* () {
        // There may now be another server at the same address, with other experiments.
        yield* experiments.forgetAll
        const version = yield* Effect.catchIf(
          http.text({ method: "GET", path: "/version" }),
          // A proxy may allow only the API.
          ({ reason }) => reason === "unsupported" || reason === "gone",
          () => Effect.succeed("")
        )
        return yield* traces.judge(version)
      })

      const attempt = (record: TrackingRecord, until: number, delivery: Delivery): Effect.Effect<Sent> => {
        const step = next(record, delivery, traces.supported())
        if (step.step === "stop") return Effect.succeed(sentOf(delivery, step.failure))
        const isLate = isCreation(step) && monotonicMillis(clock) + TIMEOUT_MS >= until
        const work = isLate
          ? Effect.fail(new MlflowFailed({ reason: "late", detail: "the claim ran out", unsure: false }))
          : carryOut(record, step)
        return work.pipe(
          Effect.catch((failure) => Effect.succeed<DeliveryEvent>({ event: "failed", step, failure })),
          Effect.flatMap((event) => attempt(record, until, evolve(delivery, event)))
        )
      }

      return Sink.of({
        name: `MLflow at ${options.url}`,
        advice: "`pip install mlflow`, `mlflow ui --port 5001`",
        open,
        send: (record, until) => Effect.suspend(() => attempt(record, until, begin(record))),
        workedAt: http.workedAt
      })
    })
  )

/** Whether the server has traces, as far as known. */
const traceSupport = () => {
  let supported = true
  return {
    supported: () => supported,
    /** Decides by the version, and returns it as shown in the log. Without a version: supported until a call shows otherwise. */
    judge: (version: string) =>
      Effect.suspend(() => {
        const [major, minor] = (/^\s*(\d+)\.(\d+)/u.exec(version) ?? []).slice(1).map(Number)
        if (major === undefined || minor === undefined) {
          supported = true
          return Effect.succeed("")
        }
        supported = major > TRACES_SINCE[0] || (major === TRACES_SINCE[0] && minor >= TRACES_SINCE[1])
        const shown = Effect.succeed(version.trim().slice(0, 40))
        return supported
          ? shown
          : Effect.andThen(
              Effect.logWarning(`MLflow ${major}.${minor} gets runs, and no traces: they need 3.14 or newer`),
              shown
            )
      }),
    /** A file store has no traces: only runs are sent. */
    missing: ({ detail }: MlflowFailed) =>
      Effect.suspend(() => {
        const first = supported
        supported = false
        return first ? Effect.logWarning(`MLflow gets runs, and no traces: ${detail}`) : Effect.void
      })
  }
}

interface Parts {
  readonly mlflow: ReturnType<typeof MlflowCalls.make>
  readonly experiments: Effect.Success<ReturnType<typeof Experiments.make>>
  readonly traces: ReturnType<typeof traceSupport>
}

/** Carries out one step. */
const interpreter =
  ({ experiments, mlflow, traces }: Parts) =>
  (
    record: TrackingRecord,
    step: Exclude<Step, { readonly step: "stop" }>
  ): Effect.Effect<DeliveryEvent, MlflowFailed> => {
    switch (step.step) {
      case "findExperiment":
        return (step.again ? experiments.forget(record.tenant_id) : Effect.void).pipe(
          Effect.andThen(experiments.idOf(record.tenant_id)),
          Effect.map((experimentId) => ({ event: "experimentFound", experimentId }))
        )
      case "findRuns":
        return Effect.map(mlflow.findRuns(record, step.experimentId), (runIds) => ({ event: "runsFound", runIds }))
      case "createRun":
        return Effect.map(mlflow.makeRun(record, step.experimentId), (runId) => ({ event: "runCreated", runId }))
      case "fillRun":
        return Effect.as(mlflow.fillRun(record, step.runId), { event: "runFilled" })
      case "findTrace":
        return Effect.map(mlflow.hasTrace(record.trace_id), (found) => ({ event: "traceSearched", found }))
      case "linkTrace":
        return Effect.as(mlflow.link(record.trace_id, step.runId), { event: "traceSent" })
      case "sendTrace":
        return mlflow.sendTrace(record, step.experimentId, step.runId).pipe(
          Effect.catchIf(({ reason }) => reason === "unsupported", traces.missing),
          Effect.as({ event: "traceSent" })
        )
      case "skipTrace":
        return Effect.succeed({ event: "traceSent" })
      case "endRun":
        return Effect.as(mlflow.endRun(record, step.runId), { event: "runEnded" })
      case "deleteRun":
        return Effect.as(mlflow.deleteRun(step.runId), { event: "runDeleted", runId: step.runId })
      case "assess":
        return Effect.as(mlflow.assess(record, step.opinion), { event: "assessed", opinion: step.opinion })
    }
  }
