import type { Settlement, TrackingRecord } from "@llm-saas/database/TrackingOutbox"
import type { Sent } from "./Sink.ts"

// The outcome of a claimed record, as it is stored.

/** Attempts after which a record is put aside: after conflicts, and after `busy` answers, if other records were accepted meanwhile. */
const ATTEMPTS = { collision: 3, busy: 10 }

/** Back-off: a random time up to a limit that doubles from `first` to `most` (full jitter). */
const BACKOFF_MS = { first: 500, most: 30_000 }

/** The longest pause after so many failures in a row, in milliseconds. */
export const backOff = (failures: number): number => Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** failures)

/** The outcome of a record without a result: it is due again at once. If sending had begun, it may have arrived. */
export const unsent = (record: TrackingRecord, begun: boolean): Settlement =>
  later(
    record,
    {
      progress: { runId: record.run_id, runDone: record.run_done, traceSent: record.trace_sent, feedback: [] },
      unsure: record.unsure || begun,
      failure: undefined
    },
    { delayMs: 0, counts: false }
  )

/** The outcome of a record. `works`: another call to the tracker succeeded meanwhile. */
export const settlement = (
  record: TrackingRecord,
  sent: Sent,
  { delayMs, works }: { readonly works: boolean; readonly delayMs: number }
): Settlement => {
  const { failure } = sent
  if (failure === undefined) return { ...about(record, sent), outcome: "done" }
  const parked: Settlement = { ...about(record, sent), outcome: "parked", reason: failure.message }
  const again = (attempts: number) =>
    record.attempts + 1 >= attempts ? parked : later(record, sent, { counts: true, delayMs })
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
        : later(record, sent, { counts: false, delayMs })
    case "late":
    case "unreachable":
    case "unsupported":
    case "host":
    case "credentials":
    case "foreign":
      return later(record, sent, { counts: false, delayMs: 0 })
  }
}

const about = ({ generation_id, revision, tenant_id }: TrackingRecord, { progress }: Sent) => ({
  tenant_id,
  generation_id,
  revision,
  ...progress
})

const later = (
  record: TrackingRecord,
  sent: Sent,
  { counts, delayMs }: { readonly counts: boolean; readonly delayMs: number }
): Settlement => ({ ...about(record, sent), outcome: "later", unsure: sent.unsure, counts, delayMs })
