import { TenantSql } from "@llm-saas/database/Tenancy"
import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { noteReplay } from "@llm-saas/domain/Replay"
import type { TenantId } from "@llm-saas/domain/Tenant"
import { Effect, Option, Schema } from "effect"
import { SqlSchema } from "effect/sql"

/** A request that may be sent again: its content, and its key. */
export interface Attempt {
  /** The operation and the key. */
  readonly key: string
  /** A keyed hash of the body, which may hold a password. */
  readonly bodyHash: string
}

/** The same for a client without an account. */
export interface GuestAttempt extends Attempt {
  /** The id of the tenant that this attempt creates, if it creates one: the same for every repetition. */
  readonly tenantId: TenantId
}

/**
 * Creates something once per key, in the current room: the answer is stored in the same transaction. A second request with the key waits
 * for the first and gets its answer; with another body it is refused. Where creating fails, the key is free again.
 */
export const once = <A, I, E, R>(
  { bodyHash, key }: Attempt,
  answers: Schema.Codec<A, I>,
  create: Effect.Effect<A, E, R>
) =>
  Effect.gen(function* () {
    const known = yield* earlier({ bodyHash, key }, answers)
    if (Option.isSome(known)) return known.value
    // Of two requests at once, the second waits here until the first has committed, and then finds its answer.
    if (Option.isNone(yield* claim({ key, bodyHash }))) {
      const first = yield* earlier({ bodyHash, key }, answers)
      return Option.isSome(first) ? first.value : yield* Effect.die("an answer is kept with its key")
    }
    const value = yield* create
    const answer = yield* Effect.orDie(Schema.encodeEffect(answers)(value))
    yield* keep({ key, answer: JSON.stringify(answer) })
    return value
  })

/** The answer to an earlier request with this key, if there was one. */
export const earlier = Effect.fnUntraced(function* <A, I>({ bodyHash, key }: Attempt, answers: Schema.Codec<A, I>) {
  const found = yield* find(key)
  if (Option.isNone(found)) return Option.none<A>()
  if (found.value.body_hash !== bodyHash) return yield* new IdempotencyMismatch({})
  yield* noteReplay
  return Option.some(yield* Effect.orDie(Schema.decodeUnknownEffect(answers)(found.value.answer)))
})

const claim = SqlSchema.findOneOption({
  Request: Schema.Struct({ key: Schema.String, bodyHash: Schema.String }),
  Result: Schema.Struct({ key: Schema.String }),
  execute: ({ bodyHash, key }) =>
    TenantSql.use(
      (sql) =>
        sql`insert into app.idempotent_answers (tenant_id, user_id, key, body_hash) values (app.tenant_id(), app.user_id(), ${key}, ${bodyHash})
          on conflict do nothing returning key`
    )
})

const find = SqlSchema.findOneOption({
  Request: Schema.String,
  Result: Schema.Struct({ body_hash: Schema.String, answer: Schema.Unknown }),
  execute: (key) =>
    TenantSql.use(
      (sql) =>
        sql`select body_hash, answer from app.idempotent_answers
          where tenant_id = app.tenant_id() and owner = app.user_id()::text and key = ${key}`
    )
})

const keep = SqlSchema.void({
  Request: Schema.Struct({ key: Schema.String, answer: Schema.String }),
  execute: ({ answer, key }) =>
    TenantSql.use(
      (sql) =>
        sql`update app.idempotent_answers set answer = ${answer}::text::jsonb
          where tenant_id = app.tenant_id() and owner = app.user_id()::text and key = ${key}`
    )
})
