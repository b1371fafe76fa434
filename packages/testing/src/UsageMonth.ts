import { connect, rows } from "@llm-saas/database/connections/Script"
import { Effect, type Redacted } from "effect"

/** What a month of a tenant has. */
export interface Month {
  readonly tenant: string
  /** The first day: `2026-11-01`. */
  readonly begins: string
  readonly days: number
  readonly answers: number
  /** Users who ask, of those that the tenant has. */
  readonly users: number
  /** Keys of each user, beside their logins. */
  readonly keys: number
}

/** Answers of one statement. */
const BATCH = 20_000

/**
 * Writes a month of usage as the ends of answers do: generations, their rows of the ledger and those of the queue. Four models with prices of
 * three units, five doors, a few failures, and times as answers take them. By the administrator.
 */
export const fillMonth = Effect.fn("UsageMonth.fill")(function* (adminUrl: Redacted.Redacted, month: Month) {
  const connection = yield* connect(adminUrl)
  for (let done = 0; done < month.answers; done += BATCH) {
    const answers = Math.min(BATCH, month.answers - done)
    yield* rows(connection, FILL, [month.tenant, month.begins, month.days, answers, month.users, month.keys])
  }
}, Effect.scoped)

const FILL = `with people as (
  select array_agg(id) as ids from (select id from app.users where tenant_id = $1::uuid order by id limit $5::int4) u
), drawn as materialized (
  select $2::date + random() * make_interval(days => $3::int4) as at,
    p.ids[1 + floor(random() * cardinality(p.ids))::int4] as user_id, floor(random() * ($6::int4 + 1))::int4 as key_number,
    floor(4 * random() ^ 2)::int4 as model, floor(5 * random() ^ 2)::int4 as door, random() as fate,
    least(exp(7.3 + random_normal(0, 0.8)), 600000) as milliseconds, random() as first,
    floor(exp(6 + random_normal(0, 1.2)))::int4 as input, floor(greatest(random() - 0.6, 0) * 5000)::int4 as cached,
    floor(exp(5 + random_normal(0, 1)))::int4 as output
  from people p cross join generate_series(1, $4::int4)
), answers as materialized (
  select (left(work.id_at(d.at)::text, 14) || '7' || substr(gen_random_uuid()::text, 16))::uuid as id, d.at at time zone 'UTC' as began, d.user_id,
    -- A key of the user: some digits of theirs.
    case when d.key_number > 0 then overlay(d.user_id::text placing lpad(to_hex(d.key_number), 4, '0') from 10 for 4)::uuid end as key_id,
    'model-' || d.model as model, (array['chat.completions', 'messages.stream', 'responses', 'anthropic.messages', 'messages'])[1 + d.door] as door,
    case when d.fate < 0.03 then 'failed' when d.fate < 0.04 then 'cancelled' when d.fate < 0.045 then 'interrupted' else 'completed' end as status,
    make_interval(secs => d.milliseconds / 1000) as lasted, make_interval(secs => d.milliseconds * (0.05 + 0.3 * d.first) / 1000) as first_token,
    i.items, i.cost
  from drawn d cross join lateral (
    select coalesce(jsonb_agg(jsonb_build_object('attempt', 1, 'unit', u.unit, 'quantity', u.quantity, 'price_id', null, 'price', u.price::text)), '[]')
      as items, coalesce(sum(u.quantity * u.price), 0) as cost
    from (values ('input', d.input, 0.0000025 * (1 + d.model)), ('cache_read', d.cached, 0.00000025 * (1 + d.model)),
      ('output', d.output, 0.00001 * (1 + d.model))) u (unit, quantity, price)
    where u.quantity > 0
  ) i
), generations as (
  insert into app.generations (
    tenant_id, id, user_id, source, provider, model, status, lease_owner, approx_tokens_in, prompt_length, trace_id, key_id, cost_usd,
    created_at, admitted_at, first_token_at, ended_at
  )
  select $1::uuid, a.id, a.user_id, a.door, 'provider', a.model, a.status, a.id, 1, 1, replace(a.id::text, '-', ''), a.key_id, a.cost * t.markup,
    a.began, a.began, a.began + a.first_token, a.began + a.lasted
  from answers a join app.tenants t on t.id = $1::uuid
), entries as (
  insert into app.ledger (
    tenant_id, id, kind, generation_id, user_id, key_id, provider, model, items, tenant_amount, provider_amount, margin_amount, at
  )
  select $1::uuid, a.id, 'usage', a.id, a.user_id, a.key_id, 'provider', a.model, a.items, a.cost * t.markup, -a.cost, a.cost - a.cost * t.markup,
    a.began + a.lasted
  from answers a join app.tenants t on t.id = $1::uuid
)
insert into app.usage_queue (tenant_id, ledger_id) select $1::uuid, a.id from answers a`
