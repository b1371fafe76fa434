import { PreTenantAccess } from "@llm-saas/database/PreTenantAccess"
import { Tenancy, TenantSql } from "@llm-saas/database/Tenancy"
import { type Actor } from "@llm-saas/domain/Actor"
import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import type { Refused, Unavailable } from "@llm-saas/domain/Refusal"
import { noteReplay } from "@llm-saas/domain/Replay"
import { Registration, Tenant, TenantId, TenantNotFound } from "@llm-saas/domain/Tenant"
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
    /** Opens or closes self-registration of the actor's own tenant. */
    readonly setRegistration: (
      id: TenantId,
      registration: Registration
    ) => Effect.Effect<Tenant, TenantNotFound | Refused, Actor>
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

        const setRegistration = Effect.fn("Tenants.setRegistration")((id: TenantId, registration: Registration) =>
          tenancy.transaction(
            Effect.gen(function* () {
              const changed = yield* update({ id, registration })
              if (Option.isNone(changed)) return yield* new TenantNotFound({})
              yield* record("tenant.changed", { kind: "tenant", id }, { registration })
              return new Tenant(changed.value)
            })
          )
        )
        return Tenants.of({ create, setRegistration })
      })
    )
}

const update = SqlSchema.findOneOption({
  Request: Schema.Struct({ id: TenantId, registration: Registration }),
  Result: TenantRow,
  execute: ({ id, registration }) =>
    TenantSql.use(
      (sql) =>
        sql`update app.tenants set registration = ${registration} where id = ${id} returning id, name, registration, created_at`
    )
})
