import { TenantSql } from "@llm-saas/database/Tenancy"
import type { KeyOfActor } from "@llm-saas/domain/Actor"
import {
  allowed,
  type Allowance,
  type AllowanceChange,
  beyond,
  Budget,
  changed,
  isLimited,
  LimitBeyondPlan,
  Limits,
  NO_LIMITS,
  UNLIMITED
} from "@llm-saas/domain/Limit"
import { Forbidden } from "@llm-saas/domain/Refusal"
import { InsufficientScope } from "@llm-saas/domain/Scope"
import { Effect, Schema } from "effect"
import { SqlSchema } from "effect/sql"

// Limits and budgets of keys and users: rows of app.limits, in the room of who manages them.

/** Whose: a key's, or a user's, who may be a service account. */
export type Holder = "key" | "user"

/** A row of app.limits `l` as JSON. */
const JSON_OF_ROW = `json_build_object(
    'limits', json_build_object(
      'requests_per_minute', l.requests_per_minute, 'tokens_per_minute', l.tokens_per_minute, 'concurrent', l.concurrent
    ),
    'budget', case when l.budget is not null
      then json_build_object('amount', l.budget::text, 'period', l.budget_period, 'alert_at', l.alert_at) end
  )`

/** Joins the column `allowance` to each row of a key or user; null: it has none of its own. */
export const allowanceOf = (holder: Holder, id: string): string => `left join lateral (
    select ${JSON_OF_ROW} as allowance from app.limits l
    where l.tenant_id = app.tenant_id() and l.subject = '${holder}:' || ${id} limit 1
  ) l on true`

const Row = Schema.NullOr(Schema.Struct(allowed))

/** The column as it is read. */
export const allowanceColumn = { allowance: Row }

/** Members of an answer that is kept for its Idempotency-Key: one kept by an earlier version has none. */
export const keptAllowance = {
  limits: Limits.pipe(Schema.withDecodingDefaultKey(Effect.succeed(UNLIMITED))),
  budget: Schema.NullOr(Budget).pipe(Schema.withDecodingDefaultKey(Effect.succeed(null)))
}

/** The members of a key or user. */
export const membersOf = (row: typeof Row.Type): Allowance => row ?? NO_LIMITS

/**
 * Changes what a key or user may use, within the tenant's plan, and returns what holds then. To be called while its row is locked. What an
 * admin set only admins change.
 */
export const change = Effect.fnUntraced(
  function* (holder: Holder, id: string, to: AllowanceChange) {
    if (to.limits === undefined && to.budget === undefined) return undefined
    const { allowance, by_admin, plan, role } = yield* read({ holder, id })
    if (by_admin && role !== "admin") return yield* new Forbidden({ detail: BY_ADMIN })
    const members = beyond(membersOf(plan), to)
    if (members.length > 0) return yield* new LimitBeyondPlan({ members, plan: membersOf(plan) })
    const next = changed(membersOf(allowance), to)
    yield* isLimited(next) ? put({ holder, id, next: JSON.stringify(next) }) : remove({ holder, id })
    return next
  },
  Effect.catchTag("NoSuchElementError", Effect.die)
)

const BY_ADMIN = "An admin set the limits of this key: only admins change them."

/**
 * Refuses a key with limits or a budget of its own to make, change or rotate keys: it could give itself more, or the secret of a key that
 * may use more.
 */
export const mayManage = Effect.fnUntraced(
  function* (caller: KeyOfActor | undefined) {
    if (caller === undefined) return
    const { allowance } = yield* read({ holder: "key", id: caller.id })
    if (allowance !== null) return yield* new InsufficientScope({ scopes: [], detail: LIMITED })
  },
  Effect.catchTag("NoSuchElementError", Effect.die)
)

const LIMITED = "A key with limits or a budget of its own makes, changes and rotates no keys."

const Subject = { holder: Schema.Literals(["key", "user"]), id: Schema.String }

const read = SqlSchema.findOne({
  Request: Schema.Struct(Subject),
  Result: Schema.Struct({ allowance: Row, plan: Row, by_admin: Schema.Boolean, role: Schema.String }),
  execute: ({ holder, id }) =>
    TenantSql.use(
      (
        sql
      ) => sql`select own.allowance, plan.allowance as plan, coalesce(own.by_admin, false) as by_admin, app.role() as role
        from (values (true)) one left join lateral (
          select ${sql.literal(JSON_OF_ROW)} as allowance, l.by_admin from app.limits l
          where l.tenant_id = app.tenant_id() and l.subject = ${`${holder}:`}::text || ${id}::uuid
        ) own on true left join lateral (
          select ${sql.literal(JSON_OF_ROW)} as allowance from app.limits l
          where l.tenant_id = app.tenant_id() and l.subject = ${holder}::text
        ) plan on true`
    )
})

const put = SqlSchema.void({
  Request: Schema.Struct({ ...Subject, next: Schema.String }),
  execute: ({ holder, id, next }) =>
    TenantSql.use(
      (sql) => sql`insert into app.limits as l
          (tenant_id, subject, requests_per_minute, tokens_per_minute, concurrent, budget, budget_period, alert_at, by_admin)
        select app.tenant_id(), ${`${holder}:`}::text || ${id}::uuid, (n #>> '{limits,requests_per_minute}')::integer,
          (n #>> '{limits,tokens_per_minute}')::bigint, (n #>> '{limits,concurrent}')::integer, (n #>> '{budget,amount}')::numeric,
          n #>> '{budget,period}',
          array(select e::integer from jsonb_array_elements_text(coalesce(nullif(n -> 'budget', 'null') -> 'alert_at', '[50, 80, 100]')) e),
          app.role() = 'admin'
        from (select ${next}::text::jsonb as n) given
        on conflict (tenant_id, subject) do update set requests_per_minute = excluded.requests_per_minute,
          tokens_per_minute = excluded.tokens_per_minute, concurrent = excluded.concurrent, budget = excluded.budget,
          budget_period = excluded.budget_period, alert_at = excluded.alert_at, by_admin = excluded.by_admin, updated_at = now()`
    )
})

const remove = SqlSchema.void({
  Request: Schema.Struct(Subject),
  execute: ({ holder, id }) =>
    TenantSql.use(
      (sql) => sql`delete from app.limits
        where tenant_id = app.tenant_id() and subject = ${`${holder}:`}::text || ${id}::uuid`
    )
})
