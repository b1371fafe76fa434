import { PreTenantAccess } from "@llm-saas/database/PreTenantAccess"
import { Tenancy, TenantSql } from "@llm-saas/database/Tenancy"
import { type Actor } from "@llm-saas/domain/Actor"
import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { Forbidden, type Refused, type Unavailable } from "@llm-saas/domain/Refusal"
import { noteReplay } from "@llm-saas/domain/Replay"
import {
  ContentRetention,
  type ContentRetentionChoice,
  Registration,
  Tenant,
  TenantId,
  TenantName,
  TenantNotFound
} from "@llm-saas/domain/Tenant"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import { SqlSchema } from "effect/sql"
import * as AuditLog from "../AuditLog.ts"
import type { GuestAttempt } from "../Idempotency.ts"

/** The columns of a tenant as its users see them. */
const TenantRow = Schema.Struct({ ...Tenant.fields, created_at: Schema.DateTimeUtcFromDate })

/** The customers of the installation. */
export class Tenants extends Context.Service<
  Tenants,
  {
    /** Makes an empty tenant; its first user will be its admin. */
    readonly create: (name: string, attempt?: GuestAttempt) => Effect.Effect<Tenant, IdempotencyMismatch | Unavailable>
    /** Changes the actor's own tenant: what it is called, and whether people may register. */
    readonly change: (
      id: TenantId,
      change: { readonly name?: string; readonly registration?: Registration }
    ) => Effect.Effect<Tenant, TenantNotFound | Refused, Actor>
    /** What the actor's own tenant keeps of questions and answers. */
    readonly retention: (id: TenantId) => Effect.Effect<ContentRetention, TenantNotFound | Refused, Actor>
    readonly setRetention: (
      id: TenantId,
      choice: ContentRetentionChoice
    ) => Effect.Effect<ContentRetention, TenantNotFound | Refused, Actor>
  }
>()("@llm-saas/engine/accounts/Tenants") {
  static readonly layer = (options: { readonly registration: Registration }) =>
    Layer.effect(
      Tenants,
      Effect.gen(function* () {
        const preTenant = yield* PreTenantAccess
        const tenancy = yield* Tenancy
        const random = yield* SecureRandom
        const record = AuditLog.recorder(random)

        const create = Effect.fn("Tenants.create")(function* (name: string, attempt?: GuestAttempt) {
          const id = attempt?.tenantId ?? TenantId.make(yield* random.uuidV7())
          const { made, tenant } = yield* preTenant.createTenant({ id, name, registration: options.registration })
          if (!made && tenant.name !== name) return yield* new IdempotencyMismatch({})
          if (!made) yield* noteReplay
          return tenant
        })

        const change: Tenants["Service"]["change"] = Effect.fn("Tenants.change")((id, { name, registration }) =>
          tenancy.transaction(
            Effect.gen(function* () {
              const changed = yield* update({ id, name: name ?? null, registration: registration ?? null })
              if (Option.isNone(changed)) return yield* new TenantNotFound({})
              yield* record("tenant.changed", { kind: "tenant", id }, { name, registration })
              return new Tenant(changed.value)
            })
          )
        )

        const retention = Effect.fn("Tenants.retention")((id: TenantId) =>
          Effect.flatMap(tenancy.read(selectRetention(id)), retentionOf)
        )

        const setRetention = Effect.fn("Tenants.setRetention")((id: TenantId, choice: ContentRetentionChoice) =>
          tenancy.transaction(
            Effect.gen(function* () {
              const days = choice.content === "days" ? choice.days : null
              const most = yield* selectMostDays(id)
              if (Option.isSome(most) && isBeyond(choice, most.value.content_days_at_most))
                return yield* new Forbidden({ detail: PLAN_KEEPS_LESS })
              const changed = yield* retentionOf(yield* updateRetention({ id, content: choice.content, days }))
              yield* record(
                "tenant.changed",
                { kind: "tenant", id },
                { content_retention: choice.content, ...(days === null ? {} : { days }) }
              )
              return changed
            })
          )
        )
        return Tenants.of({ create, change, retention, setRetention })
      })
    )
}

const RetentionRow = Schema.Struct({
  content_retention: ContentRetention.fields.content,
  content_days: Schema.NullOr(Schema.Int)
})

const retentionOf = (row: Option.Option<typeof RetentionRow.Type>) =>
  Option.match(row, {
    onNone: () => Effect.fail(new TenantNotFound({})),
    onSome: ({ content_days, content_retention }) =>
      Effect.succeed(
        new ContentRetention({ content: content_retention, ...(content_days === null ? {} : { days: content_days }) })
      )
  })

const selectRetention = SqlSchema.findOneOption({
  Request: TenantId,
  Result: RetentionRow,
  execute: (id) => TenantSql.use((sql) => sql`select content_retention, content_days from app.tenants where id = ${id}`)
})

const PLAN_KEEPS_LESS = "The plan of the tenant keeps questions and answers for a shorter time."

/** The database refuses it too. */
const isBeyond = (choice: ContentRetentionChoice, most: number | null): boolean =>
  most !== null && (choice.content === "full" || (choice.content === "days" && choice.days > most))

const selectMostDays = SqlSchema.findOneOption({
  Request: TenantId,
  Result: Schema.Struct({ content_days_at_most: Schema.NullOr(Schema.Int) }),
  execute: (id) => TenantSql.use((sql) => sql`select content_days_at_most from app.tenants where id = ${id}`)
})

const updateRetention = SqlSchema.findOneOption({
  Request: Schema.Struct({
    id: TenantId,
    content: ContentRetention.fields.content,
    days: Schema.NullOr(Schema.Int)
  }),
  Result: RetentionRow,
  execute: ({ content, days, id }) =>
    TenantSql.use(
      (sql) =>
        sql`update app.tenants set content_retention = ${content}, content_days = ${days}::integer where id = ${id}
          returning content_retention, content_days`
    )
})

const update = SqlSchema.findOneOption({
  Request: Schema.Struct({
    id: TenantId,
    name: Schema.NullOr(TenantName),
    registration: Schema.NullOr(Registration)
  }),
  Result: TenantRow,
  execute: ({ id, name, registration }) =>
    TenantSql.use(
      (sql) =>
        sql`update app.tenants set name = coalesce(${name}, name), registration = coalesce(${registration}, registration) where id = ${id} returning id, name, registration, created_at`
    )
})
