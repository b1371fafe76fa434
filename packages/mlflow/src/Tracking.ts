import { type Settlement, TrackingOutbox, type TrackingRecord } from "@llm-saas/database/TrackingOutbox"
import { dependency } from "@llm-saas/domain/Dependency"
import { repeat } from "@llm-saas/domain/Loop"
import { monotonicMillis, steadily } from "@llm-saas/domain/Time"
import { Clock, Context, Effect, Layer, Random, Schedule } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import type { MlflowFailed } from "./MlflowFailed.ts"
import { type Sent, Sink } from "./Sink.ts"

/** How records are sent. */
export interface TrackingOptions {
  /** Records on their way at once. MLflow on SQLite takes about 20 a second, whether four or eight knock at its door. */
  readonly concurrency: number
  /** Whether questions, answers and comments are read at all. */
  readonly content: boolean
}

/** Seconds a claim lasts: a record takes at most seven calls, and no new one is begun that could end later. */
const LEASE = 120
/** Records a lane claims at a time: one round trip to the database before them, and one after. */
const AT_A_TIME = 4
/** How often (ms) it is looked for records when there were none. */
const IDLE = 1000
/** Back-off in ms: anywhere between 0 and what doubles from the first to the second of these (full jitter). */
const BACKOFF = { first: 500, most: 30_000 }
/** How often a record may fail for a reason of its own before it is put aside: with a collision, and with "cannot just now". */
const ATTEMPTS = { collision: 3, busy: 10 }
/** While the database is away, what became of records is tried to be said for a minute. */
const SETTLING = Schedule.spaced("1 second").pipe(Schedule.upTo({ duration: "1 minute" }))
/** A lane that ended no round for as long as this has died or hangs: a claim's records, what is said of them, and what is waited for. */
const LATE = "5 minutes"
/** How long (ms) the last words may take when the program ends. */
const LAST_WORDS = 2000

/** What became of records in this process. */
export interface Count {
  sent: number
  parked: number
  /** Whether the tracker answers; undefined before the first look. */
  open: boolean | undefined
}

/**
 * Sends what ended to the tracker, in the background, in as many lanes as may send at once: each claims a few records, sends one after the
 * other, says what became of them, and so on. It catches up by itself; while the tracker is away nothing is claimed, and nobody waits. At
 * most four records a lane are in memory.
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
        // How often in a row the tracker as a whole did not take anything, and why; until when (ms, monotonic) it is left alone.
        let troubles = 0
        let trouble: MlflowFailed["reason"] | undefined
        let resumeAt = Number.NEGATIVE_INFINITY
        // Whether there was more than the first lane could take.
        let busy = false

        const backOff = (times: number) => Random.nextBetween(0, Math.min(BACKOFF.most, BACKOFF.first * 2 ** times))

        /** The tracker as a whole does not take anything: said once, and tried again later. */
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
            // Nothing has worked since we began: it is not about this record.
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
            Effect.onInterrupt(() => Effect.ignore(Effect.timeoutOption(settle, LAST_WORDS)))
          )
          // If the database does not take it, the claim runs out, and whoever is next looks first.
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
            // The first lane tries with one record, when the tracker was away, and looks whether there are any.
            if (!first && (!busy || troubles > 0 || count.open !== true)) return yield* Effect.sleep(IDLE / 4)
            if (count.open !== true) yield* reopen
            if (trouble === undefined) yield* mlflow.worked
            const limit = troubles > 0 ? 1 : AT_A_TIME
            const records = yield* outbox.claim({ worker, limit, seconds: LEASE, content: options.content })
            if (first) busy = records.length === limit
            if (records.length === 0) return yield* Effect.sleep(IDLE)
            const halted = yield* sendAll(records, now + LEASE * 1000)
            if (halted !== undefined) return yield* halted
            yield* mlflow.worked
            trouble = undefined
            troubles = 0
          },
          Effect.catchTag("MlflowFailed", pause),
          // The database is away: everybody else says so.
          Effect.catchTag("Unavailable", () => Effect.sleep(IDLE * 2))
        )

        for (let lane = 0; lane < options.concurrency; lane++)
          yield* repeat({ name: `the tracking of answers, lane ${lane + 1}`, late: LATE }, round(lane))
        return Tracking.of({ count: () => count })
      })
    )

  /** Nothing is tracked: records are forgotten, since nobody would ever send them. */
  static readonly layerOff = Layer.effect(
    Tracking,
    Effect.gen(function* () {
      const outbox = yield* TrackingOutbox
      const round = outbox.forget(1000).pipe(
        Effect.catchTag("Unavailable", () => Effect.succeed(0)),
        Effect.flatMap((forgotten) => (forgotten === 1000 ? Effect.void : Effect.sleep(IDLE * 10)))
      )
      yield* repeat({ name: "the forgetting of answers that are not tracked", late: LATE }, round)
      return Tracking.of({ count: () => ({ sent: 0, parked: 0, open: undefined }) })
    })
  )
}

/** How far it is, when it was not sent: in flight, it may have arrived. */
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

/** What is to be done with a record that was sent, or was not. `works`: the tracker did something else meanwhile. */
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
