import { Tenancy, TenantSql } from "@llm-saas/database/Tenancy"
import { Actor, asAdmin } from "@llm-saas/domain/Actor"
import { KeyId, KeyNotFound } from "@llm-saas/domain/ApiKey"
import { LimitInForce, type LimitsInForce as Limits } from "@llm-saas/domain/LimitInForce"
import type { Refused } from "@llm-saas/domain/Refusal"
import type { InsufficientScope } from "@llm-saas/domain/Scope"
import { UserId, UserNotFound } from "@llm-saas/domain/User"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlSchema } from "effect/sql"

/** For whom: a user, or a key of theirs. */
export interface LimitsOf {
  readonly user?: UserId | undefined
  readonly key?: KeyId | undefined
}

/** The limits and budgets under which the actor asks, or others of the tenant. */
export class LimitsInForce extends Context.Service<
  LimitsInForce,
  {
    /** Those of the tenant, the user, the key that the actor has, if any, and of models. */
    readonly mine: Effect.Effect<Limits, Refused, Actor>
    /**
     * Those under which another user, or a key, asks: of anybody in the tenant for admins, of oneself and one's own keys for others. With a key,
     * of that key alone, unless it has the scope `admin`. With both, the key is that user's.
     */
    readonly of: (
      whom: LimitsOf
    ) => Effect.Effect<Limits, UserNotFound | KeyNotFound | InsufficientScope | Refused, Actor>
  }
>()("@llm-saas/engine/accounts/LimitsInForce") {
  static readonly layer = Layer.effect(
    LimitsInForce,
    Effect.map(Tenancy, (tenancy) => {
      const mine = Effect.gen(function* () {
        const { key } = yield* Actor
        return { data: yield* tenancy.read(select(key?.id ?? null)) }
      }).pipe(Effect.withSpan("LimitsInForce.mine"))

      const of: LimitsInForce["Service"]["of"] = Effect.fn("LimitsInForce.of")(function* ({ key, user }) {
        const actor = yield* Actor
        if (key === undefined && user === undefined) return yield* mine
        const isOwn = actor.key === undefined || (actor.key.id === key?.toLowerCase() && user === undefined)
        const found = yield* tenancy
          .read(selectOf({ key: key ?? null, user: user ?? null }))
          .pipe(Effect.provideService(Actor, isOwn ? actor : yield* asAdmin(actor)))
        if (Option.isSome(found)) return found.value
        return yield* key === undefined ? new UserNotFound({}) : new KeyNotFound({})
      })

      return LimitsInForce.of({ mine, of })
    })
  )
}

const select = SqlSchema.findAll({
  Request: Schema.NullOr(KeyId),
  Result: LimitInForce,
  execute: (key) => TenantSql.use((sql) => sql`select s.* from work.standing(app.tenant_id(), ${key}::uuid) s`)
})

/** Who is not seen by row-level security has no limits, and is not found. */
const selectOf = SqlSchema.findOneOption({
  Request: Schema.Struct({ key: Schema.NullOr(KeyId), user: Schema.NullOr(UserId) }),
  Result: Schema.Struct({ data: Schema.Array(LimitInForce) }),
  execute: ({ key, user }) =>
    TenantSql.use(
      (sql) => sql`select coalesce((
          select jsonb_agg(to_jsonb(s)) from work.standing(app.tenant_id(), of.key_id, of.user_id) s
        ), '[]') as data
        from (
          select null::uuid as key_id, u.id as user_id from app.users u
          where u.tenant_id = app.tenant_id() and u.id = ${user}::uuid and ${key}::uuid is null
          union all
          select k.id, k.user_id from app.api_keys k
          where k.tenant_id = app.tenant_id() and k.id = ${key}::uuid and k.revoked_at is null
            and (${user}::uuid is null or k.user_id = ${user}::uuid)
        ) of`
    )
})
