import { Tenancy, TenantSql } from "@llm-saas/database/Tenancy"
import type { Actor } from "@llm-saas/domain/Actor"
import { ServiceAccount, ServiceAccountNotFound } from "@llm-saas/domain/ApiKey"
import type { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { type AllowanceChange, changeOf, type LimitBeyondPlan } from "@llm-saas/domain/Limit"
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
import * as Allowances from "./Allowances.ts"

type Refused = Unauthenticated | Forbidden | Unavailable

/**
 * Users who are no people: they have keys and no login. A row of `app.users` each, so that whatever belongs to a user belongs to them in
 * the same way: rows, limits, room, wall, deletion, the accounts of answers.
 */
export class ServiceAccounts extends Context.Service<
  ServiceAccounts,
  {
    readonly create: (
      account: AllowanceChange & {
        readonly name: string
        readonly role: Role
        readonly attempt?: Attempt | undefined
      }
    ) => Effect.Effect<ServiceAccount, IdempotencyMismatch | LimitBeyondPlan | Refused, Actor>
    /** Newest first. */
    readonly list: (at: {
      readonly limit: number
      readonly cursor: string | undefined
    }) => Effect.Effect<Page<ServiceAccount>, Refused, Actor>
    readonly get: (id: UserId) => Effect.Effect<ServiceAccount, ServiceAccountNotFound | Refused, Actor>
    /** What all of its keys together may use. */
    readonly change: (
      id: UserId,
      change: AllowanceChange
    ) => Effect.Effect<ServiceAccount, ServiceAccountNotFound | LimitBeyondPlan | Refused, Actor>
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
        create: Effect.fn("ServiceAccounts.create")(function* ({ attempt, name, role, ...rest }) {
          const id = UserId.make(yield* random.uuidV7())
          const make = Effect.gen(function* () {
            const row = yield* insert({ id, name, role })
            const allowance = yield* Allowances.change("user", id, rest)
            yield* record("service_account.created", { kind: "service_account", id }, { role, ...changeOf(rest) })
            return toAccount({ ...row, allowance: allowance ?? null })
          }).pipe(Effect.catchTag("NoSuchElementError", Effect.die))
          const made = yield* tenancy.transaction(attempt === undefined ? make : once(attempt, Kept, make))
          return new ServiceAccount(made)
        }),
        list: Effect.fn("ServiceAccounts.list")(function* ({ cursor, limit }) {
          const rows = yield* tenancy.read(newestFirst({ after: cursor ?? null, limit: limit + 1 }))
          return page(rows.map(toAccount), limit)
        }),
        get: Effect.fn("ServiceAccounts.get")(function* (id) {
          const row = yield* tenancy.read(find(id))
          return Option.isSome(row) ? toAccount(row.value) : yield* new ServiceAccountNotFound({})
        }),
        change: Effect.fn("ServiceAccounts.change")((id, change) =>
          tenancy.transaction(
            Effect.gen(function* () {
              const row = yield* lock(id)
              if (Option.isNone(row)) return yield* new ServiceAccountNotFound({})
              const allowance = yield* Allowances.change("user", id, change)
              yield* record("service_account.changed", { kind: "service_account", id }, changeOf(change))
              return toAccount(allowance === undefined ? row.value : { ...row.value, allowance })
            })
          )
        ),
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

const LimitedRow = Schema.Struct({ ...Row.fields, ...Allowances.allowanceColumn })

const Kept = Schema.Struct({ ...ServiceAccount.fields, ...Allowances.keptAllowance })

const toAccount = ({ allowance, ...row }: typeof LimitedRow.Type) =>
  new ServiceAccount({ ...row, ...Allowances.membersOf(allowance) })

const newestFirst = SqlSchema.findAll({
  Request: Schema.Struct({ after: Schema.NullOr(Schema.String), limit: Schema.Int }),
  Result: LimitedRow,
  execute: ({ after, limit }) =>
    TenantSql.use(
      (sql) =>
        sql`select id, tenant_id, name, role, created_at, l.allowance
          from (${pageOnIndex(sql, "users", { column: "kind", value: sql`'service'` }, after, limit)}) u ${sql.literal(Allowances.allowanceOf("user", "u.id"))}
          order by id desc`
    )
})

const find = SqlSchema.findOneOption({
  Request: UserId,
  Result: LimitedRow,
  execute: (id) =>
    TenantSql.use(
      (sql) =>
        sql`select u.id, u.tenant_id, u.name, u.role, u.created_at, l.allowance
          from app.users u ${sql.literal(Allowances.allowanceOf("user", "u.id"))}
          where u.tenant_id = app.tenant_id() and u.id = ${id} and u.kind = 'service'`
    )
})

/** Locked: of two changes at once, the second sees the first. */
const lock = SqlSchema.findOneOption({
  Request: UserId,
  Result: LimitedRow,
  execute: (id) =>
    TenantSql.use(
      (sql) =>
        sql`with u as (
            select id, tenant_id, name, role, created_at from app.users
            where tenant_id = app.tenant_id() and id = ${id} and kind = 'service' for no key update
          )
          select u.*, l.allowance from u ${sql.literal(Allowances.allowanceOf("user", "u.id"))}`
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
