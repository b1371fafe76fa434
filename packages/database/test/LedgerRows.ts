import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import type { Person } from "./Questions.ts"
import type { Session } from "./Session.ts"

/** A row of the ledger, and of the answer that it is of. */
export interface Entry {
  readonly kind?: "usage" | "correction"
  readonly key?: string | null
  readonly model?: string
  readonly door?: string
  readonly status?: "completed" | "failed" | "cancelled" | "interrupted"
  readonly at?: string
  readonly latency_ms?: number
  readonly first_token_ms?: number | null
  readonly units?: { readonly [unit: string]: number }
  /** What the tenant owes, a decimal. */
  readonly amount?: string
  /** What the provider is owed by a correction; else what the units cost at a millionth each. */
  readonly owed?: string
}

/** Writes entries as the end of an answer does, in one statement: the generation, its row of the ledger, and that of the queue. */
export const enter = Effect.fnUntraced(function* (superuser: Session, who: Person, entries: ReadonlyArray<Entry>) {
  const rows = entries.map((entry) => ({
    id: randomUUID(),
    kind: entry.kind ?? "usage",
    key: entry.key ?? null,
    model: entry.model ?? "model",
    door: entry.door ?? "messages",
    status: entry.status ?? "completed",
    at: entry.at ?? "2026-11-01T12:00:00Z",
    latency: (entry.latency_ms ?? 1000) / 1000,
    first: entry.first_token_ms === null ? null : (entry.first_token_ms ?? 100) / 1000,
    items: Object.entries(entry.units ?? {}).map(([unit, quantity]) => ({
      attempt: 1,
      unit,
      quantity,
      price_id: null,
      price: "0.000001"
    })),
    amount: entry.amount ?? "0",
    owed: entry.owed ?? "0"
  }))
  yield* superuser.rows(WRITE, [who.tenant, who.user, JSON.stringify(rows)])
  return rows.map(({ id }) => id)
})

const WRITE = `with given as (
  select * from jsonb_to_recordset($3::jsonb) as e (
    id uuid, kind text, key uuid, model text, door text, status text, at timestamptz, latency float8, first float8, items jsonb, amount numeric,
    owed numeric
  )
), answers as (
  insert into app.generations (
    tenant_id, id, user_id, source, provider, model, status, lease_owner, approx_tokens_in, prompt_length, trace_id, key_id, cost_usd,
    created_at, admitted_at, first_token_at, ended_at
  )
  select $1::uuid, id, $2::uuid, door, 'provider', model, status, id, 1, 1, replace(id::text, '-', ''), key, amount,
    at - make_interval(secs => latency), at - make_interval(secs => latency), at - make_interval(secs => latency) + make_interval(secs => first),
    at
  from given where kind = 'usage'
), entered as (
  insert into app.ledger (
    tenant_id, id, kind, generation_id, user_id, key_id, provider, model, items, tenant_amount, provider_amount, margin_amount, at
  )
  select $1::uuid, id, kind, case kind when 'usage' then id end, $2::uuid, key, 'provider', model, items, amount, -cost, cost - amount, at
  from given cross join lateral (
    select case kind when 'usage' then coalesce(sum((i ->> 'quantity')::numeric * (i ->> 'price')::numeric), 0) else owed end as cost
    from jsonb_array_elements(items) i
  ) c
)
insert into app.usage_queue (tenant_id, ledger_id) select $1::uuid, id from given`
