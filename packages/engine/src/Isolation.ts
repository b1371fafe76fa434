import { Isolation as Proof } from "@llm-saas/database/Isolation"
import { Tenancy, TenantSql } from "@llm-saas/database/Tenancy"
import type { Actor } from "@llm-saas/domain/Actor"
import type { IsolationReport } from "@llm-saas/domain/Isolation"
import type { Forbidden, Unauthenticated, Unavailable } from "@llm-saas/domain/Refusal"
import { TenantId, TenantNotFound } from "@llm-saas/domain/Tenant"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlSchema } from "effect/sql"

/** Whether tenants are kept apart: the report for a tenant's admins. */
export class Isolation extends Context.Service<
  Isolation,
  {
    /** For admins of the tenant. At most ten seconds old. */
    readonly report: (
      id: TenantId
    ) => Effect.Effect<IsolationReport, TenantNotFound | Unauthenticated | Forbidden | Unavailable, Actor>
  }
>()("@llm-saas/engine/Isolation") {
  static readonly layer = Layer.effect(
    Isolation,
    Effect.gen(function* () {
      const tenancy = yield* Tenancy
      const proof = yield* Proof
      return Isolation.of({
        report: Effect.fn("Isolation.report")(function* (id) {
          if (Option.isNone(yield* tenancy.read(find(id)))) return yield* new TenantNotFound({})
          return yield* proof.report
        })
      })
    })
  ).pipe(Layer.provide(Proof.layer))
}

const find = SqlSchema.findOneOption({
  Request: TenantId,
  Result: Schema.Struct({ id: TenantId }),
  execute: (id) => TenantSql.use((sql) => sql`select id from app.tenants where id = ${id}`)
})
