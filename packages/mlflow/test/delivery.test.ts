import { assert, describe, it } from "@effect/vitest"
import type { TrackingRecord } from "@llm-saas/database/TrackingOutbox"
import { begin, type Delivery, type DeliveryEvent, evolve, next, sentOf, type Step } from "@llm-saas/mlflow/Delivery"
import { MlflowFailed } from "@llm-saas/mlflow/MlflowFailed"
import { Schema } from "effect"
import { RECORD } from "./Record.ts"

// The order of the steps of an attempt, without MLflow.

const opinion = { user_id: RECORD.user_id, rating: 1, comment: null, revision: 2, at: RECORD.ended_at }

const failed = (reason: MlflowFailed["reason"], unsure = false) => new MlflowFailed({ reason, detail: "no", unsure })

/** What happens to each step. */
const Fate = Schema.Literals([
  "done",
  "done",
  "done",
  /** It is carried out, and there is no answer. */
  "unanswered",
  /** It is not carried out, and no answer says so. */
  "lost",
  "busy",
  "gone",
  "refused",
  "raced"
])
type Fate = typeof Fate.Type

/** A server's runs of one record, and how often it got the trace. */
interface Server {
  readonly runs: Set<string>
  readonly ended: Set<string>
  made: number
  traces: number
}

const server = (): Server => ({ runs: new Set(), ended: new Set(), made: 0, traces: 0 })

/** What the server does for a step. */
const act = (on: Server, step: Step): DeliveryEvent => {
  switch (step.step) {
    case "findExperiment":
      return { event: "experimentFound", experimentId: "7" }
    case "findRuns":
      return { event: "runsFound", runIds: [...on.runs] }
    case "createRun": {
      const runId = `run-${++on.made}`
      on.runs.add(runId)
      return { event: "runCreated", runId }
    }
    case "fillRun":
      return on.runs.has(step.runId) ? { event: "runFilled" } : { event: "failed", step, failure: failed("gone") }
    case "findTrace":
      return { event: "traceSearched", found: on.traces > 0 }
    case "sendTrace":
      on.traces++
      return { event: "traceSent" }
    case "linkTrace":
    case "skipTrace":
      return { event: "traceSent" }
    case "endRun":
      on.ended.add(step.runId)
      return { event: "runEnded" }
    case "deleteRun":
      on.runs.delete(step.runId)
      return { event: "runDeleted", runId: step.runId }
    case "assess":
      return { event: "assessed", opinion: step.opinion }
    case "stop":
      return assert.fail("the attempt is over")
  }
}

const suffer = (on: Server, step: Step, fate: Fate): DeliveryEvent => {
  // No call is made.
  if (fate === "done" || step.step === "skipTrace") return act(on, step)
  if (fate === "unanswered") act(on, step)
  if (fate === "gone" && step.step === "fillRun") on.runs.delete(step.runId)
  const silent = fate === "unanswered" || fate === "lost"
  return { event: "failed", step, failure: silent ? failed("busy", true) : failed(fate) }
}

/** More steps than any attempt takes: each is taken at most twice, `assess` and `deleteRun` once for each opinion or run. */
const MANY = 40

/** Carries out one attempt, and gives its steps and its end. */
const attempt = (
  record: TrackingRecord,
  on: Server,
  fate: (step: Step) => Fate = () => "done",
  traces = true,
  start: Delivery = begin(record)
) => {
  const steps: Array<Step["step"]> = []
  let delivery = start
  for (let step = next(record, delivery, traces); step.step !== "stop"; step = next(record, delivery, traces)) {
    steps.push(step.step)
    assert.isBelow(steps.length, MANY, steps.join())
    delivery = evolve(delivery, suffer(on, step, fate(step)))
  }
  const end = next(record, delivery, traces)
  return { steps, delivery, sent: sentOf(delivery, end.step === "stop" ? end.failure : assert.fail("not over")) }
}

/** The record as the next attempt finds it. */
const after = (record: TrackingRecord, { sent }: ReturnType<typeof attempt>): TrackingRecord => ({
  ...record,
  run_id: sent.progress.runId,
  run_done: sent.progress.runDone,
  trace_sent: sent.progress.traceSent,
  unsure: sent.unsure
})

/** The fate of the first step of a kind. */
const first = (kind: Step["step"], fate: Fate) => {
  let met = false
  return ({ step }: Step): Fate => {
    if (met || step !== kind) return "done"
    met = true
    return fate
  }
}

describe("the steps for a record", () => {
  const record: TrackingRecord = { ...RECORD, feedback: [opinion] }

  it("end the run after the trace, and search for nothing", () => {
    const { sent, steps } = attempt(record, server())
    assert.deepStrictEqual(steps, ["findExperiment", "createRun", "fillRun", "sendTrace", "endRun", "assess"])
    assert.deepStrictEqual(sent, {
      progress: {
        runId: "run-1",
        runDone: true,
        traceSent: true,
        feedback: [{ user_id: opinion.user_id, revision: 2 }]
      },
      unsure: false,
      failure: undefined
    })
  })

  it("begin where the last attempt stopped", () => {
    const run = { ...record, run_id: "run-1" }
    const on = server()
    on.runs.add("run-1")
    assert.deepStrictEqual(attempt({ ...run, trace_sent: true }, on).steps, ["fillRun", "endRun", "assess"])
    assert.deepStrictEqual(attempt({ ...run, run_done: true }, on).steps, ["findExperiment", "sendTrace", "assess"])
    assert.deepStrictEqual(attempt({ ...run, run_done: true, trace_sent: true }, on).steps, ["assess"])
  })

  it("have no trace and no opinion for a server without traces", () => {
    assert.deepStrictEqual(attempt(record, server(), undefined, false).steps, [
      "findExperiment",
      "createRun",
      "fillRun",
      "skipTrace",
      "endRun"
    ])
  })

  it("search first for what may have arrived, and delete a run that arrived later", () => {
    const on = server()
    const cut = attempt(record, on, first("createRun", "lost"))
    assert.deepInclude(cut.sent, { unsure: true })
    // The run that was lost comes out of a queue after the search.
    const again = attempt(after(record, cut), on, (step) => {
      if (step.step === "fillRun") on.runs.add("late")
      return "done"
    })
    assert.deepStrictEqual(again.steps, [
      "findExperiment",
      "findRuns",
      "createRun",
      "fillRun",
      "findTrace",
      "sendTrace",
      "endRun",
      "findRuns",
      "deleteRun",
      "assess"
    ])
    assert.deepStrictEqual([...on.runs], ["run-1"])
    assert.deepInclude(again.sent, { unsure: false, failure: undefined })
  })

  it("link a trace that had arrived", () => {
    const on = server()
    const cut = attempt(record, on, first("sendTrace", "unanswered"))
    const { steps } = attempt(after(record, cut), on)
    assert.deepStrictEqual(steps, [
      "fillRun",
      "findTrace",
      "linkTrace",
      "endRun",
      "findExperiment",
      "findRuns",
      "assess"
    ])
    assert.strictEqual(on.traces, 1)
  })

  it("look up the experiment again, once, if it was deleted meanwhile", () => {
    const { sent, steps } = attempt(record, server(), first("createRun", "refused"))
    assert.deepStrictEqual(steps.slice(0, 5), ["findExperiment", "createRun", "findExperiment", "createRun", "fillRun"])
    assert.isUndefined(sent.failure)
    const refused = attempt(record, server(), ({ step }) => (step === "createRun" ? "refused" : "done"))
    assert.deepStrictEqual(refused.steps, ["findExperiment", "createRun", "findExperiment", "createRun"])
    assert.strictEqual(refused.sent.failure?.reason, "refused")
  })

  it("end the run of a trace that is refused", () => {
    const { sent, steps } = attempt(record, server(), ({ step }) => (step === "sendTrace" ? "refused" : "done"))
    assert.deepStrictEqual(steps.slice(3), ["sendTrace", "findExperiment", "sendTrace", "endRun"])
    assert.deepInclude(sent.progress, { runDone: true, traceSent: false })
    assert.strictEqual(sent.failure?.reason, "refused")
  })

  it("forget a run that was deleted, so that the next attempt creates another", () => {
    const { sent } = attempt({ ...record, run_id: "run-0" }, server())
    assert.isNull(sent.progress.runId)
    assert.strictEqual(sent.failure?.reason, "gone")
  })
})

describe("whatever happens to the steps", () => {
  /** A state in the middle of an attempt. */
  const Middle = Schema.Struct({
    runId: Schema.NullOr(Schema.Literal("run-0")),
    runDone: Schema.Boolean,
    traceSent: Schema.Boolean,
    unsure: Schema.Boolean,
    experimentId: Schema.UndefinedOr(Schema.Literal("7")),
    experimentRenewed: Schema.Boolean,
    runSearched: Schema.Boolean,
    runFilled: Schema.Boolean,
    traceFound: Schema.UndefinedOr(Schema.Boolean),
    doubles: Schema.UndefinedOr(Schema.Array(Schema.Literals(["a", "b"])))
  })
  const Fates = Schema.Array(Fate)
  const record: TrackingRecord = { ...RECORD, feedback: [opinion, { ...opinion, revision: 3 }] }

  it.prop(
    "an attempt ends, from any state",
    { middle: Middle, traces: Schema.Boolean, fates: Fates },
    ({ fates, middle, traces }) => {
      const start: Delivery = { ...middle, feedback: [], refusal: undefined, failure: undefined }
      const left = [...fates]
      attempt(record, server(), () => left.shift() ?? "done", traces, start)
    }
  )

  it.prop(
    "a record gets one run and one trace in the end, and nothing is made twice in a sure attempt",
    { fates: Fates, traces: Schema.Boolean },
    ({ fates, traces }) => {
      const on = server()
      const left = [...fates]
      const fate = () => left.shift() ?? "done"
      let current = record
      for (;;) {
        const before = { ...on, runs: new Set(on.runs) }
        const tried = attempt(current, on, fate, traces)
        const { sent, steps } = tried
        if (!current.unsure && current.run_id !== null) assert.strictEqual(on.made, before.made)
        if (!current.unsure && !sent.unsure) assert.notIncludeMembers(steps, ["findRuns"])
        // Nothing is made while the server has it.
        if (on.made > before.made) assert.strictEqual(before.runs.size, 0)
        if (on.traces > before.traces) assert.strictEqual(before.traces, 0)
        current = after(current, tried)
        if (sent.failure === undefined) break
      }
      assert.strictEqual(on.runs.size, 1)
      for (const run of on.runs) assert.include([...on.ended], run)
      assert.strictEqual(on.traces, traces ? 1 : 0)
    }
  )
})
