import { type Settlement, TrackingOutbox, type TrackingRecord } from "@llm-saas/database/TrackingOutbox"
import { dependency } from "@llm-saas/domain/Dependency"
import { repeat } from "@llm-saas/domain/Loop"
import { monotonicMillis, steadily } from "@llm-saas/domain/Time"
import { Clock, Context, Effect, Layer, Random, Schedule } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import type { MlflowFailed } from "./MlflowFailed.ts"
import { type Sent, Sink } from "./Sink.ts"

/** Options of sending records. */
export interface TrackingOptions {
  /** Records sent at once. MLflow on SQLite takes about 20 per second, with four or with eight at once. */
  readonly concurrency: number
  /** Whether questions, answers and comments are read from the database. */
  readonly content: boolean
}

/** Duration of a claim: a record takes at most seven calls, and no call is begun that could end later. */
const LEASE_SECONDS = 120
/** Records a lane claims at a time: one round trip to the database before them, and one after. */
const AT_A_TIME = 4
/** Pause before the next query after one without records. */
const IDLE_MS = 1000
/** Back-off: a random time up to a limit that doubles from `first` to `most` (full jitter). */
const BACKOFF_MS = { first: 500, most: 30_000 }
/** Attempts after which a record is put aside: after conflicts, and after `busy` answers, if other records were accepted meanwhile. */
const ATTEMPTS = { collision: 3, busy: 10 }
/** If the database is not available, storing the outcome of records is retried for a minute. */
const SETTLING = Schedule.spaced("1 second").pipe(Schedule.upTo({ duration: "1 minute" }))
/** A lane without a finished round for this long is dead or hangs. A round sends the records of one claim, settles them, and waits. */
const LATE = "5 minutes"
/** Longest time to settle records when the process ends. */
const LAST_SETTLE_MS = 2000

/** Counts of this process. */
export interface Count {
  sent: number
  parked: number
  /** Whether the tracker answers; undefined before the first check. */
  open: boolean | undefined
}

/**
 * Sends ended generations to the tracker in the background, in `concurrency` lanes. Each lane claims a few records, sends them one after
 * the other, stores their outcome, and repeats. It catches up by itself after an outage of the tracker; during one nothing is claimed,
 * and no request waits. At most four records per lane are in memory.
 */
export class Tracking extends Context.Service<Tracking, { readonly count: () => Readonly<Count> }>()(
  "@llm-saas/mlflow/Tracking"
) {
  static readonly layer = (options: TrackingOptions) =>
    Layer.effect(
      Tracking,
      Effect.gen(function* () {
        const outbox = yield* TrackingOutbox
        const sink = yield* Sink
        const clock = yield* Clock.Clock
        const mlflow = yield* dependency("mlflow")
        const worker = yield* (yield* SecureRandom).uuidV7()
        const count: Count = { sent: 0, parked: 0, open: undefined }
        // Outages of the whole tracker in a row, and the reason of the last; when (ms, monotonic) the next attempt is due.
        let troubles = 0
        let trouble: MlflowFailed["reason"] | undefined
        let resumeAt = Number.NEGATIVE_INFINITY
        // Whether there were more records than the first lane could claim.
        let busy = false

        const backOff = (times: number) =>
          Random.nextBetween(0, Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** times))

        /** The whole tracker is not available: logged once, and retried later. */
        const pause = Effect.fnUntraced(function* (failure: MlflowFailed) {
          // Another lane was first.
          if (monotonicMillis(clock) < resumeAt) return
          const complaint = trouble === failure.reason ? Effect.void : complain(failure)
          if (mlflow.outage !== undefined) yield* complaint
          yield* mlflow.failed(failure.reason, complaint)
          trouble = failure.reason
          count.open = false
          const wait = yield* backOff(troubles++)
          resumeAt = monotonicMillis(clock) + wait + (failure.retryAfter ?? 0)
        })

        const complain = ({ detail, reason }: MlflowFailed) => {
          const kept = "records are kept meanwhile"
          switch (reason) {
            case "unreachable":
              return Effect.logWarning(
                count.open === undefined
                  ? `no ${sink.name} (${detail}); ${kept}. To get one: ${sink.advice}`
                  : `${sink.name} is gone (${detail}); ${kept}`
              )
            case "host":
              return Effect.logError(
                `${sink.name} does not know itself by that name; ${kept}. Start it with --allowed-hosts`
              )
            case "credentials":
              return Effect.logError(
                `${sink.name} does not let us in (${detail}); ${kept}. See MLFLOW_TRACKING_USERNAME and _TOKEN`
              )
            default:
              return Effect.logWarning(`${sink.name} takes nothing (${detail}); ${kept}`)
          }
        }

        const reopen = Effect.gen(function* () {
          const version = yield* sink.open
          const { pending } = yield* outbox.lag
          if (count.open === undefined || trouble === "unreachable") {
            yield* Effect.logInfo(
              `${sink.name} gets every inference${version === "" ? "" : ` (version ${version})`}${pending === 0 ? "" : `; ${pending} are waiting`}`
            )
            trouble = undefined
            troubles = 0
          }
          count.open = true
        })

        const sendAll = Effect.fnUntraced(function* (records: ReadonlyArray<TrackingRecord>, until: number) {
          const startedAt = monotonicMillis(clock)
          const sents = new Map<TrackingRecord, Sent>()
          const begun = new Set<TrackingRecord>()
          let halt: MlflowFailed | undefined
          const send = Effect.fnUntraced(function* (record: TrackingRecord) {
            if (halt !== undefined) return
            begun.add(record)
            const sent = yield* sink.send(record, until)
            sents.set(record, sent)
            const { failure } = sent
            // No call succeeded since this round began, so the cause is not this record.
            if (failure?.concernsAll || (failure?.reason === "busy" && sink.workedAt() < startedAt)) halt ??= failure
          })
          const settle = Effect.suspend(() => {
            const works = sink.workedAt() >= startedAt
            return Effect.forEach(records, (record) => {
              const sent = sents.get(record)
              return sent === undefined
                ? Effect.succeed(later(record, unsent(record, begun.has(record)), { delay: 0, counts: false }))
                : Effect.map(backOff(record.attempts), (delay) => settlement(record, sent, { works, delay }))
            })
          }).pipe(
            Effect.tap((settlements) => outbox.settle(worker, settlements)),
            Effect.tap(report)
          )
          yield* Effect.forEach(records, send, { discard: true }).pipe(
            Effect.onInterrupt(() => Effect.ignore(Effect.timeoutOption(settle, LAST_SETTLE_MS)))
          )
          // If the database stays away, the claim expires, and the next process searches for the records first.
          yield* steadily(Effect.retry(settle, SETTLING))
          return halt
        })

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

        const round = Effect.fnUntraced(
          function* (lane: number) {
            const first = lane === 0
            const now = monotonicMillis(clock)
            if (now < resumeAt) return yield* Effect.sleep(resumeAt - now)
            // Only the first lane queries an empty outbox, and after an outage it tries the tracker with one record.
            if (!first && (!busy || troubles > 0 || count.open !== true)) return yield* Effect.sleep(IDLE_MS / 4)
            if (count.open !== true) yield* reopen
            if (trouble === undefined) yield* mlflow.worked
            const limit = troubles > 0 ? 1 : AT_A_TIME
            const records = yield* outbox.claim({ worker, limit, seconds: LEASE_SECONDS, content: options.content })
            if (first) busy = records.length === limit
            if (records.length === 0) return yield* Effect.sleep(IDLE_MS)
            const halted = yield* sendAll(records, now + LEASE_SECONDS * 1000)
            if (halted !== undefined) return yield* halted
            yield* mlflow.worked
            trouble = undefined
            troubles = 0
          },
          Effect.catchTag("MlflowFailed", pause),
          // The database's outage is logged elsewhere.
          Effect.catchTag("Unavailable", () => Effect.sleep(IDLE_MS * 2))
        )

        for (let lane = 0; lane < options.concurrency; lane++)
          yield* repeat({ name: `the tracking of answers, lane ${lane + 1}`, late: LATE }, round(lane))
        return Tracking.of({ count: () => count })
      })
    )

  /** Without tracking: records are deleted, because they would never be sent. */
  static readonly layerOff = Layer.effect(
    Tracking,
    Effect.gen(function* () {
      const outbox = yield* TrackingOutbox
      const round = outbox.forget(1000).pipe(
        Effect.catchTag("Unavailable", () => Effect.succeed(0)),
        Effect.flatMap((forgotten) => (forgotten === 1000 ? Effect.void : Effect.sleep(IDLE_MS * 10)))
      )
      yield* repeat({ name: "the forgetting of answers that are not tracked", late: LATE }, round)
      return Tracking.of({ count: () => ({ sent: 0, parked: 0, open: undefined }) })
    })
  )
}

/** The progress of a record without a result: if sending had begun, it may have arrived. */
const unsent = (record: TrackingRecord, begun: boolean): Sent => ({
  progress: { runId: record.run_id, runDone: record.run_done, traceSent: record.trace_sent, feedback: [] },
  unsure: record.unsure || begun,
  failure: undefined
})

const about = ({ generation_id, revision, tenant_id }: TrackingRecord, { progress }: Sent) => ({
  tenant_id,
  generation_id,
  revision,
  ...progress
})

const later = (
  record: TrackingRecord,
  sent: Sent,
  { counts, delay }: { readonly counts: boolean; readonly delay: number }
): Settlement => ({ ...about(record, sent), outcome: "later", unsure: sent.unsure, counts, delay })

/** The outcome of a record. `works`: another call to the tracker succeeded meanwhile. */
export const settlement = (
  record: TrackingRecord,
  sent: Sent,
  { delay, works }: { readonly works: boolean; readonly delay: number }
): Settlement => {
  const { failure } = sent
  if (failure === undefined) return { ...about(record, sent), outcome: "done" }
  const parked: Settlement = { ...about(record, sent), outcome: "parked", reason: failure.message }
  const again = (attempts: number) =>
    record.attempts + 1 >= attempts ? parked : later(record, sent, { counts: true, delay })
  switch (failure.reason) {
    case "refused":
      return parked
    case "raced":
    case "exists":
    case "gone":
      return again(ATTEMPTS.collision)
    case "busy":
      return works && failure.retryAfter === undefined
        ? again(ATTEMPTS.busy)
        : later(record, sent, { counts: false, delay })
    case "late":
    case "unreachable":
    case "unsupported":
    case "host":
    case "credentials":
    case "foreign":
      return later(record, sent, { counts: false, delay: 0 })
  }
}
