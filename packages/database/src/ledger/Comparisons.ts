// What must be equal in the books, as queries that return what is not. Each computes both sides in its own way: the sums by day with
// app.usage_of, as GET /usage does, and against them a plain sum over the ledger.

/** A comparison: its name, and a query whose rows say what differs, a `difference` each. */
export interface Comparison {
  readonly name: string
  readonly sql: string
  /** Whether `$1` is the time since when there is a ledger. */
  readonly since?: true
}

const NOBODY = "'00000000-0000-0000-0000-000000000000'::uuid"

/** Every number of the ledger, one a row, with where it belongs. */
const PLAIN = `
  select l.tenant_id, n.grain, (l.at at time zone 'UTC')::date as day, coalesce(n.user_id, ${NOBODY}) as user_id,
    coalesce(n.key_id, ${NOBODY}) as key_id, coalesce(n.model, '') as model, coalesce(n.door, '') as door, m.measure, m.value
  from app.ledger l
  left join app.generations g on g.tenant_id = l.tenant_id and g.id = l.generation_id
  cross join lateral (
    select 'user' as grain, l.user_id, l.key_id, null as model, null as door
    union all select 'model', null, null, l.model, coalesce(g.source, 'correction')
    union all select 'both', l.user_id, l.key_id, l.model, coalesce(g.source, 'correction')
  ) n
  cross join lateral (
    select 'amount of the tenant' as measure, l.tenant_amount as value
    union all select 'amount of the provider', l.provider_amount
    union all select 'answers', 1 where l.kind = 'usage'
    union all select 'errors', 1 where l.kind = 'usage' and g.status in ('failed', 'interrupted')
    union all select 'without a price', 1 where l.kind = 'usage' and g.cost_usd is null
    union all select i.value ->> 'unit', (i.value ->> 'quantity')::numeric from jsonb_array_elements(l.items) i
    union all select 'latency/' || app.latency_bucket(g.ended_at - g.created_at), 1 where l.kind = 'usage' and g.status = 'completed'
    union all select 'first_token/' || app.latency_bucket(g.first_token_at - g.created_at), 1
      where l.kind = 'usage' and g.status = 'completed' and g.first_token_at is not null
  ) m`

const COLUMNS =
  "grain, day, user_id, key_id, model, door, requests, errors, unpriced, counts, tenant_amount, provider_amount"

/** Every number of the sums by day, and of the rows that are not in them yet. */
const SHOWN = `
  select s.tenant_id, s.grain, s.day, s.user_id, s.key_id, s.model, s.door, m.measure, m.value
  from (
    select tenant_id, ${COLUMNS} from app.usage_days
    union all
    select q.tenant_id, u.grain, u.day, u.user_id, u.key_id, u.model, u.door, u.requests, u.errors, u.unpriced, u.counts,
      u.tenant_amount, l.provider_amount
    from app.usage_queue q
    cross join lateral app.usage_of(q.tenant_id, q.ledger_id) u
    join app.ledger l on l.tenant_id = q.tenant_id and l.id = q.ledger_id
  ) s cross join lateral (
    select 'amount of the tenant' as measure, s.tenant_amount as value
    union all select 'amount of the provider', s.provider_amount
    union all select 'answers', s.requests
    union all select 'errors', s.errors
    union all select 'without a price', s.unpriced
    union all select e.key, e.value::numeric from jsonb_each_text(s.counts) e
  ) m`

const PLACE = "tenant_id, grain, day, user_id, key_id, model, door, measure"
const summed = (rows: string) => `select ${PLACE}, sum(value) as value from (${rows}) r group by ${PLACE}`

/** The sums by day with the queue, against the ledger. */
export const SUMS: Comparison = {
  name: "sums by day, with the rows still queued, and the ledger",
  sql: `select format('tenant %s, %s, by %s: user %s, key %s, model %s, %s: %s is %s, and %s in the ledger', tenant_id, day, grain, user_id, key_id, model, door,
      measure, coalesce(s.value, 0), coalesce(p.value, 0)) as difference
    from (${summed(SHOWN)}) s full join (${summed(PLAIN)}) p using (${PLACE})
    where coalesce(s.value, 0) <> coalesce(p.value, 0)
    order by ${PLACE}`
}

/** The postings of an entry, and what it was used for. */
export const ENTRIES: Comparison = {
  name: "postings of each entry, and its items",
  sql: `select format('tenant %s, entry %s: the postings sum to %s', tenant_id, id, tenant_amount + provider_amount + margin_amount) as difference
    from app.ledger where tenant_amount + provider_amount + margin_amount <> 0
    union all
    select format('tenant %s, entry %s: the provider is owed %s, and the items cost %s', l.tenant_id, l.id, -l.provider_amount, i.cost)
    from app.ledger l cross join lateral (
      select coalesce(sum((i.value ->> 'quantity')::numeric * (i.value ->> 'price')::numeric), 0) as cost from jsonb_array_elements(l.items) i
    ) i
    where l.kind = 'usage' and -l.provider_amount <> i.cost`
}

/** Answers and their entries. Answers from before there was a ledger have none. */
export const ANSWERS: Comparison = {
  name: "answers and their entries",
  since: true,
  sql: `select case
        when l.id is null then format('tenant %s: answer %s has ended and has no entry', g.tenant_id, g.id)
        when g.id is null then format('tenant %s: entry %s is of no answer', l.tenant_id, l.id)
        when g.ended_at is null then format('tenant %s: answer %s has an entry and has not ended', g.tenant_id, g.id)
        else format('tenant %s: answer %s cost %s, and %s in the ledger', g.tenant_id, g.id, g.cost_usd, l.tenant_amount)
      end as difference
    from (
      select tenant_id, id, ended_at, cost_usd, created_at < $1::timestamptz as earlier
      from app.generations
    ) g
    full join (select tenant_id, id, tenant_amount from app.ledger where kind = 'usage') l using (tenant_id, id)
    where case when l.id is null then g.ended_at is not null and not g.earlier
      else g.id is null or g.ended_at is null or g.cost_usd <> l.tenant_amount end`
}

/**
 * Budgets: what they have and what is not taken in yet, and the answers that were admitted by them. An answer counts in the period in which
 * it was admitted, so the times of the ledger do not say which.
 */
export const BUDGETS: Comparison = {
  name: "budgets and the answers that they admitted",
  sql: `select format('tenant %s, %s, %s since %s: %s is %s, and %s by its answers', f.tenant_id, f.subject, f.period, f.starts_at, m.measure, m.found,
      m.expected) as difference
    from (
      select tenant_id, subject, period, starts_at, sum(spent) as spent, sum(reserved) as reserved
      from (
        select tenant_id, subject, period, starts_at, spent, reserved from app.budget_periods
        union all
        select tenant_id, subject, period, starts_at, spent, -released from app.counter_changes where period <> 'minute'
      ) b group by 1, 2, 3, 4
    ) f
    left join (
      select g.tenant_id, t.subject, t.period, t.starts_at, coalesce(sum(l.tenant_amount), 0) as spent,
        coalesce(sum(t.reserved) filter (where g.ended_at is null), 0) as reserved
      from app.generations g
      cross join lateral jsonb_to_recordset(g.admission -> 'taken') t (subject text, period text, starts_at timestamptz, reserved numeric)
      left join app.ledger l on l.tenant_id = g.tenant_id and l.id = g.id and l.kind = 'usage'
      where jsonb_typeof(g.admission -> 'taken') = 'array' and t.period <> 'minute'
      group by 1, 2, 3, 4
    ) e on (e.tenant_id, e.subject, e.period, e.starts_at) = (f.tenant_id, f.subject, f.period, f.starts_at)
    cross join lateral (
      values ('spent', f.spent, coalesce(e.spent, 0)), ('reserved', f.reserved, coalesce(e.reserved, 0))
    ) m (measure, found, expected)
    where m.found <> m.expected`
}

export const COMPARISONS: ReadonlyArray<Comparison> = [SUMS, ENTRIES, ANSWERS, BUDGETS]
