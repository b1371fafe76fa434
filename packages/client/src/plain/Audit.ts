import type { RequestOptions, Transport } from "./Transport.ts"
import type { AuditEvent, Page, PageQuery } from "./Types.ts"

/** Which events; what is left out does not matter. Times are ISO 8601. */
export interface AuditQuery {
  /** Such as `session.begun`, or the beginning of some, which ends with a dot: `session.`. */
  readonly type?: string
  /** The id of a user, a service account or an API key. */
  readonly actor?: string
  /** The id of what it was done to. */
  readonly subject?: string
  /** The earliest time. */
  readonly from?: string
  /** After the latest one. */
  readonly to?: string
}

/** A tenant's audit log. For admins. */
export class Audit {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Newest first. A page may have few rows or none, and a next one all the same: few of many events are found page by page. */
  list(tenant: string, query?: AuditQuery & PageQuery, options?: RequestOptions): Promise<Page<AuditEvent>> {
    return this.#transport.retry("GET", pathOf(tenant), { ...options, query: { ...query } })
  }

  /** All of them, a line each, as the server sends them: JSON lines or a table. */
  export(
    tenant: string,
    query?: AuditQuery & { readonly format?: "jsonl" | "csv" },
    options?: RequestOptions
  ): Promise<Response> {
    return this.#transport.open("GET", `${pathOf(tenant)}/export`, { ...options, query: { ...query } })
  }
}

const pathOf = (tenant: string): string => `/tenants/${encodeURIComponent(tenant)}/audit`
