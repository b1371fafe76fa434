import { assert, describe, it } from "@effect/vitest"
import { evolve, isNews, type LaneEvent, nextRound, START } from "@llm-saas/mlflow/Lanes"
import { MlflowFailed } from "@llm-saas/mlflow/MlflowFailed"
import { settlement, unsent } from "@llm-saas/mlflow/Outcome"
import { RECORD } from "./Record.ts"

// What a lane does next, and how a record's outcome is stored.

const after = (...events: ReadonlyArray<LaneEvent>) => events.reduce(evolve, START)
const failure = (reason: MlflowFailed["reason"]): LaneEvent => ({ event: "failed", reason, now: 0, waitMs: 500 })

describe("the lanes", () => {
  it("wait for the first one to open the tracker", () => {
    assert.deepStrictEqual(nextRound(START, true, 0), { round: "open" })
    assert.deepStrictEqual(nextRound(START, false, 0), { round: "wait", milliseconds: 250 })
  })

  it("send together only if there is more than the first can claim", () => {
    const open = after({ event: "opened" })
    assert.deepStrictEqual(nextRound(open, true, 0), { round: "send", limit: 4 })
    assert.deepStrictEqual(nextRound(open, false, 0), { round: "wait", milliseconds: 250 })
    const full = evolve(open, { event: "claimed", full: true })
    assert.deepStrictEqual(nextRound(full, false, 0), { round: "send", limit: 4 })
  })

  it("all wait after a failure of the whole tracker, and then try it with one record", () => {
    const out = after({ event: "opened" }, { event: "claimed", full: true }, failure("busy"))
    for (const isFirst of [true, false])
      assert.deepStrictEqual(nextRound(out, isFirst, 100), { round: "wait", milliseconds: 400 })
    assert.deepStrictEqual(nextRound(out, true, 500), { round: "open" })
    const probation = evolve(out, { event: "opened" })
    assert.deepStrictEqual(nextRound(probation, true, 500), { round: "send", limit: 1 })
    assert.deepStrictEqual(nextRound(probation, false, 500), { round: "wait", milliseconds: 250 })
    assert.deepStrictEqual(nextRound(evolve(probation, { event: "sent" }), false, 500), { round: "send", limit: 4 })
  })

  it("count failures in a row; an answer ends only an outage of the connection", () => {
    const busy = after({ event: "opened" }, failure("busy"), { event: "opened" }, failure("busy"))
    assert.deepInclude(busy, { troubles: 2, trouble: "busy", open: false })
    assert.isFalse(isNews(busy))
    const away = after({ event: "opened" }, failure("unreachable"))
    assert.isTrue(isNews(away))
    assert.deepInclude(evolve(away, { event: "opened" }), { troubles: 0, trouble: undefined, open: true })
  })
})

describe("a record's outcome", () => {
  const at = { tenant_id: RECORD.tenant_id, generation_id: RECORD.generation_id, revision: 1 }
  const progress = { runId: null, runDone: false, traceSent: false, feedback: [] }
  const outcome = (reason: MlflowFailed["reason"], attempts: number, works = true, retryAfter?: number) => {
    const failed = new MlflowFailed({
      reason,
      detail: "no",
      unsure: false,
      ...(retryAfter === undefined ? {} : { retryAfter })
    })
    const settled = settlement(
      { ...RECORD, attempts },
      { progress, unsure: true, failure: failed },
      { works, delayMs: 7 }
    )
    return settled.outcome === "later" ? [settled.counts, settled.delayMs] : settled.outcome
  }

  it("is put aside when refused, and after a few conflicts", () => {
    assert.strictEqual(outcome("refused", 0), "parked")
    assert.deepStrictEqual(outcome("raced", 1), [true, 7])
    assert.strictEqual(outcome("raced", 2), "parked")
  })

  it("counts a busy answer only if the tracker accepted other records meanwhile", () => {
    assert.deepStrictEqual(outcome("busy", 8), [true, 7])
    assert.strictEqual(outcome("busy", 9), "parked")
    assert.deepStrictEqual(outcome("busy", 9, false), [false, 7])
    assert.deepStrictEqual(outcome("busy", 9, true, 1000), [false, 7])
  })

  it("is due again at once if the tracker is away, or if nothing was tried", () => {
    assert.deepStrictEqual(outcome("unreachable", 9), [false, 0])
    assert.deepStrictEqual(unsent(RECORD, true), {
      ...at,
      ...progress,
      outcome: "later",
      unsure: true,
      counts: false,
      delayMs: 0
    })
    assert.deepInclude(unsent(RECORD, false), { unsure: false })
  })
})
