import { Tenancy, TenantSql } from "@llm-saas/database/Tenancy"
import type { Actor } from "@llm-saas/domain/Actor"
import { Conversation, ConversationId, ConversationNotFound } from "@llm-saas/domain/Conversation"
import type { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import type { ModelNotFound } from "@llm-saas/domain/Model"
import { type Page, page } from "@llm-saas/domain/Page"
import type { Refused } from "@llm-saas/domain/Refusal"
import type { ModelNotAllowed } from "@llm-saas/domain/Scope"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import { SqlSchema } from "effect/sql"
import * as AuditLog from "../AuditLog.ts"
import { markDeleted } from "../Deletions.ts"
import { allowedModel } from "../generations/AllowedModel.ts"
import { Generations } from "../generations/Generations.ts"
import { Llm } from "../generations/Llm.ts"
import { type Attempt, once } from "../Idempotency.ts"
import { pageOnIndex } from "../Pages.ts"

/** Where a page starts, and how long it is. */
interface At {
  readonly limit: number
  readonly cursor: string | undefined
}

/** What a user says of a conversation. */
interface Members {
  readonly title?: string | null | undefined
  /** The model of questions that name none. */
  readonly model?: string | null | undefined
  readonly system?: string | null | undefined
}

type ModelRefused = ModelNotAllowed | ModelNotFound

/** Groups of questions. They belong to their user; an admin of the tenant may read and remove one whose id they know. */
export class Conversations extends Context.Service<
  Conversations,
  {
    readonly create: (
      members: Members,
      attempt?: Attempt
    ) => Effect.Effect<Conversation, IdempotencyMismatch | ModelRefused | Refused, Actor>
    /** The actor's own, newest first. */
    readonly list: (at: At) => Effect.Effect<Page<Conversation>, Refused, Actor>
    readonly get: (id: ConversationId) => Effect.Effect<Conversation, ConversationNotFound | Refused, Actor>
    /** What is undefined stays. `null` removes the title: the next question sets one. */
    readonly change: (
      id: ConversationId,
      members: Members
    ) => Effect.Effect<Conversation, ConversationNotFound | ModelRefused | Refused, Actor>
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
      const llm = yield* Llm
      const random = yield* SecureRandom

      /** A model that the actor may ask. */
      const checked = (model: string | null | undefined): Effect.Effect<unknown, ModelRefused, Actor> =>
        typeof model === "string" ? allowedModel(llm, model, "chat") : Effect.void

      const one = Effect.fnUntraced(function* (row: Option.Option<typeof Row.Type>) {
        return Option.isSome(row) ? new Conversation(row.value) : yield* new ConversationNotFound({})
      })

      return Conversations.of({
        create: Effect.fn("Conversations.create")(function* ({ model = null, system = null, title = null }, attempt) {
          yield* checked(model)
          const id = ConversationId.make(yield* random.uuidV7())
          const make = insert({ id, title, model, system }).pipe(
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
        change: Effect.fn("Conversations.change")(function* (id, { model, system, title }) {
          yield* checked(model)
          const change = { title: title ?? null, model: model ?? null, system: system ?? null }
          const given = { title: title !== undefined, model: model !== undefined, system: system !== undefined }
          return yield* Effect.flatMap(tenancy.once(update({ id, change, given })), one)
        }),
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
      (sql) => sql`select id, user_id, title, model, system, created_at, updated_at from app.conversations
          where tenant_id = app.tenant_id() and id = ${id}`
    )
})

const newestFirst = SqlSchema.findAll({
  Request: Schema.Struct({ after: Schema.NullOr(Schema.String), limit: Schema.Int }),
  Result: Row,
  execute: ({ after, limit }) =>
    TenantSql.use(
      (sql) =>
        sql`select id, user_id, title, model, system, created_at, updated_at
          from (${pageOnIndex(sql, "conversations", { column: "user_id", value: sql`app.user_id()` }, after, limit)}) c order by id desc`
    )
})

const nullable = Schema.NullOr(Schema.String)
const values = { title: nullable, model: nullable, system: nullable }

const insert = SqlSchema.findOne({
  Request: Schema.Struct({ id: ConversationId, ...values }),
  Result: Row,
  execute: ({ id, model, system, title }) =>
    TenantSql.use(
      (sql) =>
        sql`insert into app.conversations (tenant_id, id, user_id, title, model, system)
          values (app.tenant_id(), ${id}, app.user_id(), ${title}, ${model}, ${system})
          returning id, user_id, title, model, system, created_at, updated_at`
    )
})

const update = SqlSchema.findOneOption({
  Request: Schema.Struct({
    id: ConversationId,
    change: Schema.Struct(values),
    given: Schema.Struct({ title: Schema.Boolean, model: Schema.Boolean, system: Schema.Boolean })
  }),
  Result: Row,
  execute: ({ change, given, id }) =>
    TenantSql.use(
      (sql) =>
        sql`update app.conversations set
            title = case when ${given.title}::boolean then ${change.title}::text else title end,
            model = case when ${given.model}::boolean then ${change.model}::text else model end,
            system = case when ${given.system}::boolean then ${change.system}::text else system end,
            updated_at = now()
          where tenant_id = app.tenant_id() and id = ${id}
          returning id, user_id, title, model, system, created_at, updated_at`
    )
})
