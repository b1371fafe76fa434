import { Tenancy, TenantSql } from "@llm-saas/database/Tenancy"
import { Actor } from "@llm-saas/domain/Actor"
import { KeyId } from "@llm-saas/domain/ApiKey"
import { LimitInForce, type LimitsInForce as Limits } from "@llm-saas/domain/LimitInForce"
import type { Refused } from "@llm-saas/domain/Refusal"
import { Context, Effect, Layer, Schema } from "effect"
import { SqlSchema } from "effect/sql"

/** The limits and budgets under which the actor asks. */
export class LimitsInForce extends Context.Service<
  LimitsInForce,
  {
    /** Those of the tenant, the user, the key that the actor has, if any, and of models. */
    readonly mine: Effect.Effect<Limits, Refused, Actor>
  }
>()("@llm-saas/engine/accounts/LimitsInForce") {
  static readonly layer = Layer.effect(
    LimitsInForce,
    Effect.map(Tenancy, (tenancy) =>
      LimitsInForce.of({
        mine: Effect.gen(function* () {
          const { key } = yield* Actor
          return { data: yield* tenancy.read(select(key?.id ?? null)) }
        }).pipe(Effect.withSpan("LimitsInForce.mine"))
      })
    )
  )
}

const select = SqlSchema.findAll({
  Request: Schema.NullOr(KeyId),
  Result: LimitInForce,
  execute: (key) => TenantSql.use((sql) => sql`select s.* from work.standing(app.tenant_id(), ${key}::uuid) s`)
})
