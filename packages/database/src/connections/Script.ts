import { PgConnection } from "@effect/sql-pg"
import { Effect, type Redacted, Schema, type Scope } from "effect"
import { driverOptions, isLogin } from "../logins/DatabaseUrl.ts"
import { failedConnection, failedStatement, MigrationFailed } from "../MigrationFailed.ts"
import type { SqlFile } from "../SqlFiles.ts"

/** A connection of the administrator for as long as the scope is open. Fails where texts are not UTF-8. */
export const connect = (
  url: Redacted.Redacted
): Effect.Effect<PgConnection.PgConnection, MigrationFailed, Scope.Scope> =>
  Effect.map(open(url), ({ connection }) => connection)

/** As {@link connect}, as this role and no other: fails where the server reports another role. */
export const connectAs = (
  url: Redacted.Redacted,
  role: string
): Effect.Effect<PgConnection.PgConnection, MigrationFailed, Scope.Scope> =>
  Effect.flatMap(open(url), ({ connection, login }) =>
    isLogin(role, login)
      ? Effect.succeed(connection)
      : new MigrationFailed({ reason: "login", detail: `the server took the login of ${role} for ${login}: refused` })
  )

const Session = Schema.Struct({
  login: Schema.String,
  acts: Schema.String,
  server: Schema.String,
  client: Schema.String
})

const open = Effect.fnUntraced(function* (url: Redacted.Redacted) {
  const connection = yield* PgConnection.make({
    ...driverOptions(url),
    applicationName: "llm-saas schema",
    prepare: false
  }).pipe(Effect.mapError((error) => failedConnection(error, url)))
  const [answer] = yield* rows(
    connection,
    `select session_user::text as login, current_user::text as acts, current_setting('server_encoding') as server,
       current_setting('client_encoding') as client`
  )
  const { acts, client, login, server } = yield* Effect.orDie(Schema.decodeUnknownEffect(Session)(answer))
  if (server !== "UTF8" || client !== "UTF8")
    return yield* new MigrationFailed({
      reason: "encoding",
      detail:
        server === "UTF8"
          ? `the connection's texts are in ${client}: take client_encoding out of the URL and the role's settings`
          : `this database's texts are in ${server}, and not in UTF8: make another one (create database … template template0 encoding 'UTF8')`
    })
  return { connection, login: acts === login ? login : `${login}, acting as ${acts}` }
})

/** One statement; its rows. */
export const rows = (connection: PgConnection.PgConnection, sql: string, params: ReadonlyArray<unknown> = []) =>
  connection.query(sql, params).pipe(
    Effect.map((result) => result.rows),
    Effect.mapError((error) => failedStatement(error))
  )

/**
 * Runs a whole file. The protocol takes one statement per message; PL/pgSQL's EXECUTE takes a string of many and lets PostgreSQL's own
 * parser find their ends, so no splitter here can disagree with it about quotes. A COMMIT inside the file is refused.
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
