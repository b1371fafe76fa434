import { Effect, type Redacted, Schema } from "effect"
import { connect, rows, transaction } from "../connections/Script.ts"
import { Roles } from "../logins/Roles.ts"

const Count = Schema.Tuple([Schema.Struct({ count: Schema.Int })])

/**
 * Builds the sums by day again from the ledger, by an administrator who acts as the role of `work`, while answers end and are read. The lock
 * keeps out every fold; the ends of answers do not need it, and add to the ledger and the queue in one transaction: each is in this
 * snapshot with both rows, or stays in the queue. Returns how many sums there are.
 */
export const rebuildUsage = Effect.fn("UsageRebuild.rebuild")(function* (adminUrl: Redacted.Redacted) {
  const connection = yield* connect(adminUrl)
  const { work } = yield* Roles
  const built = yield* transaction(
    connection,
    Effect.gen(function* () {
      yield* rows(connection, `set local role ${work}`)
      // Both before the first query: the snapshot is taken by that one, when the lock is held.
      yield* rows(connection, "set transaction isolation level repeatable read")
      yield* rows(connection, "lock table app.usage_days in share row exclusive mode")
      yield* rows(connection, "delete from app.usage_queue")
      yield* rows(connection, "delete from app.usage_days")
      return yield* rows(connection, BUILD)
    })
  )
  const [{ count }] = yield* Effect.orDie(Schema.decodeUnknownEffect(Count)(built))
  return count
}, Effect.scoped)

const BUILD = `with built as (
    insert into app.usage_days (
      tenant_id, grain, day, user_id, key_id, model, door, requests, errors, unpriced, counts, tenant_amount, provider_amount
    )
    select l.tenant_id, u.grain, u.day, u.user_id, u.key_id, u.model, u.door, sum(u.requests), sum(u.errors), sum(u.unpriced),
      app.sum_counts(array_agg(u.counts)), sum(u.tenant_amount), sum(l.provider_amount)
    from app.ledger l cross join lateral app.usage_of(l.tenant_id, l.id) u
    group by 1, 2, 3, 4, 5, 6, 7
    returning 1
  )
  select count(*)::int4 as count from built`
