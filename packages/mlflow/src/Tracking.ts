import { TrackingOutbox } from "@llm-saas/database/TrackingOutbox"
import { dependency } from "@llm-saas/domain/Dependency"
import { repeat } from "@llm-saas/domain/Loop"
import { monotonicMillis } from "@llm-saas/domain/Time"
import { Clock, Context, Effect, Layer, Random } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as Batch from "./Batch.ts"
import { evolve, IDLE_MS, isNews, type LaneEvent, nextRound, START } from "./Lanes.ts"
import type { MlflowFailed } from "./MlflowFailed.ts"
import { backOff } from "./Outcome.ts"
import { Sink } from "./Sink.ts"

/** Options of sending records. */
export interface TrackingOptions {
  /** Records sent at once. MLflow on SQLite takes about 20 per second, with four or with eight at once. */
  readonly concurrency: number
  /** Whether questions, answers and comments are read from the database. */
  readonly content: boolean
}

/** Duration of a claim: a record takes at most seven calls, and no call is begun that could end later. */
const LEASE_SECONDS = 120
/** A lane without a finished round for this long is dead or hangs. A round sends the records of one claim, settles them, and waits. */
const LATE = "5 minutes"

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
        const batch = Batch.make({ outbox, sink, clock, worker })
        let lanes = START
        const happened = (event: LaneEvent) => {
          lanes = evolve(lanes, event)
        }

        /** The whole tracker is not available: logged once, and retried later. */
        const pause = Effect.fnUntraced(function* (failure: MlflowFailed) {
          // Another lane was first.
          if (monotonicMillis(clock) < lanes.resumeAt) return
          const log = lanes.trouble === failure.reason ? Effect.void : complaint(sink, failure, lanes.open)
          if (mlflow.outage !== undefined) yield* log
          yield* mlflow.failed(failure.reason, log)
          const waitMs = (yield* Random.nextBetween(0, backOff(lanes.troubles))) + (failure.retryAfter ?? 0)
          happened({ event: "failed", reason: failure.reason, now: monotonicMillis(clock), waitMs })
        })

        const open = Effect.gen(function* () {
          const version = yield* sink.open
          const { pending } = yield* outbox.lag
          if (isNews(lanes)) yield* Effect.logInfo(greeting(sink, version, pending))
          happened({ event: "opened" })
        })

        const send = Effect.fnUntraced(function* (limit: number, isFirst: boolean) {
          const until = monotonicMillis(clock) + LEASE_SECONDS * 1000
          if (lanes.trouble === undefined) yield* mlflow.worked
          const records = yield* outbox.claim({ worker, limit, seconds: LEASE_SECONDS, content: options.content })
          if (isFirst) happened({ event: "claimed", full: records.length === limit })
          if (records.length === 0) return yield* Effect.sleep(IDLE_MS)
          const halted = yield* batch.send(records, until)
          if (halted !== undefined) return yield* halted
          yield* mlflow.worked
          happened({ event: "sent" })
        })

        const round = Effect.fnUntraced(
          function* (isFirst: boolean) {
            const next = nextRound(lanes, isFirst, monotonicMillis(clock))
            switch (next.round) {
              case "wait":
                return yield* Effect.sleep(next.milliseconds)
              case "open":
                return yield* open
              case "send":
                return yield* send(next.limit, isFirst)
            }
          },
          Effect.catchTag("MlflowFailed", pause),
          // The database's outage is logged elsewhere.
          Effect.catchTag("Unavailable", () => Effect.sleep(IDLE_MS * 2))
        )

        for (let lane = 0; lane < options.concurrency; lane++)
          yield* repeat({ name: `the tracking of answers, lane ${lane + 1}`, late: LATE }, round(lane === 0))
        return Tracking.of({ count: () => ({ ...batch.count(), open: lanes.open }) })
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

const greeting = ({ name }: Sink["Service"], version: string, pending: number) =>
  `${name} gets every inference${version === "" ? "" : ` (version ${version})`}${pending === 0 ? "" : `; ${pending} are waiting`}`

/** The log entry for an outage of the whole tracker. `open`: whether it answered before; undefined if it was never asked. */
const complaint = (sink: Sink["Service"], { detail, reason }: MlflowFailed, open: boolean | undefined) => {
  const kept = "records are kept meanwhile"
  switch (reason) {
    case "unreachable":
      return Effect.logWarning(
        open === undefined
          ? `no ${sink.name} (${detail}); ${kept}. To get one: ${sink.advice}`
          : `${sink.name} is gone (${detail}); ${kept}`
      )
    case "host":
      return Effect.logError(`${sink.name} does not know itself by that name; ${kept}. Start it with --allowed-hosts`)
    case "credentials":
      return Effect.logError(
        `${sink.name} does not let us in (${detail}); ${kept}. See MLFLOW_TRACKING_USERNAME and _TOKEN`
      )
    default:
      return Effect.logWarning(`${sink.name} takes nothing (${detail}); ${kept}`)
  }
}
