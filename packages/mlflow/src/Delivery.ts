import type { Opinion, Progress, TrackingRecord } from "@llm-saas/database/TrackingOutbox"
import type { MlflowFailed } from "./MlflowFailed.ts"
import type { Sent } from "./Sink.ts"

// One attempt to send a record to MLflow, as a state machine. `next` gives the step to carry out, `evolve` the state after it. The only
// actor is the sink of the process that has the claim on the record.
//
// | part      | steps, in this order                         | after it                                                     |
// |-----------|----------------------------------------------|--------------------------------------------------------------|
// | run       | (findRuns), createRun, fillRun               | `runId` is set, and params and metrics are in the run        |
// | trace     | (findTrace), then linkTrace or sendTrace     | `traceSent`                                                  |
// | end       | endRun                                       | `runDone`                                                    |
// | doubles   | (findRuns, deleteRun for each other run)     | the run is the only one of the record                        |
// | feedback  | assess for each opinion                      | `feedback` has every opinion of the record                   |
//
// Steps in parentheses are carried out only for an `unsure` record: an earlier attempt may have arrived without an answer.
// `findExperiment` comes before the first step that needs the experiment. A part that an earlier attempt completed is left out. A failure
// ends the attempt, with two exceptions: the experiment is looked up again once in each part, and a trace that MLflow refuses does not
// keep the run from its end.

/** The state of an attempt. */
export interface Delivery extends Progress {
  /** The run or the trace may have arrived without an answer. */
  readonly unsure: boolean
  /** Undefined: not looked up yet. */
  readonly experimentId: string | undefined
  /** Whether this part of the attempt has looked up the experiment a second time. */
  readonly experimentRenewed: boolean
  /** Whether the record's run was searched for, before one is created. */
  readonly runSearched: boolean
  /** Whether params and metrics were sent in this attempt. */
  readonly runFilled: boolean
  /** Whether MLflow has the trace. Undefined: not searched for. */
  readonly traceFound: boolean | undefined
  /** Runs of the record other than `runId`. Undefined: not searched for. */
  readonly doubles: ReadonlyArray<string> | undefined
  /** MLflow refuses the trace. */
  readonly refusal: MlflowFailed | undefined
  /** The failure that ended the attempt. */
  readonly failure: MlflowFailed | undefined
}

/** What is to be done next. */
export type Step =
  | { readonly step: "findExperiment"; /** The remembered id is wrong. */ readonly again: boolean }
  | { readonly step: "findRuns"; readonly experimentId: string }
  | { readonly step: "createRun"; readonly experimentId: string }
  | { readonly step: "fillRun"; readonly runId: string }
  | { readonly step: "findTrace" }
  | { readonly step: "linkTrace"; readonly runId: string }
  | { readonly step: "sendTrace"; readonly experimentId: string; readonly runId: string | null }
  /** The server has no traces, or it has this one and there is no run to link it to. */
  | { readonly step: "skipTrace" }
  | { readonly step: "endRun"; readonly runId: string }
  | { readonly step: "deleteRun"; readonly runId: string }
  | { readonly step: "assess"; readonly opinion: Opinion }
  /** The attempt is over, with everything sent or with a failure. */
  | { readonly step: "stop"; readonly failure: MlflowFailed | undefined }

/** What happened to a step. */
export type DeliveryEvent =
  | { readonly event: "experimentFound"; readonly experimentId: string }
  | { readonly event: "runsFound"; readonly runIds: ReadonlyArray<string> }
  | { readonly event: "runCreated"; readonly runId: string }
  | { readonly event: "runFilled" }
  | { readonly event: "traceSearched"; readonly found: boolean }
  /** It was sent, linked or skipped. */
  | { readonly event: "traceSent" }
  | { readonly event: "runEnded" }
  | { readonly event: "runDeleted"; readonly runId: string }
  | { readonly event: "assessed"; readonly opinion: Opinion }
  | { readonly event: "failed"; readonly step: Step; readonly failure: MlflowFailed }

/** An attempt that starts where the last one stopped. */
export const begin = (record: TrackingRecord): Delivery => ({
  runId: record.run_id,
  runDone: record.run_done,
  traceSent: record.trace_sent,
  feedback: [],
  unsure: record.unsure,
  experimentId: undefined,
  experimentRenewed: false,
  runSearched: false,
  runFilled: false,
  traceFound: undefined,
  doubles: undefined,
  refusal: undefined,
  failure: undefined
})

/** The next step for a record. `traces`: whether the server has traces. */
export const next = (record: TrackingRecord, delivery: Delivery, traces: boolean): Step => {
  const { failure, refusal, runDone, runFilled, runId, traceSent } = delivery
  if (failure !== undefined) return { step: "stop", failure }
  if (!runDone && runId === null) return nextForRun(delivery)
  if (!runDone && runId !== null && !runFilled) return { step: "fillRun", runId }
  if (!traceSent && refusal === undefined) return nextForTrace(delivery, traces)
  // The run's end is sent last: a FINISHED run has everything, except a trace that MLflow refuses.
  if (!runDone && runId !== null) return { step: "endRun", runId }
  if (refusal !== undefined) return { step: "stop", failure: refusal }
  return nextForDoubles(delivery) ?? nextForFeedback(record, delivery, traces)
}

const nextForRun = (delivery: Delivery): Step =>
  inExperiment(delivery, (experimentId) => ({
    step: delivery.unsure && !delivery.runSearched ? "findRuns" : "createRun",
    experimentId
  }))

const nextForTrace = (delivery: Delivery, traces: boolean): Step => {
  const { runId, traceFound, unsure } = delivery
  // A trace that arrived without an answer may not be linked yet.
  if (traceFound === true) return runId === null ? { step: "skipTrace" } : { step: "linkTrace", runId }
  if (!traces) return { step: "skipTrace" }
  if (unsure && traceFound === undefined) return { step: "findTrace" }
  return inExperiment(delivery, (experimentId) => ({ step: "sendTrace", experimentId, runId }))
}

/** A run that the search did not find may have arrived later, out of a stalled queue. */
const nextForDoubles = (delivery: Delivery): Step | undefined => {
  const { doubles, runId, unsure } = delivery
  if (!unsure || runId === null) return undefined
  if (doubles === undefined) return inExperiment(delivery, (experimentId) => ({ step: "findRuns", experimentId }))
  const [double] = doubles
  return double === undefined ? undefined : { step: "deleteRun", runId: double }
}

const nextForFeedback = (record: TrackingRecord, { feedback }: Delivery, traces: boolean): Step => {
  const opinion = traces ? record.feedback[feedback.length] : undefined
  return opinion === undefined ? { step: "stop", failure: undefined } : { step: "assess", opinion }
}

const inExperiment = ({ experimentId, experimentRenewed }: Delivery, step: (experimentId: string) => Step): Step =>
  experimentId === undefined ? { step: "findExperiment", again: experimentRenewed } : step(experimentId)

/** The state after an event. */
export const evolve = (delivery: Delivery, event: DeliveryEvent): Delivery => {
  switch (event.event) {
    case "experimentFound":
      return { ...delivery, experimentId: event.experimentId }
    case "runsFound": {
      const { runId } = delivery
      if (runId !== null) return { ...delivery, doubles: event.runIds.filter((id) => id !== runId) }
      const [found] = event.runIds
      return found === undefined ? { ...delivery, runSearched: true } : withRun(delivery, found)
    }
    case "runCreated":
      return withRun(delivery, event.runId)
    case "runFilled":
      return { ...delivery, runFilled: true }
    case "traceSearched":
      return { ...delivery, traceFound: event.found }
    case "traceSent":
      return { ...delivery, traceSent: true, experimentRenewed: false }
    case "runEnded":
      return { ...delivery, runDone: true }
    case "runDeleted":
      return { ...delivery, doubles: delivery.doubles?.filter((id) => id !== event.runId) }
    case "assessed": {
      const { revision, user_id } = event.opinion
      return { ...delivery, feedback: [...delivery.feedback, { user_id, revision }] }
    }
    case "failed":
      return afterFailure({ ...delivery, unsure: delivery.unsure || mayHaveArrived(event) }, event)
  }
}

const withRun = (delivery: Delivery, runId: string): Delivery => ({
  ...delivery,
  runId,
  runSearched: true,
  experimentRenewed: false
})

type Failed = Extract<DeliveryEvent, { readonly event: "failed" }>

const mayHaveArrived = ({ failure, step }: Failed): boolean => isCreation(step) && failure.unsure

/** Steps that make another one if they are repeated. They begin only while the claim is ours. */
export const isCreation = ({ step }: Step): boolean => step === "createRun" || step === "sendTrace"

const afterFailure = (delivery: Delivery, { failure, step }: Failed): Delivery => {
  const { reason } = failure
  const { experimentRenewed, refusal, runDone, runFilled, traceSent } = delivery
  // If the experiment was deleted meanwhile, MLflow reports an invalid parameter. It is looked up, and restored, once.
  if (needsExperiment(step) && !experimentRenewed && (reason === "gone" || reason === "refused"))
    return { ...delivery, experimentId: undefined, experimentRenewed: true, runSearched: false, doubles: undefined }
  const isTrace = (runDone || runFilled) && !traceSent && refusal === undefined
  if (isTrace && reason === "refused") return { ...delivery, refusal: failure }
  // The run was deleted: the next attempt creates another.
  return { ...delivery, failure, runId: step.step === "fillRun" && reason === "gone" ? null : delivery.runId }
}

const needsExperiment = ({ step }: Step): boolean =>
  ["findExperiment", "findRuns", "createRun", "sendTrace", "deleteRun"].includes(step)

/** What is stored about the attempt. */
export const sentOf = ({ feedback, runDone, runId, traceSent, unsure }: Delivery, failure: Sent["failure"]): Sent => ({
  progress: { runId, runDone, traceSent, feedback },
  unsure: failure !== undefined && unsure,
  failure
})
