import { assert, describe, it } from "@effect/vitest"
import type { Attempt } from "@llm-saas/domain/Attempt"
import type { Ending } from "@llm-saas/domain/Generation"
import type { PriceList } from "@llm-saas/domain/Price"
import { accountOf } from "@llm-saas/engine/generations/AnswerAccount"
import { PriceBook } from "@llm-saas/engine/prices/PriceBook"

const PRICES: PriceList = [
  { id: null, unit: "input", tierStart: 0, price: "0.01" },
  { id: null, unit: "output", tierStart: 0, price: "0.02" }
]
const book = PriceBook.of({ pricesOf: () => PRICES })

const call = (more: Partial<Attempt> = {}): Attempt => ({
  provider: "house",
  model: "llama",
  keySource: "installation",
  pricing: { provider: "house", type: "openai", baseUrl: "http://localhost:1/v1", model: "llama" },
  startedAt: 0,
  ...more
})
const CANCELLED: Ending = { status: "cancelled" }
const COMPLETED: Ending = { status: "completed", finishReason: "stop" }
const nothing = { input: 10, output: 0 }
const some = { input: 10, output: 5 }

describe("what an answer costs", () => {
  it("is what its provider counted, of every call", () => {
    const attempts = [call({ usage: { input: 1, output: 1 }, failure: "model_error" }), call()]
    const { cost, stored } = accountOf(attempts, { input: 2, output: 2 }, some, COMPLETED, book)
    assert.deepStrictEqual([cost, stored.tokens_used, stored.priced], [0.09, 6, true])
    assert.deepStrictEqual(
      stored.items.map(({ attempt, quantity, unit }) => [attempt, unit, quantity]),
      [
        [1, "input", 1],
        [1, "output", 1],
        [2, "input", 2],
        [2, "output", 2]
      ]
    )
  })

  it("is what was delivered, where it was not counted", () => {
    const { cost, stored } = accountOf([call()], undefined, some, CANCELLED, book)
    assert.strictEqual(cost, 0.2)
    assert.isTrue(stored.items.every(({ estimated }) => estimated === true))
  })

  it("is its input, where it was cut short and the provider had taken it, before anything came", () => {
    for (const ending of [
      CANCELLED,
      { status: "failed", failure: "model_timeout" },
      { status: "interrupted", failure: "shutdown" }
    ] as const) {
      assert.strictEqual(accountOf([call({ status: 200 })], undefined, nothing, ending, book).cost, 0.1)
      // The provider had not answered, or refused.
      assert.isNull(accountOf([call()], undefined, nothing, ending, book).cost)
      assert.isNull(accountOf([call({ status: 503 })], undefined, nothing, ending, book).cost)
    }
    const failed: Ending = { status: "failed", failure: "model_error" }
    assert.isNull(accountOf([call({ status: 200 })], undefined, nothing, failed, book).cost)
  })

  it("is nothing to the installation where the tenant's own key paid", () => {
    const { cost, stored } = accountOf([call({ keySource: "tenant" })], some, some, COMPLETED, book)
    assert.deepStrictEqual([cost, stored.priced], [0, true])
    assert.isTrue(stored.items.every(({ price }) => price === null))
  })
})
