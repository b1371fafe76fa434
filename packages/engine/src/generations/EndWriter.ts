import { GenerationStore } from "@llm-saas/database/GenerationStore"
import { type Ending, PROCESS_LOST } from "@llm-saas/domain/Generation"
import { retried } from "@llm-saas/domain/Retried"
import { monotonicMillis, steadily } from "@llm-saas/domain/Time"
import { Clock, Effect, Schedule } from "effect"
import { endedGeneration, type RunState } from "./GenerationRecord.ts"
import * as Telemetry from "./GenerationTelemetry.ts"
import { PriceBook } from "../prices/PriceBook.ts"
import type { RunningGeneration } from "./RunningGeneration.ts"

/** After this long (ms), a client that waits for the whole answer is told to come back, if the database does not take its end. */
const STALL_AFTER_MS = 8000

/** A row that cannot be written now is retried for ten minutes: longer than a database takes to restart or fail over. */
const WRITE_RETRIES = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("2 seconds")]).pipe(
  Schedule.jittered,
  Schedule.upTo({ duration: "10 minutes" })
)

/**
 * Stores the end of an answer, and what is tracked of it; readers wait until the database has it. Returns the end that readers receive.
 * `chunksSettled`: no chunk is being written.
 */
export const make = Effect.fnUntraced(function* ({ chunksSettled }: { readonly chunksSettled: Effect.Effect<void> }) {
  const store = yield* GenerationStore
  const book = yield* PriceBook
  const clock = yield* Clock.Clock

  return Effect.fnUntraced(function* (live: RunningGeneration, run: RunState, ending: Ending) {
    const { answer, end, record } = endedGeneration(live, run, ending, book)
    yield* chunksSettled
    const from = monotonicMillis(clock)
    const finishing = Effect.tapError(store.finish(answer), () =>
      Effect.sync(() => {
        if (monotonicMillis(clock) - from > STALL_AFTER_MS) live.tokenLog.stall()
      })
    )
    const written = yield* retried(finishing, { schedule: WRITE_RETRIES, around: steadily }).pipe(
      // A sweeper ends it with the text stored so far.
      Effect.catchCause((cause) => Effect.as(Effect.logError("an answer could not be written down", cause), false))
    )
    yield* Telemetry.observe(record, answer.attempts, run.parent, run.moment())
    return written ? end : end.as(PROCESS_LOST)
  })
})
