import { PgConnection } from "@effect/sql-pg"
import { Effect, type Redacted, type Scope } from "effect"
import { failedConnection, failedStatement, type MigrationFailed } from "./MigrationFailed.ts"
import type { SqlFile } from "./SqlFiles.ts"

/** A connection of the administrator's for as long as the scope is open. */
export const connect = (
  url: Redacted.Redacted
): Effect.Effect<PgConnection.PgConnection, MigrationFailed, Scope.Scope> =>
  PgConnection.make({ url, applicationName: "llm-saas schema", prepare: false }).pipe(
    Effect.mapError((error) => failedConnection(error, url))
  )

/** One statement; its rows. */
export const rows = (connection: PgConnection.PgConnection, sql: string, params: ReadonlyArray<unknown> = []) =>
  connection.query(sql, params).pipe(
    Effect.map((result) => result.rows),
    Effect.mapError((error) => failedStatement(error))
  )

/**
 * Runs a whole file. The protocol takes one statement a message; PL/pgSQL's EXECUTE takes a string of many and lets PostgreSQL's
 * own parser find their ends, so there is no splitter here to disagree with it about quotes. A COMMIT inside the file is refused.
 */
export const run = (connection: PgConnection.PgConnection, file: SqlFile) => {
  const { text } = file
  const quote = delimiter(text)
  const block = delimiter(text + quote)
  return connection.query(`do ${block} begin execute ${quote}${text}${quote}; end ${block}`, []).pipe(
    Effect.mapError((error) => failedStatement(error, file)),
    Effect.asVoid
  )
}

/** A dollar quote that the text does not contain. */
const delimiter = (text: string) => {
  let n = 0
  while (text.includes(`$file${n}$`)) n++
  return `$file${n}$`
}

/** Runs `work` in a transaction: committed when it succeeds, rolled back before anything else when it does not. */
export const transaction = <A, E>(connection: PgConnection.PgConnection, work: Effect.Effect<A, E>) =>
  Effect.uninterruptibleMask((restore) =>
    rows(connection, "begin").pipe(
      Effect.andThen(restore(work)),
      Effect.tap(() => rows(connection, "commit")),
      Effect.onError(() => Effect.ignore(rows(connection, "rollback")))
    )
  )
