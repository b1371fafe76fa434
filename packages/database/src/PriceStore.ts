import { perOne } from "@llm-saas/domain/Decimal"
import { UNITS } from "@llm-saas/domain/Price"
import { PriceCatalogue } from "@llm-saas/domain/PriceCatalogue"
import type { NameRule, PricedModel } from "@llm-saas/domain/Pricing"
import type { Unavailable } from "@llm-saas/domain/Refusal"
import { Context, Effect, Layer, Schema } from "effect"
import { Pool } from "./connections/Pool.ts"

const NameRule: Schema.Codec<NameRule> = Schema.Union([
  Schema.Struct({ equals: Schema.String }),
  Schema.Struct({ starts: Schema.String }),
  Schema.Struct({ ends: Schema.String }),
  Schema.Struct({ contains: Schema.String }),
  Schema.Struct({ regex: Schema.String }),
  Schema.Struct({ or: Schema.Array(Schema.suspend((): Schema.Codec<NameRule> => NameRule)) }),
  Schema.Struct({ and: Schema.Array(Schema.suspend((): Schema.Codec<NameRule> => NameRule)) })
])

const Row = Schema.Struct({
  id: Schema.String,
  unit: Schema.Literals(UNITS),
  service_tier: Schema.String,
  tier_start: Schema.Int,
  per: Schema.Int,
  amount: Schema.String,
  seeded: Schema.Boolean,
  since: Schema.NullOr(Schema.Finite),
  until: Schema.NullOr(Schema.Finite),
  first_minute: Schema.Int,
  last_minute: Schema.Int
})

const Model = Schema.Struct({
  provider: Schema.String,
  model: Schema.String,
  match: Schema.NullOr(NameRule),
  prices: Schema.Array(Row)
})
const decodeModels = Schema.decodeUnknownEffect(Schema.Array(Model))

const Book = Schema.Tuple([
  Schema.Struct({
    revision: Schema.Int,
    providers: Schema.fromJsonString(
      Schema.Array(Schema.Struct({ provider: Schema.String, url: Schema.String, others: Schema.Array(Schema.String) }))
    ),
    models: Schema.fromJsonString(Schema.Array(Schema.Unknown))
  })
])

/** Models read at once: all 2,000 of them would stop the answers of this process for 100 ms. */
const SLICE = 100

const modelsOf = Effect.fnUntraced(function* (given: ReadonlyArray<unknown>) {
  const models: Array<PricedModel> = []
  for (let from = 0; from < given.length; from += SLICE) {
    const slice = yield* Effect.orDie(decodeModels(given.slice(from, from + SLICE)))
    for (const { prices, ...model } of slice)
      models.push({
        ...model,
        prices: prices.map(({ amount, per, ...row }) => ({ ...row, price: perOne(amount, per) }))
      })
    yield* Effect.yieldNow
  }
  return models
})

/** The prices of providers, of schema `operator`: no tenant's data. */
export class PriceStore extends Context.Service<
  PriceStore,
  {
    /** A number that is another one after every change of a price. */
    readonly revision: Effect.Effect<number, Unavailable>
    /** All prices that hold now or later, and which revision that is. */
    readonly read: Effect.Effect<{ readonly revision: number; readonly catalogue: PriceCatalogue }, Unavailable>
  }
>()("@llm-saas/database/PriceStore") {
  static readonly layer = Layer.effect(
    PriceStore,
    Effect.gen(function* () {
      const pool = yield* Pool
      return PriceStore.of({
        revision: Effect.map(
          pool.call("select work.price_revision()::int4 as revision", [], Revision),
          ([{ revision }]) => revision
        ),
        read: Effect.gen(function* () {
          const sql = "select revision::int4, providers, models from work.price_book()"
          const [{ models, providers, revision }] = yield* pool.call(sql, [], Book)
          return { revision, catalogue: new PriceCatalogue(providers, yield* modelsOf(models)) }
        })
      })
    })
  )
}

const Revision = Schema.Tuple([Schema.Struct({ revision: Schema.Int })])
