import { GenerationStore } from "@llm-saas/database/GenerationStore"
import { repeat } from "@llm-saas/domain/Loop"
import { Effect, Layer } from "effect"

/** How often (ms) the queue is looked at, when it was empty. What is in it is read with the sums, so nothing depends on it. */
const IDLE_MS = 2000
/** Pause (ms) between two batches, so that others get the connection. */
const PAUSE_MS = 5
/** Most entries of a batch. */
const BATCH_ROWS = 500
/** Most batches of a round, so that a round ends. */
const BATCHES_PER_ROUND = 200
/** A loop that finished no round for this long is dead or hangs. */
const OVERDUE_AFTER = "2 minutes"

/**
 * Folds entries of the ledger into the sums by day, of all tenants, for as long as the scope is open. Any number of processes may do it:
 * each skips entries that another is folding. If a process is killed, another continues.
 */
export const keep = Effect.gen(function* () {
  const store = yield* GenerationStore
  const round = Effect.gen(function* () {
    for (let batch = 0; batch < BATCHES_PER_ROUND; batch++) {
      if ((yield* store.foldUsage(BATCH_ROWS)) < BATCH_ROWS) return
      yield* Effect.sleep(PAUSE_MS)
    }
    // The database is away and still has the queue.
  }).pipe(Effect.catchTag("Unavailable", () => Effect.void))
  yield* repeat({ name: "the sums of usage", every: IDLE_MS, late: OVERDUE_AFTER }, round)
})

/** Folds usage in the background of this process. */
export const UsageFoldLayer = Layer.effectDiscard(keep)
