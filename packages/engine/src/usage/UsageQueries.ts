import { TenantSql } from "@llm-saas/database/Tenancy"
import { Dimension } from "@llm-saas/domain/UsageReport"
import { Schema } from "effect"
import { SqlSchema } from "effect/sql"

// What was used, as rows of the room: the sums by day, with what the queue has that is not in them yet, and the ledger behind both.

const Count = Schema.Record(Schema.String, Schema.Finite)

/** A group: the values it is of, as text, and its sums. */
const GroupRow = Schema.Struct({
  place: Schema.Array(Schema.String),
  requests: Schema.Finite,
  errors: Schema.Finite,
  unpriced: Schema.Finite,
  counts: Count,
  cost: Schema.String
})
export type GroupRow = typeof GroupRow.Type

/** The column of each dimension and its type. Texts are ordered by their bytes: a cursor means the same at every server. */
const COLUMNS: Readonly<Record<Dimension, { readonly name: string; readonly type: string; readonly order: string }>> = {
  day: { name: "m.day", type: "date", order: "" },
  user: { name: "m.user_id", type: "uuid", order: "" },
  key: { name: "m.key_id", type: "uuid", order: "" },
  model: { name: "m.model", type: "text", order: ` collate "C"` },
  door: { name: "m.door", type: "text", order: ` collate "C"` }
}

const SUMMED = `m.day, m.user_id, m.key_id, m.model, m.door, m.requests, m.errors, m.unpriced, m.counts, m.tenant_amount`

/**
 * Groups in their order, after the values `after`. One statement, and so one snapshot: what is folded meanwhile is in the sums or in the
 * queue. Sums are made without sorting, which `materialized` ensures; maps are added for the groups of the page alone. A user's own days are
 * read in the order that only their index has, as in `Pages.ts`: the planner took the tenant's days otherwise, and read those of all users.
 */
export const selectGroups = SqlSchema.findAll({
  Request: Schema.Struct({
    of: Schema.Literals(["own", "tenant"]),
    grain: Schema.Literals(["user", "model", "both"]),
    by: Schema.Array(Dimension),
    from: Schema.String,
    to: Schema.String,
    after: Schema.NullOr(Schema.Array(Schema.String)),
    limit: Schema.Int
  }),
  Result: GroupRow,
  execute: ({ after, by, from, grain, limit, of, to }) =>
    TenantSql.use((sql) => {
      const columns = by.map((dimension) => COLUMNS[dimension])
      const names = columns.map(({ name, order }) => `${name}${order}`).join(", ")
      const places = sql.literal(by.map((_, n) => `p${n}`).join(", "))
      const bounds = after?.map((value, n) => sql`${value}::text::${sql.literal(columns[n]?.type ?? "text")}`) ?? []
      const own = sql.literal(of === "own" ? "and m.user_id <= app.user_id() and m.user_id >= app.user_id()" : "")
      const inOrder = sql.literal(of === "own" ? "order by m.user_id, m.day limit (select 1000000000::int8)" : "")
      return sql`with sums as materialized (
          select ${sql.literal(columns.map(({ name, order }, n) => `${name}${order} as p${n}, `).join(""))}
            sum(m.requests)::float8 as requests, sum(m.errors)::float8 as errors, sum(m.unpriced)::float8 as unpriced,
            array_agg(m.counts) as counts, sum(m.tenant_amount) as amount
          from (
            (select ${sql.literal(SUMMED)} from app.usage_days m
            where m.tenant_id = app.tenant_id() and m.grain = ${grain} ${own} and m.day >= ${from}::text::date and m.day <= ${to}::text::date ${inOrder})
            union all
            select ${sql.literal(SUMMED)} from app.usage_queue q cross join lateral app.usage_of(q.tenant_id, q.ledger_id) m
            where q.tenant_id = app.tenant_id() and m.grain = ${grain} ${own} and m.day >= ${from}::text::date and m.day <= ${to}::text::date
          ) m
          ${after === null ? sql.literal("") : sql`where (${sql.literal(names)}) > (${sql.csv(bounds)})`}
          ${sql.literal(by.length === 0 ? "" : `group by ${columns.map((_, n) => n + 1).join(", ")}`)}
        )
        select array[${sql.literal(by.map((_, n) => `p${n}::text`).join(", "))}]::text[] as place, coalesce(requests, 0) as requests,
          coalesce(errors, 0) as errors, coalesce(unpriced, 0) as unpriced, coalesce(app.sum_counts(counts), '{}') as counts,
          coalesce(amount, 0)::text as cost
        from (select * from sums ${by.length === 0 ? sql.literal("") : sql`order by ${places}`} limit ${limit}) s`
    })
})

/** An entry of the ledger, and where the next page begins. */
const EntryRow = Schema.Struct({
  id: Schema.String,
  moment: Schema.String,
  at: Schema.String,
  kind: Schema.Literals(["usage", "correction"]),
  generation_id: Schema.NullOr(Schema.String),
  user_id: Schema.NullOr(Schema.String),
  key_id: Schema.NullOr(Schema.String),
  door: Schema.NullOr(Schema.String),
  provider: Schema.String,
  model: Schema.String,
  status: Schema.NullOr(Schema.String),
  units: Count,
  cost: Schema.String,
  latency_ms: Schema.NullOr(Schema.Finite),
  ttft_ms: Schema.NullOr(Schema.Finite),
  note: Schema.NullOr(Schema.String)
})
export type EntryRow = typeof EntryRow.Type

/** Where a page of entries ends. */
export interface Place {
  readonly moment: string
  readonly id: string
}

/**
 * Entries of some days in the order of time, after a place. As in `Pages.ts`: the owner is two bounds, so that only one index has the order.
 */
export const selectEntries = SqlSchema.findAll({
  Request: Schema.Struct({
    of: Schema.Literals(["own", "tenant"]),
    from: Schema.String,
    to: Schema.String,
    after: Schema.NullOr(Schema.Struct({ moment: Schema.String, id: Schema.String })),
    limit: Schema.Int
  }),
  Result: EntryRow,
  execute: ({ after, from, limit, of, to }) =>
    TenantSql.use((sql) => {
      const own = sql.literal(of === "own" ? "and l.user_id <= app.user_id() and l.user_id >= app.user_id()" : "")
      const order = sql.literal(of === "own" ? "l.user_id, l.at, l.id" : "l.at, l.id")
      const after_ =
        after === null
          ? sql.literal("")
          : sql`and (l.at, l.id) > (${after.moment}::text::timestamptz, ${after.id}::text::uuid)`
      return sql`select l.id, l.at::text as moment, app.contract_time(l.at) as at, l.kind, l.generation_id, l.user_id, l.key_id, g.source as door,
          l.provider, l.model, g.status, l.units, l.tenant_amount::text as cost, app.milliseconds_to(g.ended_at, g.created_at) as latency_ms,
          app.milliseconds_to(g.first_token_at, g.created_at) as ttft_ms, l.note
        from (
          select l.* from (
            select l.id, l.at, l.kind, l.generation_id, l.user_id, l.key_id, l.provider, l.model, l.units, l.tenant_amount, l.note
            from app.ledger l
            where l.tenant_id = app.tenant_id() ${own} and l.at >= (${from}::text || 'T00:00:00Z')::timestamptz
              and l.at < (${to}::text || 'T00:00:00Z')::timestamptz + interval '1 day' ${after_}
            order by ${order} limit (select ${limit}::int8)
          ) l
        ) l
        left join lateral (
          select o.source, o.status, o.created_at, o.first_token_at, o.ended_at from app.generations o
          where o.tenant_id = app.tenant_id() and o.id = l.generation_id limit 1
        ) g on true
        order by l.at, l.id`
    })
})
