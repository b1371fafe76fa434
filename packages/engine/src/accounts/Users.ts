import { onViolation } from "@llm-saas/database/Violation"
import { Tenancy, TenantSql } from "@llm-saas/database/Tenancy"
import { Actor } from "@llm-saas/domain/Actor"
import type { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { type AllowanceChange, changeOf, type LimitBeyondPlan } from "@llm-saas/domain/Limit"
import { type Page, page } from "@llm-saas/domain/Page"
import type { Password } from "@llm-saas/domain/Password"
import type { PasswordRefused } from "@llm-saas/domain/PasswordRules"
import type { Refused } from "@llm-saas/domain/Refusal"
import { type TenantId, TenantName, TenantNotFound } from "@llm-saas/domain/Tenant"
import {
  Email,
  EmailTaken,
  LastAdmin,
  ManagedUser,
  Role,
  User,
  UserId,
  UserNotFound,
  UserStatus
} from "@llm-saas/domain/User"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import { SqlSchema } from "effect/sql"
import * as AuditLog from "../AuditLog.ts"
import { markDeleted } from "../Deletions.ts"
import { Generations } from "../generations/Generations.ts"
import { type Attempt, earlier, once } from "../Idempotency.ts"
import { pageOnIndex } from "../Pages.ts"
import * as Allowances from "./Allowances.ts"
import { PasswordHasher } from "./PasswordHasher.ts"
import { PasswordRules } from "./PasswordRules.ts"

/** What an admin may change about a user; what is absent stays. */
export interface UserChange extends AllowanceChange {
  readonly role?: Role
  readonly status?: UserStatus
}

/** The columns of a user as the tenant's admins see them. */
const UserRow = Schema.Struct({ ...User.fields, created_at: Schema.DateTimeUtcFromDate })

/** The same with the user's own limits. */
const ManagedRow = Schema.Struct({ ...UserRow.fields, ...Allowances.allowanceColumn })

const managed = ({ allowance, ...row }: typeof ManagedRow.Type) =>
  new ManagedUser({ ...row, ...Allowances.membersOf(allowance) })

/** A tenant's users, as its admins manage them. */
export class Users extends Context.Service<
  Users,
  {
    /** Newest first. */
    readonly list: (
      tenant: TenantId,
      at: { readonly limit: number; readonly cursor: string | undefined }
    ) => Effect.Effect<Page<ManagedUser>, TenantNotFound | Refused, Actor>
    readonly get: (id: UserId) => Effect.Effect<ManagedUser, UserNotFound | Refused, Actor>
    readonly create: (user: {
      readonly email: Email
      readonly password: Password
      readonly role: Role
      readonly attempt?: Attempt | undefined
    }) => Effect.Effect<User, EmailTaken | PasswordRefused | IdempotencyMismatch | Refused, Actor>
    readonly change: (
      id: UserId,
      change: UserChange
    ) => Effect.Effect<ManagedUser, UserNotFound | LastAdmin | LimitBeyondPlan | Refused, Actor>
    /** With everything that belongs to them; their answers under way are stopped, and the address can be registered again. */
    readonly remove: (id: UserId) => Effect.Effect<void, UserNotFound | LastAdmin | Refused, Actor>
  }
>()("@llm-saas/engine/accounts/Users") {
  static readonly layer = Layer.effect(
    Users,
    Effect.gen(function* () {
      const tenancy = yield* Tenancy
      const hasher = yield* PasswordHasher
      const rules = yield* PasswordRules
      const generations = yield* Generations
      const random = yield* SecureRandom
      const record = AuditLog.recorder(random)

      const list: Users["Service"]["list"] = Effect.fn("Users.list")(function* (tenant, { limit, cursor }) {
        const actor = yield* Actor
        // Inside the room a foreign tenant has no users; the caller hears that it does not exist.
        const rows = yield* tenancy.read(newestFirst({ after: cursor ?? null, limit: limit + 1 }))
        if (tenant.toLowerCase() !== actor.tenantId) return yield* new TenantNotFound({})
        return page(rows.map(managed), limit)
      })

      const get: Users["Service"]["get"] = Effect.fn("Users.get")(function* (id) {
        const row = yield* tenancy.read(find(id))
        return Option.isSome(row) ? managed(row.value) : yield* new UserNotFound({})
      })

      const create: Users["Service"]["create"] = Effect.fn("Users.create")(function* (user) {
        // Before the hash: a caller who may not create users must not cause the cost of one.
        const { attempt } = user
        const { known, tenant } = yield* tenancy.transaction(
          Effect.gen(function* () {
            const known = attempt === undefined ? Option.none<User>() : yield* earlier(attempt, User)
            return { known, tenant: yield* ownTenant(undefined) }
          }).pipe(Effect.catchTag("NoSuchElementError", Effect.die))
        )
        if (Option.isSome(known)) return known.value
        yield* rules.check(user.password, { email: user.email, names: [tenant.name] })
        const { tenantId } = yield* Actor
        const share = { client: tenantId, target: `users ${tenantId}` }
        const hash = yield* hasher.hash(user.password, { email: user.email, share })
        const id = UserId.make(yield* random.uuidV7())
        const make = Effect.gen(function* () {
          const row = yield* insert({ id, email: user.email, role: user.role, hash })
          yield* record("user.created", { kind: "user", id }, { role: user.role })
          return new User(row)
        })
        return yield* tenancy.transaction(
          (attempt === undefined ? make : once(attempt, User, make)).pipe(
            Effect.catchTag("NoSuchElementError", Effect.die),
            onViolation({ state: "23505", constraint: "users_tenant_id_email_key" }, () => new EmailTaken({}))
          )
        )
      })

      const change: Users["Service"]["change"] = Effect.fn("Users.change")((id, { role, status, ...rest }) =>
        tenancy.transaction(
          Effect.gen(function* () {
            const changed = yield* update({ id, role: role ?? null, status: status ?? null })
            if (Option.isNone(changed)) return yield* new UserNotFound({})
            const allowance = yield* Allowances.change("user", id, rest)
            yield* record("user.changed", { kind: "user", id }, { role, status, ...changeOf(rest) })
            return managed(allowance === undefined ? changed.value : { ...changed.value, allowance })
          }).pipe(onViolation({ state: "LL409" }, () => new LastAdmin({})))
        )
      )

      const remove: Users["Service"]["remove"] = Effect.fn("Users.remove")((id) =>
        Effect.gen(function* () {
          const stamp = yield* AuditLog.stamp(random)
          const marked = yield* tenancy.once(
            markDeleted("user", id, stamp).pipe(onViolation({ state: "LL409" }, () => new LastAdmin({})))
          )
          if (Option.isNone(marked)) return yield* new UserNotFound({})
          yield* generations.stop(marked.value)
        })
      )
      return Users.of({ list, get, create, change, remove })
    })
  )
}

const newestFirst = SqlSchema.findAll({
  Request: Schema.Struct({ after: Schema.NullOr(Schema.String), limit: Schema.Int }),
  Result: ManagedRow,
  execute: ({ after, limit }) =>
    TenantSql.use(
      (sql) =>
        sql`select id, tenant_id, email, role, status, created_at, l.allowance
          from (${pageOnIndex(sql, "users", { column: "kind", value: sql`'person'` }, after, limit)}) u ${sql.literal(Allowances.allowanceOf("user", "u.id"))}
          order by id desc`
    )
})

const find = SqlSchema.findOneOption({
  Request: UserId,
  Result: ManagedRow,
  execute: (id) =>
    TenantSql.use(
      (sql) =>
        sql`select u.id, u.tenant_id, u.email, u.role, u.status, u.created_at, l.allowance
          from app.users u ${sql.literal(Allowances.allowanceOf("user", "u.id"))}
          where u.tenant_id = app.tenant_id() and u.id = ${id} and u.kind = 'person'`
    )
})

const ownTenant = SqlSchema.findOne({
  Request: Schema.Void,
  Result: Schema.Struct({ name: TenantName }),
  execute: () => TenantSql.use((sql) => sql`select name from app.tenants where id = app.tenant_id()`)
})

const insert = SqlSchema.findOne({
  Request: Schema.Struct({ id: UserId, email: Email, role: Role, hash: Schema.String }),
  Result: UserRow,
  execute: ({ id, email, role, hash }) =>
    TenantSql.use(
      (sql) =>
        sql`with made as (
            insert into app.users (tenant_id, id, email, role) values (app.tenant_id(), ${id}, ${email}, ${role})
            returning id, tenant_id, email, role, status, created_at
          ), secret as (
            insert into app.credentials (tenant_id, user_id, password_hash) select tenant_id, id, ${hash} from made
          )
          select * from made`
    )
})

const update = SqlSchema.findOneOption({
  Request: Schema.Struct({ id: UserId, role: Schema.NullOr(Role), status: Schema.NullOr(UserStatus) }),
  Result: ManagedRow,
  execute: ({ id, role, status }) =>
    TenantSql.use(
      (sql) =>
        sql`with u as (
            update app.users set role = coalesce(${role}, role), status = coalesce(${status}, status)
            where tenant_id = app.tenant_id() and id = ${id} and kind = 'person' returning id, tenant_id, email, role, status, created_at
          )
          select u.*, l.allowance from u ${sql.literal(Allowances.allowanceOf("user", "u.id"))}`
    )
})
