import { Tenancy, TenantSql } from "@llm-saas/database/Tenancy"
import type { Actor } from "@llm-saas/domain/Actor"
import { Feedback, Rating } from "@llm-saas/domain/Feedback"
import { GenerationId, GenerationNotFound } from "@llm-saas/domain/Generation"
import type { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { MessageId, MessageNotFound } from "@llm-saas/domain/Message"
import type { Forbidden, Unauthenticated, Unavailable } from "@llm-saas/domain/Refusal"
import { UserId } from "@llm-saas/domain/User"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlSchema } from "effect/sql"
import { type Attempt, once } from "../Idempotency.ts"

/** Users' opinions on answers. Each change is sent to the tracker, after the answer itself. */
export class Feedbacks extends Context.Service<
  Feedbacks,
  {
    /** The actor's opinion on a message they can see; it replaces the one they had. */
    readonly give: (
      message: MessageId,
      opinion: { readonly rating: number; readonly comment: string | null },
      attempt?: Attempt
    ) => Effect.Effect<
      Feedback,
      MessageNotFound | IdempotencyMismatch | Unauthenticated | Forbidden | Unavailable,
      Actor
    >
    /** The same of the message whose answer this is. */
    readonly giveFor: (
      answer: GenerationId,
      opinion: { readonly rating: number; readonly comment: string | null },
      attempt?: Attempt
    ) => Effect.Effect<
      Feedback,
      GenerationNotFound | IdempotencyMismatch | Unauthenticated | Forbidden | Unavailable,
      Actor
    >
  }
>()("@llm-saas/engine/Feedbacks") {
  static readonly layer = Layer.effect(
    Feedbacks,
    Effect.gen(function* () {
      const tenancy = yield* Tenancy
      const given = <E, Missing>(
        row: Effect.Effect<Option.Option<typeof Row.Type>, E, TenantSql>,
        missing: Missing,
        attempt: Attempt | undefined
      ) => {
        const give = Effect.flatMap(row, (found) =>
          Option.isSome(found) ? Effect.succeed(new Feedback(found.value)) : Effect.fail(missing)
        )
        return attempt === undefined ? tenancy.once(give) : tenancy.transaction(once(attempt, Feedback, give))
      }
      return Feedbacks.of({
        give: Effect.fn("Feedbacks.give")(function* (message, { comment, rating }, attempt) {
          return yield* given(upsert({ message, rating, comment }), new MessageNotFound({}), attempt)
        }),
        giveFor: Effect.fn("Feedbacks.giveFor")(function* (answer, { comment, rating }, attempt) {
          return yield* given(upsertFor({ answer, rating, comment }), new GenerationNotFound({}), attempt)
        })
      })
    })
  )
}

const Row = Schema.Struct({
  message_id: MessageId,
  user_id: UserId,
  rating: Rating,
  comment: Schema.NullOr(Schema.String),
  created_at: Schema.DateTimeUtcFromDate,
  updated_at: Schema.DateTimeUtcFromDate
})

const REPLACE = `on conflict (tenant_id, message_id, user_id) do update set rating = excluded.rating, comment = excluded.comment
  returning message_id, user_id, rating, comment, created_at, updated_at`

const upsert = SqlSchema.findOneOption({
  Request: Schema.Struct({ message: MessageId, rating: Rating, comment: Schema.NullOr(Schema.String) }),
  Result: Row,
  execute: ({ comment, message, rating }) =>
    TenantSql.use(
      (sql) =>
        sql`insert into app.feedback (tenant_id, message_id, user_id, rating, comment)
          select m.tenant_id, m.id, app.user_id(), ${rating}::float8, ${comment}::text from app.messages m
          where m.tenant_id = app.tenant_id() and m.id = ${message}
          ${sql.literal(REPLACE)}`
    )
})

const upsertFor = SqlSchema.findOneOption({
  Request: Schema.Struct({ answer: GenerationId, rating: Rating, comment: Schema.NullOr(Schema.String) }),
  Result: Row,
  execute: ({ answer, comment, rating }) =>
    TenantSql.use(
      (sql) =>
        sql`insert into app.feedback (tenant_id, message_id, user_id, rating, comment)
          select m.tenant_id, m.id, app.user_id(), ${rating}::float8, ${comment}::text
          from app.generations g join app.messages m on m.tenant_id = g.tenant_id and m.id = g.message_id
          where g.tenant_id = app.tenant_id() and g.id = ${answer}
          ${sql.literal(REPLACE)}`
    )
})
