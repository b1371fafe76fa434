import type { Settlement, TrackingOutbox, TrackingRecord } from "@llm-saas/database/TrackingOutbox"
import { monotonicMillis, steadily } from "@llm-saas/domain/Time"
import { type Clock, Effect, Random, Schedule } from "effect"
import type { MlflowFailed } from "./MlflowFailed.ts"
import { backOff, settlement, unsent } from "./Outcome.ts"
import type { Sent, Sink } from "./Sink.ts"

/** If the database is not available, storing the outcome of records is retried for a minute. */
const SETTLING = Schedule.spaced("1 second").pipe(Schedule.upTo({ duration: "1 minute" }))
/** Longest time to settle records when the process ends. */
const LAST_SETTLE_MS = 2000

interface Parts {
  readonly outbox: TrackingOutbox["Service"]
  readonly sink: Sink["Service"]
  readonly clock: Clock.Clock
  readonly worker: string
}

/** The records of one claim: sent one after the other, and their outcome stored. */
export const make = ({ clock, outbox, sink, worker }: Parts) => {
  const count = { sent: 0, parked: 0 }

  const report = (settlements: ReadonlyArray<Settlement>) =>
    Effect.forEach(
      settlements,
      (one) => {
        if (one.outcome === "done") count.sent++
        if (one.outcome !== "parked") return Effect.void
        count.parked++
        return Effect.logWarning(`put aside, ${sink.name} does not take it: ${one.reason}`).pipe(
          Effect.annotateLogs("generation_id", one.generation_id)
        )
      },
      { discard: true }
    )

  /** Gives the failure that made it stop, if the cause is not a record. */
  const send = Effect.fnUntraced(function* (records: ReadonlyArray<TrackingRecord>, until: number) {
    const startedAt = monotonicMillis(clock)
    const results = new Map<TrackingRecord, Sent | "begun">()
    let halt: MlflowFailed | undefined
    const sendOne = Effect.fnUntraced(function* (record: TrackingRecord) {
      if (halt !== undefined) return
      results.set(record, "begun")
      const sent = yield* sink.send(record, until)
      results.set(record, sent)
      const { failure } = sent
      // No call succeeded since this round began, so the cause is not this record.
      if (failure?.concernsAll || (failure?.reason === "busy" && sink.workedAt() < startedAt)) halt = failure
    })
    const outcomeOf = (record: TrackingRecord, works: boolean) => {
      const sent = results.get(record)
      return sent === undefined || sent === "begun"
        ? Effect.succeed(unsent(record, sent === "begun"))
        : Effect.map(Random.nextBetween(0, backOff(record.attempts)), (delayMs) =>
            settlement(record, sent, { works, delayMs })
          )
    }
    const settle = Effect.suspend(() => {
      const works = sink.workedAt() >= startedAt
      return Effect.forEach(records, (record) => outcomeOf(record, works))
    }).pipe(
      Effect.tap((settlements) => outbox.settle(worker, settlements)),
      Effect.tap(report)
    )
    yield* Effect.forEach(records, sendOne, { discard: true }).pipe(
      Effect.onInterrupt(() => Effect.ignore(Effect.timeoutOption(settle, LAST_SETTLE_MS)))
    )
    // If the database stays away, the claim expires, and the next process searches for the records first.
    yield* steadily(Effect.retry(settle, SETTLING))
    return halt
  })

  return { send, count: (): Readonly<typeof count> => count }
}
