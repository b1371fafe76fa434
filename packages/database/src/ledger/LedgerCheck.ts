import { Effect, type Redacted, Schema } from "effect"
import { connect, rows } from "../connections/Script.ts"
import { Roles } from "../logins/Roles.ts"
import { COMPARISONS } from "./Comparisons.ts"

/** What a comparison found. */
export interface Compared {
  readonly name: string
  readonly differences: number
  /** The first of them, in words. */
  readonly first: ReadonlyArray<string>
}

/** As many differences are told. */
const TOLD = 20

/** Answers of before have no entry. */
const LEDGER_MIGRATION = 18
const SINCE = "select applied_at::text as since from meta.migrations where version = $1::int4"
const Since = Schema.Tuple([Schema.Struct({ since: Schema.String })])

const Found = Schema.Tuple([Schema.Struct({ count: Schema.Int, first: Schema.NullOr(Schema.Array(Schema.String)) })])

/**
 * Compares the books, all in one snapshot: what goes on meanwhile is no difference. By an administrator, who reads as the role of
 * `work`: behind the wall the owner of the tables sees no row of them.
 */
export const checkLedger = Effect.fn("LedgerCheck.check")(function* (adminUrl: Redacted.Redacted) {
  const connection = yield* connect(adminUrl)
  const { owner, work } = yield* Roles
  yield* rows(connection, "begin isolation level repeatable read read only")
  yield* rows(connection, `set local role ${owner}`)
  const [{ since }] = yield* rows(connection, SINCE, [LEDGER_MIGRATION]).pipe(
    Effect.flatMap((found) => Effect.orDie(Schema.decodeUnknownEffect(Since)(found)))
  )
  yield* rows(connection, `set local role ${work}`)
  const compared = yield* Effect.forEach(COMPARISONS, (comparison) =>
    rows(
      connection,
      `select count(*)::int4 as count, (array_agg(difference))[1:${TOLD}] as first from (${comparison.sql}) d`,
      comparison.since === true ? [since] : []
    ).pipe(
      Effect.flatMap((found) => Effect.orDie(Schema.decodeUnknownEffect(Found)(found))),
      Effect.map(([{ count, first }]): Compared => ({ name: comparison.name, differences: count, first: first ?? [] }))
    )
  )
  yield* rows(connection, "rollback")
  return compared
}, Effect.scoped)
