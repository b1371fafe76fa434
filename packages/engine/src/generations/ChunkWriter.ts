import { type Notice, type Running, GenerationStore } from "@llm-saas/database/GenerationStore"
import { repeat } from "@llm-saas/domain/Loop"
import { monotonicMillis } from "@llm-saas/domain/Time"
import { Clock, Effect, Semaphore } from "effect"
import type { RunningGeneration, RunningGenerations } from "./RunningGeneration.ts"

/** How often what came is written down, in ms. A process that dies loses at most this much of an answer. */
const FLUSH = 250
/** How often leases are renewed, in ms: a tenth of their length. Also how long a cancel at another process may take to arrive. */
const RENEW = 3000
/** How often other processes' leftovers are looked for, in ms. */
const SWEEP = 10_000
/** Without the database for this long (ms), a lease may have run out while its owner running generations: then nobody sweeps for as long again. */
const LEASE = 30_000
/** At most this many answers, and this many characters, go into one statement: a longer one keeps other requests waiting here. */
const BATCH = { answers: 100, characters: 1_000_000 }
const SWEPT = 100
/** A loop that ended no round for as long as this has died or hangs: longer than a database that does not answer keeps a round waiting. */
const LATE = "1 minute"

/**
 * Keeps what this process is generating: every 250 ms one insert for all answers together, and the leases that say it is alive. When
 * the database is away nothing is lost: what was not written is written with the next round.
 */
export const keep = Effect.fnUntraced(function* (lease: string, runningGenerations: RunningGenerations) {
  const store = yield* GenerationStore
  const clock = yield* Clock.Clock
  let outageAt = Number.NEGATIVE_INFINITY

  const heed = (notices: ReadonlyArray<Notice>) => {
    for (const { generationId, reason } of notices) {
      const live = runningGenerations.ofLease(generationId)
      if (reason === "cancel") live?.end({ status: "cancelled" })
      else if (reason === "lost") live?.end({ status: "interrupted", failure: "process_lost" })
      else if (reason === "followed" && live !== undefined) live.followedUntil = monotonicMillis(clock) + LEASE
    }
  }
  const away = Effect.sync(() => {
    outageAt = monotonicMillis(clock)
  })

  // One round at a time, and an answer's end waits for the round under way: no chunk comes after its answer's end.
  const writing = yield* Semaphore.make(1)
  const flush = Effect.gen(function* () {
    for (const batch of batches(runningGenerations)) {
      const chunks = batch.map(({ generationId, persisted, tokenLog, tenantId }) => ({
        tenantId,
        generationId,
        seq: persisted + 1,
        tokens: tokenLog.after(persisted)
      }))
      const notices = yield* store.append(lease, chunks)
      heed(notices)
      const busy = new Set(notices.flatMap(({ generationId, reason }) => (reason === "busy" ? [generationId] : [])))
      for (const [index, live] of batch.entries())
        if (!busy.has(live.generationId)) live.persisted += chunks[index]?.tokens.length ?? 0
    }
  }).pipe(
    Effect.catch(() => away),
    writing.withPermit
  )

  const renew = Effect.suspend(() =>
    runningGenerations.size === 0
      ? Effect.void
      : Effect.map(store.renew(lease, runningGenerations.all().map(about)), heed)
  ).pipe(Effect.catch(() => away))

  const sweep = Effect.suspend(() =>
    monotonicMillis(clock) - outageAt < LEASE ? Effect.void : Effect.asVoid(store.sweep(SWEPT))
  ).pipe(Effect.catch(() => away))

  yield* repeat({ name: "the writing of answers as they come", every: FLUSH, late: LATE }, flush)
  yield* repeat({ name: "the renewal of leases", every: RENEW, late: LATE }, renew)
  yield* repeat({ name: "the sweep of lost answers", every: SWEEP, late: LATE }, sweep)
  return { renew, settled: writing.withPermit(Effect.void) }
})

const about = ({ generationId, tenantId }: RunningGeneration): Running => ({ generationId, tenantId })

/**
 * Answers with something unwritten, as many at a time as one statement takes. None comes twice: with a thousand answers there is always
 * more by the time they are written, and the round would have no end.
 */
function* batches(runningGenerations: RunningGenerations): Generator<ReadonlyArray<RunningGeneration>> {
  let batch: Array<RunningGeneration> = []
  let characters = 0
  for (const live of runningGenerations.all()) {
    if (live.tokenLog.seq === live.persisted || live.state.status !== "streaming") continue
    batch.push(live)
    for (const token of live.tokenLog.after(live.persisted)) characters += token.length
    if (batch.length < BATCH.answers && characters < BATCH.characters) continue
    yield batch
    batch = []
    characters = 0
  }
  if (batch.length > 0) yield batch
}
