import { assert, describe, it, layer } from "@effect/vitest"
import * as Databases from "@llm-saas/database/backup/Databases"
import { parse } from "@llm-saas/domain/Decimal"
import { type ModelRequest, ofTexts } from "@llm-saas/domain/ModelRequest"
import type { PriceList } from "@llm-saas/domain/Price"
import type { Pricing } from "@llm-saas/domain/Pricing"
import { Generations } from "@llm-saas/engine/generations/Generations"
import { PriceBook } from "@llm-saas/engine/prices/PriceBook"
import { worstCaseOf } from "@llm-saas/engine/prices/WorstCase"
import { as, engine, newUser, question, until } from "@llm-saas/testing/EngineFixture"
import { Script } from "@llm-saas/testing/ScriptedLlm"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { BigDecimal, Effect, Layer } from "effect"

const rows = Effect.fnUntraced(function* (sql: string) {
  const { adminUrl } = yield* TestDatabase
  return (yield* Databases.execute(adminUrl, sql)).rows
})

const HOUSE: Pricing = { provider: "house", type: "openai", baseUrl: "http://localhost:1/v1", model: "llama" }
const MINI: Pricing = { provider: "any", type: "openai", model: "gpt-4o-mini" }
/** After all prices of the seed began. */
const NOW = Date.parse("2026-12-01T12:00:00Z")

layer(Layer.provideMerge(engine(), TestDatabase.layer), { timeout: "120 seconds" })("the price book", (it) => {
  it.effect("knows a price seconds after it was added, and that it ended", () =>
    Effect.gen(function* () {
      const { pricesOf } = yield* PriceBook
      assert.isDefined(pricesOf(MINI, NOW))
      assert.isUndefined(pricesOf(HOUSE, NOW))
      yield* rows(
        `insert into operator.prices (provider, model, unit, amount, valid, source)
         values ('house', 'llama', 'input', 1, '[2026-01-01,)', 'operator'), ('house', 'llama', 'output', 2, '[2026-01-01,)', 'operator')`
      )
      yield* until(Effect.sync(() => pricesOf(HOUSE, NOW)?.length === 2))
      yield* rows(
        "update operator.prices set valid = tstzrange(lower(valid), '2026-12-01 00:00+00') where provider = 'house'"
      )
      yield* until(Effect.sync(() => pricesOf(HOUSE, NOW) === undefined))
      assert.strictEqual(pricesOf(HOUSE, NOW - 86_400_000)?.length, 2)
    })
  )

  it.effect("prices each call of an answer by its own target, and names the rows in the ledger", () =>
    Effect.gen(function* () {
      const script = yield* Script
      const actor = yield* newUser()
      const asked = yield* Effect.flatMap(Generations, ({ ask }) => ask(question("How much?"))).pipe(as(actor))
      const call = yield* script.next
      const common = { provider: "openai", model: "gpt-4o-mini", startedAt: NOW, endedAt: NOW } as const
      // Failed after the provider had counted; with the tenant's own key; and the answer, served in a tier of its own.
      call.asking.attempt({
        ...common,
        keySource: "installation",
        pricing: MINI,
        failure: "model_cut",
        usage: { input: 1000, output: 10 }
      })
      call.asking.attempt({
        ...common,
        keySource: "tenant",
        pricing: MINI,
        failure: "model_cut",
        usage: { input: 1000, output: 10 }
      })
      call.asking.attempt({ ...common, keySource: "installation", pricing: MINI, serviceTier: "priority" })
      call.emit("Little.")
      call.complete({ usage: { input: 1000, output: 10, details: { cacheRead: 400 } } })
      yield* until(Effect.sync(() => asked.tokenLog.ended !== undefined))
      const [booked] = yield* rows(
        `select items, provider_amount::text as amount,
           (select bool_and(exists (select from operator.prices p
              where p.id = (i ->> 'price_id')::uuid and p.model = 'gpt-4o-mini' and p.amount / p.per = (i ->> 'price')::numeric))
            from jsonb_array_elements(items) i where i ->> 'price' is not null) as named
         from app.ledger where id = '${asked.generationId}'`
      )
      assert.isTrue(booked?.["named"])
      const items = JSON.parse(JSON.stringify(booked?.["items"])) as ReadonlyArray<Record<string, unknown>>
      assert.deepStrictEqual(
        items.map(({ attempt, price, quantity, unit }) => [attempt, unit, quantity, price]),
        [
          [1, "input", 1000, "0.00000015"],
          [1, "output", 10, "0.0000006"],
          [2, "input", 1000, null],
          [2, "output", 10, null],
          [3, "input", 600, "0.00000025"],
          [3, "cache_read", 400, "0.000000125"],
          [3, "output", 10, "0.000001"]
        ]
      )
      const amount = BigDecimal.negate(parse(String(booked?.["amount"])))
      assert.isTrue(BigDecimal.equals(amount, parse("0.000366")))
    }).pipe(Effect.scoped)
  )
})

const list = (prices: Record<string, string>): PriceList =>
  (["input", "input_image", "cache_write_1h", "output", "output_audio"] as const).flatMap((unit) => {
    const price = prices[unit]
    return price === undefined ? [] : [{ id: unit, unit, tierStart: 0, price }]
  })

describe("the worst case of a question", () => {
  const cheap: Pricing = {
    ...MINI,
    own: list({ input: "1", output: "2", input_image: "5", output_audio: "20", cache_write_1h: "3" })
  }
  const dear: Pricing = { ...MINI, own: list({ input: "2", output: "3" }) }
  const book = PriceBook.of({ pricesOf: ({ own }) => own })
  const worst = (pricing: ReadonlyArray<Pricing> | undefined, request?: ModelRequest) =>
    worstCaseOf(book, NOW, { pricing }, request, 10, 100)

  it("is that of the dearest target, and not known where one has no price", () => {
    assert.strictEqual(worst([cheap])?.worst, "210")
    assert.strictEqual(worst([cheap, dear])?.worst, "320")
    assert.strictEqual(worst([cheap, { ...MINI, own: undefined }]), undefined)
    assert.strictEqual(worst(undefined), undefined)
    // Tenants' own keys alone.
    assert.strictEqual(worst([])?.worst, "0")
    assert.deepStrictEqual(worst([cheap, dear])?.prices, {
      input: { price_id: "input", price: "1" },
      output: { price_id: "output", price: "2" }
    })
  })

  it("has pictures, speech and long caches where the request has them", () => {
    const image = { type: "image", source: { kind: "url", url: "https://x/y.png" } } as const
    const pictured: ModelRequest = {
      ...ofTexts("m", []),
      input: [{ type: "message", role: "user", parts: [image] }]
    }
    assert.strictEqual(worst([cheap], pictured)?.worst, "250")
    const text = ofTexts("m", [{ role: "user", content: "x" }])
    assert.strictEqual(worst([cheap], text)?.worst, "210")
    const spoken = { ...text, origin: { dialect: "chat", body: { modalities: ["text", "audio"] } } } as const
    assert.strictEqual(worst([cheap], spoken)?.worst, "2010")
    const content = [{ type: "text", text: "x", cache_control: { type: "ephemeral", ttl: "1h" } }]
    const cached = {
      ...text,
      origin: { dialect: "anthropic", body: { messages: [{ role: "user", content }] } }
    } as const
    assert.strictEqual(worst([cheap], cached)?.worst, "230")
  })
})
