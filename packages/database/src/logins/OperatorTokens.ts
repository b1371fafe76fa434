import { OperatorTokenId } from "@llm-saas/domain/Operator"
import { makeOperatorToken } from "@llm-saas/domain/OperatorTokenText"
import { Duration, Effect, Redacted, Schema } from "effect"
import { createHash, randomBytes } from "node:crypto"
import { connect, rows, transaction } from "../connections/Script.ts"
import { Roles } from "./Roles.ts"

// Tokens of the operator, made by an administrator of the database: no program can make one.

/** There is no token of this id that holds. */
export class OperatorTokenUnknown extends Schema.TaggedError<OperatorTokenUnknown>()("OperatorTokenUnknown", {}) {
  override get message(): string {
    return "there is no token of this id, or it is revoked already"
  }
}

const Stored = Schema.Struct({
  id: OperatorTokenId,
  name: Schema.String,
  created_at: Schema.DateTimeUtcFromDate,
  expires_at: Schema.NullOr(Schema.DateTimeUtcFromDate),
  revoked_at: Schema.NullOr(Schema.DateTimeUtcFromDate),
  /** To the minute; null: never. */
  last_used_at: Schema.NullOr(Schema.DateTimeUtcFromDate)
})
const decode = Schema.decodeUnknownEffect(Schema.Array(Stored))

const COLUMNS = "id, name, created_at, expires_at, revoked_at, last_used_at"

/** Makes a token. Only the caller gets its text: what is stored is its hash. `lifetime`: undefined: it holds until it is revoked. */
export const createOperatorToken = Effect.fn("OperatorTokens.create")(function* (
  adminUrl: Redacted.Redacted,
  { lifetime, name }: { readonly name: string; readonly lifetime: Duration.Duration | undefined }
) {
  const { operator } = yield* Roles
  const text = makeOperatorToken(randomBytes(32))
  const hash = createHash("sha256").update(text).digest("hex")
  const connection = yield* connect(adminUrl)
  const made = yield* transaction(
    connection,
    Effect.gen(function* () {
      yield* rows(connection, `set local role ${operator}`)
      const found = yield* rows(
        connection,
        `insert into operator.tokens (id, name, hash, expires_at)
         values (operator.new_id(), $1::text, decode($2::text, 'hex'), now() + make_interval(secs => $3::float8)) returning ${COLUMNS}`,
        [name, hash, lifetime === undefined ? null : Duration.toSeconds(lifetime)]
      )
      const [token] = yield* Effect.orDie(decode(found))
      if (token === undefined) return yield* Effect.die("no token was made")
      yield* record(connection, "token.created", token.id, { name })
      return token
    })
  )
  return { token: made, text: Redacted.make(text) }
}, Effect.scoped)

/** All tokens, the newest first. */
export const listOperatorTokens = Effect.fn("OperatorTokens.list")(function* (adminUrl: Redacted.Redacted) {
  const { operator } = yield* Roles
  const connection = yield* connect(adminUrl)
  return yield* transaction(
    connection,
    Effect.andThen(
      rows(connection, `set local role ${operator}`),
      Effect.flatMap(rows(connection, `select ${COLUMNS} from operator.tokens order by id desc`), (found) =>
        Effect.orDie(decode(found))
      )
    )
  )
}, Effect.scoped)

/** Ends a token, from the very next request. */
export const revokeOperatorToken = Effect.fn("OperatorTokens.revoke")(function* (
  adminUrl: Redacted.Redacted,
  id: OperatorTokenId
) {
  const { operator } = yield* Roles
  const connection = yield* connect(adminUrl)
  return yield* transaction(
    connection,
    Effect.gen(function* () {
      yield* rows(connection, `set local role ${operator}`)
      const found = yield* rows(
        connection,
        `update operator.tokens set revoked_at = now() where id = $1::uuid and revoked_at is null returning ${COLUMNS}`,
        [id]
      )
      const [token] = yield* Effect.orDie(decode(found))
      if (token === undefined) return yield* new OperatorTokenUnknown({})
      yield* record(connection, "token.revoked", id, { name: token.name })
      return token
    })
  )
}, Effect.scoped)

/** In the operator's events, in the transaction of the deed. */
const record = (
  connection: Effect.Success<ReturnType<typeof connect>>,
  action: string,
  id: OperatorTokenId,
  detail: object
) =>
  rows(connection, "select operator.record(null, $1::text, null, 'token', $2::uuid, null, $3::text::jsonb)", [
    action,
    id,
    JSON.stringify(detail)
  ])
