import { Api } from "@llm-saas/api/Api"
import type { Actor } from "@llm-saas/domain/Actor"
import { AuditEvent } from "@llm-saas/domain/AuditEvent"
import { AuditEvents } from "@llm-saas/engine/AuditEvents"
import { DateTime, Effect, Option, Schema, Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { CSV, csvLine, wantsCsv } from "../Csv.ts"
import { DEFAULT_PAGE } from "./paging.ts"

/** Events that are read at once: some 500 kB of text. */
const BATCH_ROWS = 1000

/** `/tenants/…/audit`. */
export const AuditHandlers = HttpApiBuilder.group(
  Api,
  "audit",
  Effect.fnUntraced(function* (handlers) {
    const events = yield* AuditEvents
    return handlers
      .handle("list", ({ params, query: { limit = DEFAULT_PAGE, cursor, ...query } }) =>
        events.page(params.id, { ...query, limit, cursor })
      )
      .handleRaw("export", ({ params, query: { format, ...query }, request }) =>
        Effect.gen(function* () {
          const csv = wantsCsv(format, request.headers["accept"])
          const read = (cursor: string | undefined) => events.page(params.id, { ...query, limit: BATCH_ROWS, cursor })
          // A refusal is answered with its status: the rest is streamed, and cut by a failure.
          const first = yield* read(undefined)
          const context = yield* Effect.context<Actor>()
          const pages = Stream.paginate(first, (page) =>
            Effect.map(
              page.next_cursor === null ? Effect.succeed(Option.none()) : Effect.asSome(read(page.next_cursor)),
              (next) => [[page.data], next] as const
            )
          )
          const lines = Stream.map(pages, (data) => data.map(csv ? csvEvent : jsonEvent).join(""))
          return HttpServerResponse.stream(
            Stream.encodeText(csv ? Stream.concat(Stream.make(csvLine(HEAD)), lines) : lines).pipe(
              Stream.provideContext(context)
            ),
            { contentType: csv ? CSV : "application/x-ndjson" }
          )
        })
      )
  })
)

const HEAD = [
  "id",
  "at",
  "type",
  "actor_kind",
  "actor_id",
  "actor_email",
  "actor_name",
  "key_id",
  "subject_kind",
  "subject_id",
  "subject_name",
  "request_id",
  "address",
  "details"
]

const csvEvent = ({ actor, address, at, details, id, request_id, subject, type }: AuditEvent) =>
  csvLine([
    id,
    DateTime.formatIso(at),
    type,
    actor.kind,
    actor.id,
    actor.email,
    actor.name,
    actor.key?.id ?? null,
    subject?.kind ?? null,
    subject?.id ?? null,
    subject?.name ?? null,
    request_id,
    address,
    JSON.stringify(details)
  ])

const encodeEvent = Schema.encodeSync(Schema.fromJsonString(AuditEvent))
const jsonEvent = (event: AuditEvent) => `${encodeEvent(event)}\n`
