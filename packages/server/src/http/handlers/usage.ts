import { Api } from "@llm-saas/api/Api"
import type { InvalidRequest } from "@llm-saas/api/Failures"
import type { Actor } from "@llm-saas/domain/Actor"
import { UNITS } from "@llm-saas/domain/Price"
import { type Dimension, UsageEntry, type UsageRow } from "@llm-saas/domain/UsageReport"
import { type Entries, type OtherGrouping, type Period, UsageReports } from "@llm-saas/engine/usage/UsageReports"
import { Effect, Option, Schema, Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { CSV, csvLine, wantsCsv } from "../Csv.ts"
import { invalid } from "../Decoding.ts"

/** Rows of a page of the report by default. */
const DEFAULT_ROWS = 100
/** Entries that are read at once: some 300 kB of text. */
const BATCH_ROWS = 1000

/** `/usage…`. */
export const UsageHandlers = HttpApiBuilder.group(
  Api,
  "usage",
  Effect.fnUntraced(function* (handlers) {
    const reports = yield* UsageReports
    return handlers
      .handle("report", ({ query, request }) =>
        Effect.map(pageOf(reports, query), (page) =>
          wantsCsv(query.format, request.headers["accept"])
            ? HttpServerResponse.text(tableOf(query.group_by ?? [], page.data), {
                contentType: CSV,
                headers: page.next_cursor === null ? {} : { link: linkTo(request.url, page.next_cursor) }
              })
            : page
        )
      )
      .handleRaw("export", ({ query, request }) =>
        Effect.gen(function* () {
          const csv = wantsCsv(query.format, request.headers["accept"])
          const read = (after: Entries["next"]) => reports.entries({ ...periodOf(query), after, limit: BATCH_ROWS })
          // A refusal is answered with its status: the rest is streamed, and cut by a failure.
          const first = yield* read(null)
          const context = yield* Effect.context<Actor>()
          const rest = Stream.paginate(first, (entries) =>
            Effect.map(
              entries.next === null ? Effect.succeed(Option.none()) : Effect.asSome(read(entries.next)),
              (next) => [[entries.data], next] as const
            )
          )
          const lines = Stream.map(rest, (data) => data.map(csv ? csvEntry : jsonEntry).join(""))
          return HttpServerResponse.stream(
            Stream.encodeText(csv ? Stream.concat(Stream.make(csvLine(ENTRY_HEAD)), lines) : lines).pipe(
              Stream.provideContext(context)
            ),
            { contentType: csv ? CSV : "application/x-ndjson" }
          )
        })
      )
  })
)

const periodOf = ({ from, scope = "own", to }: Partial<Period>): Period => ({ from, to, scope })

/** What a request asks for. */
interface Asked extends Partial<Period> {
  readonly group_by?: ReadonlyArray<Dimension>
  readonly limit?: number
  readonly cursor?: string
}

/** A page of the report, as a request asks for it. */
export const pageOf = (
  reports: UsageReports["Service"],
  { cursor, group_by = [], limit = DEFAULT_ROWS, ...period }: Asked
) => Effect.catchTag(reports.page({ ...periodOf(period), by: group_by, limit, cursor }), "OtherGrouping", otherGrouping)

/** The refusal of a cursor of another report. */
const otherGrouping = (_: OtherGrouping): Effect.Effect<never, InvalidRequest> =>
  Effect.fail(
    invalid([{ path: ["query", "cursor"], message: "Expected a next_cursor from an earlier page with this group_by" }])
  )

const linkTo = (url: string, cursor: string) => {
  const [path = "", search = ""] = url.split("?")
  const query = new URLSearchParams(search)
  query.set("cursor", cursor)
  return `<${path}?${query.toString()}>; rel="next"`
}

const COLUMNS = { day: "day", user: "user_id", key: "key_id", model: "model", door: "door" } as const

/** The columns of units, and one of JSON for those that have none. */
const UNIT_HEAD = [...UNITS, "other_units"]
const unitCells = (units: UsageRow["units"]) => {
  const others = Object.entries(units).filter(([unit]) => !UNITS.some((known) => known === unit))
  return [
    ...UNITS.map((unit) => units[unit] ?? 0),
    others.length === 0 ? null : JSON.stringify(Object.fromEntries(others))
  ]
}

const SUMS = ["requests", "errors", "unpriced"] as const
const TIMES = ["latency_p50_ms", "latency_p95_ms", "ttft_p50_ms", "ttft_p95_ms"] as const

const tableOf = (by: ReadonlyArray<Dimension>, rows: ReadonlyArray<UsageRow>): string => {
  const places = by.map((dimension) => COLUMNS[dimension])
  const line = (row: UsageRow) =>
    csvLine([
      ...places.map((place) => row[place] ?? null),
      ...SUMS.map((name) => row[name]),
      row.cost_usd,
      ...unitCells(row.units),
      ...TIMES.map((name) => row[name])
    ])
  return csvLine([...places, ...SUMS, "cost_usd", ...UNIT_HEAD, ...TIMES]) + rows.map(line).join("")
}

const MEMBERS = [
  "id",
  "at",
  "kind",
  "generation_id",
  "user_id",
  "key_id",
  "door",
  "provider",
  "model",
  "status",
  "cost_usd"
] as const
const ENTRY_HEAD = [...MEMBERS, ...UNIT_HEAD, "latency_ms", "ttft_ms", "note"]

const csvEntry = (entry: UsageEntry) =>
  csvLine([
    ...MEMBERS.map((name) => entry[name]),
    ...unitCells(entry.units),
    entry.latency_ms,
    entry.ttft_ms,
    entry.note
  ])

const encodeEntry = Schema.encodeSync(Schema.fromJsonString(UsageEntry))
const jsonEntry = (entry: UsageEntry) => `${encodeEntry(entry)}\n`
