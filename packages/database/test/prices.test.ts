import { assert, layer } from "@effect/vitest"
import { Pool } from "@llm-saas/database/connections/Pool"
import { migrate } from "@llm-saas/database/migrations/Migrations"
import { PriceStore } from "@llm-saas/database/PriceStore"
import { DIRECTORY } from "@llm-saas/database/SqlFiles"
import { parse } from "@llm-saas/domain/Decimal"
import { PriceCatalogue } from "@llm-saas/domain/PriceCatalogue"
import { amountOf, itemize } from "@llm-saas/domain/Price"
import type { Pricing } from "@llm-saas/domain/Pricing"
import type { Usage } from "@llm-saas/domain/Usage"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { BigDecimal, Effect, Layer } from "effect"
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { open } from "./Session.ts"

const StoreLayer = Layer.provideMerge(
  PriceStore.layer,
  Layer.provideMerge(
    Layer.unwrap(
      Effect.map(TestDatabase, ({ apiUrl }) =>
        Pool.layer({ url: apiUrl, size: 2, acquireTimeout: "5 seconds", waiting: 10 })
      )
    ),
    TestDatabase.layer
  )
)

const administrator = Effect.flatMap(TestDatabase, ({ adminUrl }) => open(adminUrl))

/** What scripts/prices.py wrote: what the package itself says that a usage costs. */
interface Case {
  readonly provider: string
  readonly model: string
  readonly tier: string
  readonly at: string
  readonly usage: Usage
  readonly dollars: string
}

const cases = (): ReadonlyArray<Case> =>
  readFileSync(new URL("prices.fixture.jsonl", import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line))

const at = (provider: string, model: string): Pricing => ({
  provider: "any",
  type: "openai",
  model,
  listed: { provider }
})

const NOW = Date.parse("2026-11-29T12:00:00Z")

layer(StoreLayer)("the prices that come with the program", (it) => {
  it.effect("are those of more than 300 models, and are found by the names that providers give them", () =>
    Effect.gen(function* () {
      const session = yield* administrator
      const [count] = yield* session.rows(
        "select count(distinct (provider, model))::int4 as models from operator.prices"
      )
      assert.isAbove(Number(count?.["models"]), 300)
      const { catalogue } = yield* (yield* PriceStore).read
      const input = (pricing: Pricing) => catalogue.pricesOf(pricing, NOW)?.find(({ unit }) => unit === "input")?.price
      const base = { provider: "mine", type: "openai" } as const
      assert.strictEqual(input({ ...base, model: "gpt-4o-mini-2024-07-18" }), "0.00000015")
      assert.strictEqual(input({ ...base, type: "anthropic", model: "claude-3-5-haiku-20241022" }), "0.0000008")
      assert.strictEqual(
        input({ ...base, type: "azure", baseUrl: "https://x.openai.azure.com", model: "gpt-4o-mini" }),
        "0.00000015"
      )
      // A server of one's own is not paid, whatever its models and it are called.
      assert.isUndefined(input({ ...base, provider: "openai", baseUrl: "http://localhost:11434/v1", model: "gpt-4o" }))
      assert.isUndefined(input({ ...base, model: "no-such-model" }))
      assert.strictEqual(input({ ...base, type: "mock", model: "mock-1" }), "0")
    })
  )

  it.effect("cost what the package they are from says, to the last digit, in 200 random usages", () =>
    Effect.gen(function* () {
      const session = yield* administrator
      // What holds now and later is what a process reads; the past is in the table.
      const rows = yield* session.rows(
        `select id, provider, model, unit, service_tier, tier_start, (amount / per)::text as price,
           extract(epoch from lower(valid))::float8 * 1000 as since, extract(epoch from upper(valid))::float8 * 1000 as until,
           lower(minutes) as first_minute, upper(minutes) as last_minute from operator.prices`
      )
      const models = [...Map.groupBy(rows, ({ provider, model }) => `${provider}\n${model}`)].map(([name, prices]) => {
        const [provider = "", model = ""] = name.split("\n")
        return { provider, model, match: null, prices: JSON.parse(JSON.stringify(prices)) }
      })
      const catalogue = new PriceCatalogue([], models)
      const wrong = cases().flatMap((each) => {
        const list = catalogue.pricesOf(at(each.provider, each.model), Date.parse(each.at), each.tier)
        const amount = amountOf(itemize(each.usage, list))
        const same = amount !== undefined && BigDecimal.equals(parse(amount), parse(each.dollars))
        return same ? [] : [{ ...each, amount }]
      })
      assert.deepStrictEqual(wrong, [])
      assert.strictEqual(cases().length, 200)
    })
  )

  it.effect("only end, for every role, and never in the past", () =>
    Effect.gen(function* () {
      const session = yield* administrator
      const one = "where id = (select id from operator.prices where upper_inf(valid) order by id limit 1)"
      for (const statement of [
        `update operator.prices set amount = amount + 1 ${one}`,
        `update operator.prices set valid = tstzrange(lower(valid), now() - interval '1 day') ${one}`,
        `update operator.prices set valid = 'empty' ${one}`,
        `delete from operator.prices ${one}`,
        "truncate operator.prices"
      ]) {
        const refused = yield* Effect.flip(session.rows(statement))
        assert.match(String(refused), /a price only ends/u, statement)
      }
      const twice = yield* Effect.flip(
        session.rows(
          `insert into operator.prices (provider, model, unit, amount, valid, source, seeded)
           select provider, model, unit, 1, tstzrange(now(), null), 'test', true from operator.prices
           where provider = 'openai' and model = 'gpt-4o' and unit = 'input' and service_tier = 'standard' limit 1`
        )
      )
      assert.match(String(twice), /prices_one_at_a_time/u)
    })
  )
})

layer(StoreLayer)("an operator's own price", (it) => {
  it.effect("counts instead of the one that came with the program, until it ends", () =>
    Effect.gen(function* () {
      const session = yield* administrator
      const store = yield* PriceStore
      const before = yield* store.revision
      yield* session.rows(
        `insert into operator.prices (provider, model, unit, amount, valid, source)
         values ('openai', 'gpt-4o-mini', 'input', 3, tstzrange(now(), now() + interval '1 hour'), 'operator'),
           ('house', 'llama', 'input', 1, '(,)', 'operator'), ('house', 'llama', 'output', 2, '(,)', 'operator')`
      )
      assert.notStrictEqual(yield* store.revision, before)
      const { catalogue } = yield* store.read
      const now = yield* Effect.map(
        session.rows("select extract(epoch from now())::float8 * 1000 as now"),
        ([row]) => Number(row?.["now"]) + 1000
      )
      const prices = (pricing: Pricing, when = now) =>
        Object.fromEntries((catalogue.pricesOf(pricing, when) ?? []).map(({ price, unit }) => [unit, price]))
      const mini = at("openai", "gpt-4o-mini")
      assert.strictEqual(prices(mini)["input"], "0.000003")
      assert.strictEqual(prices(mini)["output"], "0.0000006")
      assert.strictEqual(prices(mini, now + 3_700_000)["input"], "0.00000015")
      // A server of one's own, by its name in the configuration.
      const house = { provider: "house", type: "openai", baseUrl: "http://localhost:8000/v1", model: "llama" } as const
      assert.deepStrictEqual(prices(house), { input: "0.000001", output: "0.000002" })
      // What the configuration says counts before all.
      const own = [{ id: null, unit: "input", tierStart: 0, price: "7" }] as const
      assert.deepStrictEqual(prices({ ...mini, own }), { input: "7" })
    })
  )
})

layer(StoreLayer)("prices of a newer program", (it) => {
  it.effect("begin when it is migrated, and what was stays what it was", () =>
    Effect.gen(function* () {
      const { adminUrl } = yield* TestDatabase
      const session = yield* administrator
      const directory = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "llm-saas-sql-"))),
        (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
      )
      cpSync(DIRECTORY, directory, { recursive: true })
      const file = join(directory, "seed/prices.jsonl")
      const lines = readFileSync(file, "utf8").split("\n")
      const changed = lines.flatMap((line) => {
        if (line.startsWith('{"provider":"voyageai","model":"voyage-3"')) return []
        return line.startsWith('{"provider":"openai","model":"gpt-4o-mini","')
          ? [
              line
                .replace('"amount":"0.15"', '"amount":"0.25"')
                .replace('"amount":"0.6"', '"amount":"0.6","until":"2099-01-01"')
            ]
          : [line]
      })
      writeFileSync(
        file,
        [
          ...changed,
          '{"provider":"openai","model":"new","match":{"equals":"new"},"prices":[{"unit":"input","amount":"1"}]}',
          ""
        ].join("\n")
      )
      const all = "select count(*)::int4 as count from operator.prices"
      const [before] = yield* session.rows(all)
      yield* migrate(adminUrl, { directory })
      const [after] = yield* session.rows(all)
      assert.strictEqual(Number(after?.["count"]) - Number(before?.["count"]), 2)
      const mini = yield* session.rows(
        `select unit, amount::text, lower_inf(valid) as always, upper(valid) = (select max(lower(valid)) from operator.prices where model = 'new') as ended,
           upper(valid)::date::text as until
         from operator.prices where provider = 'openai' and model = 'gpt-4o-mini' and service_tier = 'standard' and unit in ('input', 'output')
         order by unit, valid`
      )
      assert.deepStrictEqual(
        mini.map(({ always, amount, ended, unit }) => [unit, amount, always, ended]),
        [
          ["input", "0.15", true, true],
          ["input", "0.25", false, null],
          ["output", "0.6", true, false]
        ]
      )
      assert.strictEqual(mini[2]?.["until"], "2099-01-01")
      // A model that left the seed keeps its price, by its own name.
      const { catalogue } = yield* (yield* PriceStore).read
      assert.isDefined(catalogue.pricesOf(at("voyageai", "voyage-3"), NOW))
      // Nothing more to do.
      assert.isFalse((yield* migrate(adminUrl, { directory })).rebuilt)
    })
  )
})
