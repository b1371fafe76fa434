import { Data, Effect, Redacted, type Scope } from "effect"
import pg from "pg"

/** PostgreSQL's error. */
export class Refused extends Data.TaggedError("Refused")<{ readonly state: string; readonly message: string }> {}

/** A login by another driver than ours: it speaks COPY, and runs a whole script in one call. */
export interface Session {
  /** The rows of one statement; with no values, of the last of several. */
  readonly rows: (
    sql: string,
    values?: ReadonlyArray<unknown>
  ) => Effect.Effect<ReadonlyArray<Record<string, unknown>>, Refused>
  /** How many rows it read or wrote. */
  readonly count: (sql: string, values?: ReadonlyArray<unknown>) => Effect.Effect<number, Refused>
  /** The server's notices so far. */
  readonly notices: ReadonlyArray<string>
}

/** Logs in for as long as the scope is open. */
export const open = (url: Redacted.Redacted): Effect.Effect<Session, never, Scope.Scope> =>
  Effect.gen(function* () {
    const client = new pg.Client({ connectionString: Redacted.value(url) })
    // A test that drops the database under a session it has finished with.
    client.on("error", () => {})
    const notices: Array<string> = []
    client.on("notice", ({ message }) => void notices.push(message ?? ""))
    yield* Effect.acquireRelease(
      Effect.promise(() => client.connect()),
      () => Effect.promise(() => client.end())
    )
    const query = (sql: string, values?: ReadonlyArray<unknown>) =>
      Effect.tryPromise({
        try: () => (values === undefined ? client.query(sql) : client.query(sql, [...values])),
        catch: (error) =>
          error instanceof pg.DatabaseError
            ? new Refused({ state: error.code ?? "", message: error.message })
            : new Refused({ state: "", message: String(error) })
      }).pipe(
        Effect.map((result) => {
          const last = Array.isArray(result) ? result.at(-1) : result
          return { rows: last?.rows ?? [], count: last?.rowCount ?? 0 }
        })
      )
    return {
      rows: (sql, values) => Effect.map(query(sql, values), (result) => result.rows),
      count: (sql, values) => Effect.map(query(sql, values), (result) => result.count),
      notices
    }
  })

/** The SQLSTATE of a refusal, or `fine`. */
export const stateOf = <A>(work: Effect.Effect<A, Refused>): Effect.Effect<string> =>
  Effect.match(work, { onFailure: ({ state }) => state, onSuccess: () => "fine" })
