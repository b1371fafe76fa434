import type { PgConnection } from "@effect/sql-pg"
import { Effect, Schema } from "effect"
import { ConnectionError, SqlError } from "effect/sql/SqlError"
import { isLogin } from "./DatabaseUrl.ts"

const decode = Schema.decodeUnknownEffect(Schema.Struct({ login: Schema.String, acts: Schema.String }))

/**
 * Fails where the connection has another login than it was made for, or acts as another role: such a connection serves nothing, whatever a
 * URL, a pooler or a setting says. One round trip per connection, before its first use.
 */
export const ofLogin = Effect.fnUntraced(function* (
  connection: PgConnection.PgConnection
): Effect.fn.Return<void, SqlError> {
  const { username } = connection.config
  const { rows } = yield* connection
    .query("select session_user::text as login, current_user::text as acts", [], false)
    .pipe(Effect.timeoutOrElse({ duration: "5 seconds", orElse: () => Effect.fail(refused("Connection timed out")) }))
  const { acts, login } = yield* Effect.orDie(decode(rows[0]))
  if (acts === login && (username === undefined || isLogin(username, login))) return
  const message = `the server took the login of ${username} for ${login}, acting as ${acts}: refused`
  return yield* Effect.fail(refused(message))
})

const refused = (message: string) =>
  new SqlError({
    reason: new ConnectionError({
      cause: new Error(message),
      message: `PgConnection: ${message}`,
      operation: "connect"
    })
  })
