import type { EventId } from "@llm-saas/api/EventId"

/** Where a request may name the last event its reader has. */
export interface LastEvent {
  readonly headers: { readonly "last-event-id"?: EventId | undefined }
  readonly query: { readonly lastEventId?: EventId | undefined; readonly last_event_id?: EventId | undefined }
}

/**
 * The last event that the reader has. A browser's `EventSource` reconnects with its first address and a header: the header is the later
 * of the two.
 */
export const lastEventOf = ({ headers, query }: LastEvent): EventId | undefined =>
  headers["last-event-id"] ?? query.lastEventId ?? query.last_event_id
