import { Console, Effect, Option, Predicate, Redacted, Schema } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import { Settings } from "../config/Settings.ts"
import { StartupFailed } from "../process/Startup.ts"

// What the commands of the operator share: the way to the server, and how its answers are printed.

/** What a command asks of the server. Its options are checked there, and nowhere else. */
export interface Asked {
  readonly method: "GET" | "POST" | "PUT" | "DELETE"
  /** Below `/operator`. */
  readonly path: string
  /** Options that were not given are left out. */
  readonly query?: Readonly<Record<string, Option.Option<string>>>
  readonly json?: unknown
}

type Row = Readonly<Record<string, unknown>>

const Rows = Schema.Array(Schema.Record(Schema.String, Schema.Unknown))

/** The answer of the server at OPERATOR_URL, asked with OPERATOR_TOKEN: an object, or nothing. */
export const ask = ({ json, method, path, query = {} }: Asked) =>
  Effect.gen(function* () {
    const { OPERATOR_TOKEN, OPERATOR_URL, PORT } = yield* Settings
    if (OPERATOR_TOKEN === undefined)
      return yield* new StartupFailed({
        message: "OPERATOR_TOKEN is missing: `npm run operator -- token create --name NAME` makes one"
      })
    const base = (OPERATOR_URL ?? `http://127.0.0.1:${PORT}`).replace(/\/$/u, "")
    const given = Object.entries(query).flatMap(([name, value]) =>
      Option.isSome(value) ? [[name, value.value] as const] : []
    )
    const request = HttpClientRequest.make(method)(`${base}/operator${path}`, { urlParams: given }).pipe(
      HttpClientRequest.bearerToken(Redacted.value(OPERATOR_TOKEN)),
      json === undefined ? (same) => same : HttpClientRequest.bodyJsonUnsafe(json)
    )
    const { body, status } = yield* HttpClient.execute(request).pipe(
      Effect.flatMap((response) => Effect.map(response.text, (body) => ({ body, status: response.status }))),
      Effect.mapError(
        () => new StartupFailed({ message: `${base} does not answer: is OPERATOR_URL the server's address?` })
      )
    )
    const answer = body === "" ? {} : yield* objectIn(body, base)
    if (status < 400) return answer
    return yield* new StartupFailed({
      message: Predicate.isString(answer["detail"]) ? answer["detail"] : `${base} answered ${status}`
    })
  }).pipe(Effect.provide(FetchHttpClient.layer))

const objectIn = (body: string, base: string) =>
  Effect.mapError(
    Schema.decodeEffect(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown)))(body),
    () => new StartupFailed({ message: `${base} is no server of this program` })
  )

/** All rows of a list, page after page. */
export const askAll = Effect.fnUntraced(function* (asked: Asked) {
  const all: Array<Row> = []
  let cursor = Option.none<string>()
  do {
    const answer = yield* ask({ ...asked, query: { ...asked.query, ...(Option.isSome(cursor) ? { cursor } : {}) } })
    all.push(...(yield* Effect.orDie(Schema.decodeUnknownEffect(Rows)(answer["data"]))))
    const next = answer["next_cursor"]
    cursor = Predicate.isString(next) ? Option.some(next) : Option.none()
  } while (Option.isSome(cursor))
  return all
})

/** Prints rows for people, or one JSON object a line. */
export const print = (rows: ReadonlyArray<Row>, columns: ReadonlyArray<string>, json: boolean) =>
  Effect.forEach(json ? rows.map((row) => JSON.stringify(row)) : table(rows, columns), (line) => Console.log(line), {
    discard: true
  })

/** Prints one object: a member a line, or JSON in one line. */
export const printOne = (row: Row, json: boolean) =>
  Console.log(
    json
      ? JSON.stringify(row)
      : Object.entries(row)
          .map(([name, value]) => `${name}: ${textOf(value)}`)
          .join("\n")
  )

/** Columns as wide as what is in them. */
export const table = (rows: ReadonlyArray<Row>, columns: ReadonlyArray<string>): ReadonlyArray<string> => {
  const cells = [columns, ...rows.map((row) => columns.map((column) => textOf(row[column])))]
  const widths = columns.map((_, place) => Math.max(...cells.map((line) => line[place]?.length ?? 0)))
  return cells.map((line) =>
    line
      .map((cell, place) => cell.padEnd(widths[place] ?? 0))
      .join("  ")
      .trimEnd()
  )
}

/** As it may stand on a terminal: control characters of a name are not printed. */
const textOf = (value: unknown): string =>
  (value === null || value === undefined ? "-" : Predicate.isString(value) ? value : JSON.stringify(value)).replaceAll(
    /\p{Cc}/gu,
    "?"
  )
