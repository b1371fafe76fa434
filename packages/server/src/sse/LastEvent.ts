import type { EventId } from "@llm-saas/api/EventId"
import type { TokenSource } from "@llm-saas/engine/generations/TokenLog"
import type { SchemaIssueText } from "../http/Refusals.ts"

/** Where a request may name the last event its reader has. */
export interface LastEvent {
  readonly headers: { readonly "last-event-id"?: EventId | undefined }
  readonly query: { readonly lastEventId?: EventId | undefined; readonly last_event_id?: EventId | undefined }
}

/** The position after which a reader continues, and the part of the request that names it. */
export interface Position {
  readonly seq: number
  readonly path: ReadonlyArray<string>
}

/**
 * The last event that the reader has. A browser's `EventSource` reconnects with its first address and a header: the header is the later
 * of the two.
 */
export const lastEventOf = ({ headers, query }: LastEvent): (EventId & Position) | undefined =>
  named(headers["last-event-id"], ["headers", "last-event-id"])
  ?? named(query.lastEventId, ["query", "lastEventId"])
  ?? named(query.last_event_id, ["query", "last_event_id"])

const named = (event: EventId | undefined, path: Position["path"]) => event && { ...event, path }

/**
 * What is left for a reader at `seq`: `more` (or a failure), nothing because it has `all`, the last event too, or nothing because the
 * answer ended before that position, which is `beyond` it. A running answer may reach any position: the poll of an answer at another
 * process lags behind its reader. One whose process was lost may have sent tokens that were not stored: its reader gets the failure.
 */
export const remaining = ({ ended, seq: last }: TokenSource, seq: number): "more" | "all" | "beyond" => {
  if (seq <= last || ended === undefined || ended.refused === true) return "more"
  if (seq === last + 1) return "all"
  return ended.ending.status === "interrupted" ? "more" : "beyond"
}

/** What is wrong with a position `beyond` an ended answer. */
export const beyond = ({ seq }: TokenSource, path: Position["path"]): SchemaIssueText => ({
  path,
  message: `Expected a position in the answer, which ended at ${seq}`
})
