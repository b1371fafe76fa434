import type { PgConnection } from "@effect/sql-pg"
import { Effect, Predicate } from "effect"
import { rows } from "../connections/Script.ts"
import type { SqlFiles } from "../SqlFiles.ts"

/**
 * Brings the prices that come with the program into the database, in the transaction of a migration, if they are others than last time. A
 * price that is another one now ends, and the new one begins, at this moment; what was, stays. Models that are not in the seed any more
 * keep their prices. The first time, the seed's past is taken too.
 */
export const loadPrices = Effect.fnUntraced(function* (connection: PgConnection.PgConnection, { prices }: SqlFiles) {
  const [loaded] = yield* rows(connection, "select seed_hash from operator.price_revision")
  if (Predicate.hasProperty(loaded, "seed_hash") && loaded.seed_hash === prices.hash) return
  const seed = `[${prices.lines.join(",")}]`
  // Each side is read once and hashed: a loop over both was 60 seconds.
  yield* rows(connection, "set local enable_nestloop = off")
  const [before] = yield* rows(connection, "select from operator.prices where seeded limit 1")
  const statements = before === undefined ? [PROVIDERS, NAMES, FIRST] : [PROVIDERS, NAMES, ENDS, BEGINS]
  for (const statement of statements) yield* rows(connection, statement, [seed])
  yield* rows(connection, "set local enable_nestloop = on")
  yield* rows(connection, "update operator.price_revision set seed_hash = $1::text", [prices.hash])
})

const PROVIDERS = `
  with lines as materialized (
    select provider, url, others from jsonb_to_recordset($1::text::jsonb) as line (provider text, url text, others text[])
    where url is not null
  ), gone as (
    delete from operator.price_providers p where p.provider not in (select provider from lines)
  )
  insert into operator.price_providers (provider, url, others)
  select provider, url, others from lines
  on conflict (provider) do update set url = excluded.url, others = excluded.others`

const NAMES = `
  with lines as materialized (
    select line ->> 'provider' as provider, line ->> 'model' as model, place, line -> 'match' as match
    from jsonb_array_elements($1::text::jsonb) with ordinality as all_lines (line, place) where line ? 'model'
  ), gone as (
    delete from operator.price_names n where (n.provider, n.model) not in (select provider, model from lines)
  )
  insert into operator.price_names (provider, model, position, match)
  select provider, model, place, match from lines
  on conflict (provider, model) do update set position = excluded.position, match = excluded.match`

const WANTED = `
  wanted as materialized (
    select model.provider, model.model, price.unit, price.service_tier, price.tier_start, price.per, price.amount,
      int4range((price.minutes ->> 0)::integer, (price.minutes ->> 1)::integer) as minutes,
      tstzrange(price.since::timestamp at time zone 'UTC', price.until::timestamp at time zone 'UTC') as valid
    from jsonb_to_recordset($1::text::jsonb) as model (provider text, model text, prices jsonb)
    cross join lateral (
      select p.unit, coalesce(p.service_tier, 'standard') as service_tier, coalesce(p.tier_start, 0) as tier_start,
        coalesce(p.per, 1000000) as per, p.amount, coalesce(p.minutes, '[0, 1440]') as minutes, p.since, p.until
      from jsonb_to_recordset(model.prices) as p (
        unit text, service_tier text, tier_start integer, per integer, amount numeric, minutes jsonb, since date, until date
      )
    ) as price
    where model.model is not null
  )`

/** What holds now or later ends where the seed says so, or now where the seed has another price. */
const ENDS = `
  with ${WANTED}
  update operator.prices p set valid = p.valid * tstzrange(null, case when w.valid is null then now() else upper(w.valid) end)
  from operator.prices o
  left join wanted w on (w.provider, w.model, w.unit, w.service_tier, w.tier_start, w.minutes, w.per, w.amount)
      = (o.provider, o.model, o.unit, o.service_tier, o.tier_start, o.minutes, o.per, o.amount)
    and w.valid @> greatest(lower(o.valid), now())
  where p.id = o.id and o.seeded and not isempty(o.valid) and (upper_inf(o.valid) or upper(o.valid) > now())
    and exists (select from wanted m where m.provider = o.provider and m.model = o.model)
    and (w.valid is null or upper(w.valid) < upper(o.valid) or upper_inf(o.valid) and not upper_inf(w.valid))`

/** What the seed has and the table does not, from now on. */
const BEGINS = `
  with ${WANTED}, has as materialized (
    select p.provider, p.model, p.unit, p.service_tier, p.tier_start, p.minutes, range_agg(p.valid) as valid
    from operator.prices p where p.seeded group by 1, 2, 3, 4, 5, 6
  )
  insert into operator.prices (provider, model, unit, service_tier, tier_start, per, amount, minutes, valid, source, seeded)
  select w.provider, w.model, w.unit, w.service_tier, w.tier_start, w.per, w.amount, w.minutes,
    unnest(tstzmultirange(w.valid * tstzrange(now(), null)) - coalesce(h.valid, '{}')), $1::text::jsonb -> 0 ->> 'source', true
  from wanted w
  left join has h on (h.provider, h.model, h.unit, h.service_tier, h.tier_start, h.minutes)
    = (w.provider, w.model, w.unit, w.service_tier, w.tier_start, w.minutes)`

/** All of the seed, with its past. */
const FIRST = `
  with ${WANTED}
  insert into operator.prices (provider, model, unit, service_tier, tier_start, per, amount, minutes, valid, source, seeded)
  select w.provider, w.model, w.unit, w.service_tier, w.tier_start, w.per, w.amount, w.minutes, w.valid, $1::text::jsonb -> 0 ->> 'source', true
  from wanted w`
