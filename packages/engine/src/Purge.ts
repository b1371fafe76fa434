import { GenerationStore } from "@llm-saas/database/GenerationStore"
import { OperatorAccess } from "@llm-saas/database/OperatorAccess"
import { repeat } from "@llm-saas/domain/Loop"
import { Effect, Layer } from "effect"

/** How often (ms) deleted rows are looked for, when there were none. */
const IDLE_MS = 1000
/** Pause (ms) between two batches, so that others get the connection: a batch takes some 50 ms. */
const PAUSE_MS = 10
/** Most rows removed per batch. */
const BATCH_ROWS = 500
/** Most batches per round, so that a round ends: some six seconds. */
const BATCHES_PER_ROUND = 100
/** A loop that finished no round for this long is dead or hangs. */
const OVERDUE_AFTER = "2 minutes"

/**
 * Removes deleted rows in batches, of all tenants, and carries on with what the operator ordered (suspensions, erasures), for as long as the scope is open: thousands of rows a second. Any number of processes
 * may run it: each skips rows that another is removing. If a process is killed, another continues.
 */
export const keep = Effect.gen(function* () {
  const store = yield* GenerationStore
  const operator = yield* OperatorAccess
  const round = Effect.gen(function* () {
    for (let batch = 0; batch < BATCHES_PER_ROUND; batch++) {
      // Erased tenants' users are marked here, and removed with the next batch.
      const ordered = yield* operator.carryOn(BATCH_ROWS)
      if ((yield* store.purge(BATCH_ROWS)) + ordered === 0) return
      yield* Effect.sleep(PAUSE_MS)
    }
    // The database is away and still has the rows: the next round removes them.
  }).pipe(Effect.catchTag("Unavailable", () => Effect.void))
  yield* repeat({ name: "the removal of what is deleted", every: IDLE_MS, late: OVERDUE_AFTER }, round)
})

/** Removes deleted rows in the background of this process. */
export const PurgeLayer = Layer.effectDiscard(keep)
