import { GenerationStore } from "@llm-saas/database/GenerationStore"
import { repeat } from "@llm-saas/domain/Loop"
import { Effect, Layer } from "effect"

/** How often (ms) there is a look at what is deleted, when nothing was. */
const IDLE = 1000
/** How long (ms) the next batch waits, so that the connection is others' in between: a batch takes some 50 ms. */
const PAUSE = 10
/** Rows a batch removes at most. */
const BATCH = 500
/** Batches of a round at most, so that a round has an end: some six seconds. */
const ROUND = 100
/** A loop that ended no round for as long as this has died or hangs. */
const LATE = "2 minutes"

/**
 * Removes what is deleted, a batch at a time, for as long as the scope is open: thousands of rows a second, whoever they belong to. Any
 * number of processes may: each takes what no other is at. What a process leaves that is killed, another goes on with.
 */
export const keep = Effect.gen(function* () {
  const store = yield* GenerationStore
  const round = Effect.gen(function* () {
    for (let batch = 0; batch < ROUND; batch++) {
      if ((yield* store.purge(BATCH)) === 0) return
      yield* Effect.sleep(PAUSE)
    }
    // The database is away, and has it all still.
  }).pipe(Effect.catchTag("Unavailable", () => Effect.void))
  yield* repeat({ name: "the removal of what is deleted", every: IDLE, late: LATE }, round)
})

/** A process of the program removes what is deleted beside what else it does. */
export const PurgeLayer = Layer.effectDiscard(keep)
