import { Tenancy, TenantSql } from "@llm-saas/database/Tenancy"
import type { Actor } from "@llm-saas/domain/Actor"
import { ServiceAccount, ServiceAccountNotFound } from "@llm-saas/domain/ApiKey"
import type { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { type Page, page } from "@llm-saas/domain/Page"
import type { Forbidden, Unauthenticated, Unavailable } from "@llm-saas/domain/Refusal"
import { TenantId } from "@llm-saas/domain/Tenant"
import { Role, UserId } from "@llm-saas/domain/User"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import { SqlSchema } from "effect/sql"
import * as AuditLog from "../AuditLog.ts"
import { markDeleted } from "../Deletions.ts"
import { Generations } from "../generations/Generations.ts"
import { type Attempt, once } from "../Idempotency.ts"
import { pageOnIndex } from "../Pages.ts"

type Refused = Unauthenticated | Forbidden | Unavailable

/**
 * Users who are no people: they have keys and no login. A row of `app.users` each, so that whatever belongs to a user belongs to them in
 * the same way: rows, limits, room, wall, deletion, the accounts of answers.
 */
export class ServiceAccounts extends Context.Service<
  ServiceAccounts,
  {
    readonly create: (account: {
      readonly name: string
      readonly role: Role
      readonly attempt?: Attempt | undefined
    }) => Effect.Effect<ServiceAccount, IdempotencyMismatch | Refused, Actor>
    /** Newest first. */
    readonly list: (at: {
      readonly limit: number
      readonly cursor: string | undefined
    }) => Effect.Effect<Page<ServiceAccount>, Refused, Actor>
    /** With its keys and everything else that belongs to it. */
    readonly remove: (id: UserId) => Effect.Effect<void, ServiceAccountNotFound | Refused, Actor>
  }
>()("@llm-saas/engine/accounts/ServiceAccounts") {
  static readonly layer = Layer.effect(
    ServiceAccounts,
    Effect.gen(function* () {
      const tenancy = yield* Tenancy
      const generations = yield* Generations
      const random = yield* SecureRandom
      const record = AuditLog.recorder(random)

      return ServiceAccounts.of({
        create: Effect.fn("ServiceAccounts.create")(function* ({ attempt, name, role }) {
          const id = UserId.make(yield* random.uuidV7())
          const make = Effect.gen(function* () {
            const row = yield* insert({ id, name, role })
            yield* record("service_account.created", { kind: "service_account", id }, { role })
            return new ServiceAccount(row)
          }).pipe(Effect.catchTag("NoSuchElementError", Effect.die))
          return yield* tenancy.transaction(attempt === undefined ? make : once(attempt, ServiceAccount, make))
        }),
        list: Effect.fn("ServiceAccounts.list")(function* ({ cursor, limit }) {
          const rows = yield* tenancy.read(newestFirst({ after: cursor ?? null, limit: limit + 1 }))
          return page(
            rows.map((row) => new ServiceAccount(row)),
            limit
          )
        }),
        remove: Effect.fn("ServiceAccounts.remove")(function* (id) {
          const marked = yield* tenancy.once(markDeleted("service_account", id, yield* AuditLog.stamp(random)))
          if (Option.isNone(marked)) return yield* new ServiceAccountNotFound({})
          yield* generations.stop(marked.value)
        })
      })
    })
  )
}

const Row = Schema.Struct({
  id: UserId,
  tenant_id: TenantId,
  name: Schema.String,
  role: Role,
  created_at: Schema.DateTimeUtcFromDate
})

const newestFirst = SqlSchema.findAll({
  Request: Schema.Struct({ after: Schema.NullOr(Schema.String), limit: Schema.Int }),
  Result: Row,
  execute: ({ after, limit }) =>
    TenantSql.use(
      (sql) =>
        sql`select id, tenant_id, name, role, created_at
          from (${pageOnIndex(sql, "users", { column: "kind", value: sql`'service'` }, after, limit)}) u order by id desc`
    )
})

// RFC 2606: no mail can go to `.invalid`. The id makes it unlike every other address.
const insert = SqlSchema.findOne({
  Request: Schema.Struct({ id: UserId, name: Schema.String, role: Role }),
  Result: Row,
  execute: ({ id, name, role }) =>
    TenantSql.use(
      (sql) =>
        sql`insert into app.users (tenant_id, id, email, role, kind, name)
          values (app.tenant_id(), ${id}, ${`${id}@service.invalid`}, ${role}, 'service', ${name})
          returning id, tenant_id, name, role, created_at`
    )
})
