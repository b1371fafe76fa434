import { type Tenancy, TenantSql } from "@llm-saas/database/Tenancy"
import { Actor, asAdmin } from "@llm-saas/domain/Actor"
import { AnswerUnderWay } from "@llm-saas/domain/AnswerUnderWay"
import { page } from "@llm-saas/domain/Page"
import { momentsFrom } from "@llm-saas/domain/Time"
import { Clock, DateTime, Effect, Schema, Struct } from "effect"
import { SqlSchema } from "effect/sql"
import type { RunningGenerations } from "./RunningGeneration.ts"

/** Which answers: the actor's, or all of the tenant's, for admins. */
export interface UnderWayQuery {
  readonly scope: "own" | "tenant"
  readonly limit: number
  readonly cursor: string | undefined
}

/** Lists answers that are not over, wherever they run, newest first. */
export const make = Effect.fnUntraced(function* (tenancy: Tenancy["Service"], runningGenerations: RunningGenerations) {
  const clock = yield* Clock.Clock

  return Effect.fn("Generations.list")(function* ({ cursor, limit, scope }: UnderWayQuery) {
    const actor = yield* Actor
    const rows = yield* tenancy
      .read(select({ of: scope, after: cursor ?? null, limit: limit + 1 }))
      .pipe(Effect.provideService(Actor, scope === "tenant" ? yield* asAdmin(actor) : actor))
    const now = momentsFrom(clock)()
    const answers = rows.map(({ stored, ...row }) => {
      // Other processes' tokens are as old as their last write: a quarter of a second.
      const tokens = runningGenerations.find(actor, row.id)?.tokenLog.seq ?? stored
      const seconds = Math.max(now - DateTime.toEpochMillis(row.started_at), 1) / 1000
      return new AnswerUnderWay({
        ...row,
        tokens,
        tokens_per_second: tokens === 0 ? null : Math.round((tokens / seconds) * 10) / 10
      })
    })
    return page(answers, limit)
  })
})

const Row = Schema.Struct({
  ...Struct.omit(AnswerUnderWay.fields, ["tokens", "tokens_per_second"]),
  started_at: Schema.DateTimeUtcFromDate,
  /** How many tokens the database has. */
  stored: Schema.Int
})

/**
 * The only index with this order has the answers under way of all tenants and nothing else: some thousands at most, of which a room sees its
 * own. It costs nothing more when a question is stored; 5,000 answers of others cost a list 2 ms. Everything else is found by its key, as in
 * `Pages.ts`.
 */
const select = SqlSchema.findAll({
  Request: Schema.Struct({
    of: Schema.Literals(["own", "tenant"]),
    after: Schema.NullOr(Schema.String),
    limit: Schema.Int
  }),
  Result: Row,
  execute: ({ after, limit, of }) =>
    TenantSql.use((sql) => {
      const own = sql.literal(of === "own" ? "and g.user_id = app.user_id()" : "")
      const next = after === null ? sql.literal("") : sql`where r.id < ${after}::uuid`
      return sql`with running as materialized (
          select g.id, g.user_id, g.conversation_id, g.key_id, g.model, g.source, g.admitted_at, g.cancel_requested_at
          from app.generations g
          where g.tenant_id = app.tenant_id() and g.status = 'streaming' and g.lease_until > '-infinity' ${own}
          order by g.lease_until limit (select 1000000::int8)
        )
        select r.id, r.conversation_id, jsonb_build_object('id', r.user_id, 'email', u.email, 'name', u.name) as user,
          case when r.key_id is not null then jsonb_build_object('id', r.key_id, 'name', coalesce(k.name, '')) end as key,
          r.model, r.source as door, case when r.cancel_requested_at is null then 'streaming' else 'stopping' end as status,
          r.admitted_at as started_at, coalesce(c.last, 0) as stored
        from (select r.* from running r ${next} order by r.id desc limit ${limit}) r
        left join lateral (
          select case when o.kind = 'person' then o.email end as email, o.name from app.users o
          where o.tenant_id = app.tenant_id() and o.id = r.user_id limit 1
        ) u on true
        left join lateral (
          select o.name from app.api_keys o where o.tenant_id = app.tenant_id() and o.id = r.key_id limit 1
        ) k on true
        left join lateral (
          select o.seq + cardinality(o.tokens) - 1 as last from app.generation_chunks o
          where o.tenant_id = app.tenant_id() and o.generation_id = r.id order by o.seq desc limit 1
        ) c on true
        order by r.id desc`
    })
})
