import { assert, describe, it } from "@effect/vitest"
import { perOne, plain, parse } from "../src/Decimal.ts"
import { amountOf, itemize, type PriceList, type Unit, UNITS, worstCase } from "../src/Price.ts"
import type { Usage } from "../src/Usage.ts"
import { BigDecimal } from "effect"
import * as fc from "fast-check"

const count = fc.integer({ min: 0, max: 1_000_000 })
const some = fc.option(count, { nil: undefined })
const usages: fc.Arbitrary<Usage> = fc.record({
  input: count,
  output: count,
  details: fc.record({
    cacheRead: some,
    cacheWrite: some,
    cacheWrite1h: some,
    audioInput: some,
    imageInput: some,
    reasoning: some,
    audioOutput: some
  })
})
const decimals = fc.integer({ min: 0, max: 100_000_000 }).map((digits) => perOne(`${digits}`, 10 ** 12))
const prices: fc.Arbitrary<PriceList> = fc
  .tuple(
    decimals,
    decimals,
    fc.array(
      fc.record({
        id: fc.constant(null),
        unit: fc.constantFrom(...UNITS),
        tierStart: fc.constantFrom(0, 1000, 200_000),
        price: decimals
      }),
      { maxLength: 12 }
    )
  )
  .map(([input, output, more]) => [
    { id: null, unit: "input", tierStart: 0, price: input },
    { id: null, unit: "output", tierStart: 0, price: output },
    ...more
  ])

const list = (units: Partial<Record<Unit, string>>): PriceList =>
  UNITS.flatMap((unit) => {
    const price = units[unit]
    return price === undefined ? [] : [{ id: unit, unit, tierStart: 0, price }]
  })

describe("what a call used", () => {
  it("counts each token once, whatever the provider says of its parts", () => {
    fc.assert(
      fc.property(usages, (usage) => {
        const items = itemize(usage, undefined)
        const sum = (units: ReadonlyArray<Unit>) =>
          items.filter(({ unit }) => units.includes(unit)).reduce((sum, { quantity }) => sum + quantity, 0)
        assert.strictEqual(sum(UNITS.slice(0, 6)), usage.input)
        assert.strictEqual(sum(UNITS.slice(6, 9)), usage.output)
        assert.strictEqual(new Set(items.map(({ unit }) => unit)).size, items.length)
      })
    )
  })

  it("costs what each unit does, to the last digit", () => {
    const items = itemize(
      { input: 3, output: 7, details: { cacheRead: 1, reasoning: 2 } },
      list({ input: "0.000001", cache_read: "0.0000001", output: "0.00001" })
    )
    assert.deepStrictEqual(
      items.map(({ price, price_id, quantity, unit }) => [unit, quantity, price_id, price]),
      [
        ["input", 2, "input", "0.000001"],
        ["cache_read", 1, "cache_read", "0.0000001"],
        ["output", 5, "output", "0.00001"],
        ["reasoning", 2, "output", "0.00001"]
      ]
    )
    assert.strictEqual(amountOf(items), "0.0000721")
  })

  it("costs the rate past a step for all its tokens, and not at the step", () => {
    const stepped: PriceList = [
      ...list({ input: "1", output: "10" }),
      { id: "step", unit: "input", tierStart: 100, price: "2" }
    ]
    assert.strictEqual(amountOf(itemize({ input: 100, output: 1 }, stepped)), "110")
    assert.strictEqual(amountOf(itemize({ input: 101, output: 1 }, stepped)), "212")
  })

  it("has no amount where a price is not known", () => {
    assert.strictEqual(amountOf(itemize({ input: 1, output: 1 }, undefined)), undefined)
    const searched = itemize({ input: 1, output: 0, details: { searches: 1 } }, list({ input: "1" }))
    assert.strictEqual(amountOf(searched), undefined)
    assert.strictEqual(amountOf(itemize({ input: 1, output: 0 }, list({ input: "1" }))), "1")
  })

  it("pays for the request where the provider does", () => {
    assert.strictEqual(amountOf(itemize({ input: 0, output: 0 }, list({ input: "1", requests: "0.005" }))), "0.005")
  })
})

describe("the worst case", () => {
  it("is never less than what a call within it costs", () => {
    fc.assert(
      fc.property(usages, prices, count, count, (usage, prices, moreIn, moreOut) => {
        const all = { audio: true, image: true, cacheHour: true, speaks: true }
        const worst = worstCase(usage.input + moreIn, usage.output + moreOut, prices, all)
        const cost = amountOf(itemize(usage, prices))
        assert.isDefined(worst)
        assert.isDefined(cost)
        assert.isTrue(BigDecimal.isLessThanOrEqualTo(parse(cost ?? "1"), parse(worst ?? "0")))
      })
    )
  })

  it("is not known without a price, unless there are no such tokens", () => {
    assert.strictEqual(worstCase(1, 1, list({ input: "1" })), undefined)
    assert.strictEqual(worstCase(2, 0, list({ input: "1" })), "2")
    assert.strictEqual(worstCase(1, 1, []), undefined)
    assert.strictEqual(worstCase(1, 1, list({ input: "0", output: "0" })), "0")
  })
})

describe("a decimal", () => {
  it("is written without an exponent, and read back the same", () => {
    assert.strictEqual(perOne("0.00000000000000000001", 1_000_000), "0.00000000000000000000000001")
    assert.strictEqual(perOne("2.50", 1_000_000), "0.0000025")
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
        fc.integer({ min: -20, max: 40 }),
        (value, scale) => {
          const text = plain(BigDecimal.make(value, scale))
          assert.match(text, /^-?\d+(\.\d+)?$/u)
          assert.isTrue(BigDecimal.equals(parse(text), BigDecimal.make(value, scale)))
        }
      )
    )
  })
})
