import { Tenancy, TenantSql } from "@llm-saas/database/Tenancy"
import { Actor } from "@llm-saas/domain/Actor"
import { GenerationId } from "@llm-saas/domain/Generation"
import { type Message, MessageId, MessageNotFound } from "@llm-saas/domain/Message"
import { type Page, page } from "@llm-saas/domain/Page"
import type { Forbidden, Unauthenticated, Unavailable } from "@llm-saas/domain/Refusal"
import { Array, Context, Effect, Layer, Option, Schema } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import { SqlSchema } from "effect/sql"
import * as AuditLog from "./AuditLog.ts"
import { exchange, exchanges, toMessage } from "./Exchanges.ts"
import { Generations } from "./Generations.ts"

type Refused = Unauthenticated | Forbidden | Unavailable

/** Questions and their answers, as they are kept. */
export class Messages extends Context.Service<
  Messages,
  {
    /**
     * Newest first. `own`: the actor's. `tenant`: everybody's of the tenant, for admins; others are refused.
     */
    readonly list: (at: {
      readonly scope: "own" | "tenant"
      readonly limit: number
      readonly cursor: string | undefined
    }) => Effect.Effect<Page<Message>, Refused, Actor>
    readonly get: (id: MessageId) => Effect.Effect<Message, MessageNotFound | Refused, Actor>
    /** Removes question and answer; an answer still under way is stopped. The account of it stays. */
    readonly remove: (id: MessageId) => Effect.Effect<void, MessageNotFound | Refused, Actor>
  }
>()("@llm-saas/engine/Messages") {
  static readonly layer = Layer.effect(
    Messages,
    Effect.gen(function* () {
      const tenancy = yield* Tenancy
      const generations = yield* Generations
      const random = yield* SecureRandom

      return Messages.of({
        list: Effect.fn("Messages.list")(function* ({ cursor, limit, scope }) {
          const actor = yield* Actor
          const rows = yield* tenancy
            .read(exchanges({ scope, conversation: null, after: cursor ?? null, limit: limit + 1 }))
            .pipe(Effect.provideService(Actor, scope === "tenant" ? { ...actor, needs: "admin" } : actor))
          return page(rows.map(toMessage), limit)
        }),
        get: Effect.fn("Messages.get")(function* (id) {
          const row = yield* tenancy.read(exchange(id))
          return Option.isSome(row) ? toMessage(row.value) : yield* new MessageNotFound({})
        }),
        remove: Effect.fn("Messages.remove")(function* (id) {
          const removed = yield* tenancy.once(del({ id, ...(yield* AuditLog.stamp(random)) }))
          if (!Array.isReadonlyArrayNonEmpty(removed)) return yield* new MessageNotFound({})
          yield* generations.stop(removed.flatMap(({ running }) => (running === null ? [] : [running])))
        })
      })
    })
  )
}

const del = SqlSchema.findAll({
  Request: Schema.Struct({ id: MessageId, event: Schema.String, request: Schema.String }),
  Result: Schema.Struct({ id: MessageId, running: Schema.NullOr(GenerationId) }),
  execute: ({ id, ...stamp }) =>
    TenantSql.use(
      (sql) => sql`with gone as (
          delete from app.messages where id = ${id} returning tenant_id, id, user_id
        ), noted as (${AuditLog.recordGone(sql, stamp, "message.deleted", "message")})
        select gone.id, g.id as running from gone
        left join app.generations g on g.tenant_id = gone.tenant_id and g.message_id = gone.id and g.status in ('queued', 'streaming')`
    )
})
