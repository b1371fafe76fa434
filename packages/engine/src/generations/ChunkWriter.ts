import { type Notice, type Running, GenerationStore } from "@llm-saas/database/GenerationStore"
import { repeat } from "@llm-saas/domain/Loop"
import { monotonicMillis } from "@llm-saas/domain/Time"
import { Clock, Effect, Semaphore } from "effect"
import type { RunningGeneration, RunningGenerations } from "./RunningGeneration.ts"

/** How often (ms) new tokens are written. A process that dies loses at most this much of an answer. */
const FLUSH_MS = 250
/** How often (ms) leases are renewed: a tenth of their length. A cancel from another process may take as long to arrive. */
const RENEW_MS = 3000
/** How often (ms) the generations of lost processes are looked for. */
const SWEEP_MS = 10_000
/**
 * Length of a lease (ms). After an outage this process sweeps nothing for as long: leases ran out while their owners were still running.
 */
const LEASE_MS = 30_000
/** At most this many answers and characters go into one statement: a longer one would block other requests in this process. */
const BATCH_LIMIT = { answers: 100, characters: 1_000_000 }
const SWEEP_LIMIT = 100
/** A loop that finished no round for this long is dead or hangs. Longer than a database that does not answer can delay a round. */
const OVERDUE_AFTER = "1 minute"

/**
 * Stores what this process generates: every 250 ms one insert for all answers, and the renewal of their leases. While the database is away
 * nothing is lost: the next round writes what is missing.
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
      else if (reason === "followed" && live !== undefined) live.followedUntil = monotonicMillis(clock) + LEASE_MS
    }
  }
  const away = Effect.sync(() => {
    outageAt = monotonicMillis(clock)
  })

  // One round at a time, and an answer's end waits for the round under way: no chunk is written after its answer's end.
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
    monotonicMillis(clock) - outageAt < LEASE_MS ? Effect.void : Effect.asVoid(store.sweep(SWEEP_LIMIT))
  ).pipe(Effect.catch(() => away))

  yield* repeat({ name: "the writing of answers as they come", every: FLUSH_MS, late: OVERDUE_AFTER }, flush)
  yield* repeat({ name: "the renewal of leases", every: RENEW_MS, late: OVERDUE_AFTER }, renew)
  yield* repeat({ name: "the sweep of lost answers", every: SWEEP_MS, late: OVERDUE_AFTER }, sweep)
  return { renew, settled: writing.withPermit(Effect.void) }
})

const about = ({ generationId, tenantId }: RunningGeneration): Running => ({ generationId, tenantId })

/**
 * Answers with unwritten tokens, in batches of one statement each. Each answer comes once: of a thousand answers some always have new
 * tokens by the time they are written, and the round would never end.
 */
function* batches(runningGenerations: RunningGenerations): Generator<ReadonlyArray<RunningGeneration>> {
  let batch: Array<RunningGeneration> = []
  let characters = 0
  for (const live of runningGenerations.all()) {
    if (live.tokenLog.seq === live.persisted || live.state.status !== "streaming") continue
    batch.push(live)
    for (const token of live.tokenLog.after(live.persisted)) characters += token.length
    if (batch.length < BATCH_LIMIT.answers && characters < BATCH_LIMIT.characters) continue
    yield batch
    batch = []
    characters = 0
  }
  if (batch.length > 0) yield batch
}
