import { Tenancy, TenantSql } from "@llm-saas/database/Tenancy"
import type { Actor } from "@llm-saas/domain/Actor"
import { Conversation, ConversationId, ConversationNotFound } from "@llm-saas/domain/Conversation"
import type { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { type Page, page } from "@llm-saas/domain/Page"
import type { Refused } from "@llm-saas/domain/Refusal"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import { SqlSchema } from "effect/sql"
import * as AuditLog from "../AuditLog.ts"
import { markDeleted } from "../Deletions.ts"
import { Generations } from "../generations/Generations.ts"
import { type Attempt, once } from "../Idempotency.ts"
import { pageOnIndex } from "../Pages.ts"

/** Where a page starts, and how long it is. */
interface At {
  readonly limit: number
  readonly cursor: string | undefined
}

/** Groups of questions. They belong to their user; an admin of the tenant may read and remove one whose id they know. */
export class Conversations extends Context.Service<
  Conversations,
  {
    readonly create: (
      title: string | null,
      attempt?: Attempt
    ) => Effect.Effect<Conversation, IdempotencyMismatch | Refused, Actor>
    /** The actor's own, newest first. */
    readonly list: (at: At) => Effect.Effect<Page<Conversation>, Refused, Actor>
    readonly get: (id: ConversationId) => Effect.Effect<Conversation, ConversationNotFound | Refused, Actor>
    /** `null` removes the title: the next question sets one. */
    readonly rename: (
      id: ConversationId,
      title: string | null
    ) => Effect.Effect<Conversation, ConversationNotFound | Refused, Actor>
    /** With all its messages; answers still under way are stopped. */
    readonly remove: (id: ConversationId) => Effect.Effect<void, ConversationNotFound | Refused, Actor>
    /** Newest first, as JSON of the contract's `MessagePage`: see `Messages.page`. */
    readonly messages: (id: ConversationId, at: At) => Effect.Effect<string, ConversationNotFound | Refused, Actor>
  }
>()("@llm-saas/engine/messages/Conversations") {
  static readonly layer = Layer.effect(
    Conversations,
    Effect.gen(function* () {
      const tenancy = yield* Tenancy
      const generations = yield* Generations
      const random = yield* SecureRandom

      const one = Effect.fnUntraced(function* (row: Option.Option<typeof Row.Type>) {
        return Option.isSome(row) ? new Conversation(row.value) : yield* new ConversationNotFound({})
      })

      return Conversations.of({
        create: Effect.fn("Conversations.create")(function* (title, attempt) {
          const id = ConversationId.make(yield* random.uuidV7())
          const make = insert({ id, title }).pipe(
            Effect.map((row) => new Conversation(row)),
            Effect.catchTag("NoSuchElementError", Effect.die)
          )
          return yield* attempt === undefined
            ? tenancy.once(make)
            : tenancy.transaction(once(attempt, Conversation, make))
        }),
        list: Effect.fn("Conversations.list")(function* ({ cursor, limit }) {
          const rows = yield* tenancy.read(newestFirst({ after: cursor ?? null, limit: limit + 1 }))
          return page(
            rows.map((row) => new Conversation(row)),
            limit
          )
        }),
        get: Effect.fn("Conversations.get")((id) => Effect.flatMap(tenancy.read(find(id)), one)),
        rename: Effect.fn("Conversations.rename")((id, title) =>
          Effect.flatMap(tenancy.once(update({ id, title })), one)
        ),
        remove: Effect.fn("Conversations.remove")(function* (id) {
          const marked = yield* tenancy.once(markDeleted("conversation", id, yield* AuditLog.stamp(random)))
          if (Option.isNone(marked)) return yield* new ConversationNotFound({})
          yield* generations.stop(marked.value)
        }),
        messages: Effect.fn("Conversations.messages")(function* (id, { cursor, limit }) {
          const of = { conversation: id }
          const answer = yield* tenancy.readFunction("message_page", { of, after: cursor ?? null, limit })
          return answer ?? (yield* new ConversationNotFound({}))
        })
      })
    })
  )
}

const Row = Schema.Struct({
  ...Conversation.fields,
  created_at: Schema.DateTimeUtcFromDate,
  updated_at: Schema.DateTimeUtcFromDate
})

const find = SqlSchema.findOneOption({
  Request: ConversationId,
  Result: Row,
  execute: (id) =>
    TenantSql.use(
      (sql) => sql`select id, user_id, title, created_at, updated_at from app.conversations
          where tenant_id = app.tenant_id() and id = ${id}`
    )
})

const newestFirst = SqlSchema.findAll({
  Request: Schema.Struct({ after: Schema.NullOr(Schema.String), limit: Schema.Int }),
  Result: Row,
  execute: ({ after, limit }) =>
    TenantSql.use(
      (sql) =>
        sql`select id, user_id, title, created_at, updated_at
          from (${pageOnIndex(sql, "conversations", { column: "user_id", value: sql`app.user_id()` }, after, limit)}) c order by id desc`
    )
})

const insert = SqlSchema.findOne({
  Request: Schema.Struct({ id: ConversationId, title: Schema.NullOr(Schema.String) }),
  Result: Row,
  execute: ({ id, title }) =>
    TenantSql.use(
      (sql) =>
        sql`insert into app.conversations (tenant_id, id, user_id, title) values (app.tenant_id(), ${id}, app.user_id(), ${title})
          returning id, user_id, title, created_at, updated_at`
    )
})

const update = SqlSchema.findOneOption({
  Request: Schema.Struct({ id: ConversationId, title: Schema.NullOr(Schema.String) }),
  Result: Row,
  execute: ({ id, title }) =>
    TenantSql.use(
      (sql) =>
        sql`update app.conversations set title = ${title}, updated_at = now() where tenant_id = app.tenant_id() and id = ${id}
          returning id, user_id, title, created_at, updated_at`
    )
})
