import { assert, describe, it } from "@effect/vitest"
import { LlmSaasError } from "@llm-saas/client"
import * as fc from "fast-check"
import { type Allowance, beyondPlan, changeOf, draftOf, UNLIMITED } from "../src/pages/limits/allowance.ts"

const limit = (max: number) => fc.option(fc.integer({ min: 0, max }))

const allowances: fc.Arbitrary<Allowance> = fc.record({
  limits: fc.record({
    requests_per_minute: limit(1_000_000),
    tokens_per_minute: limit(1_000_000_000_000),
    concurrent: limit(100_000)
  }),
  budget: fc.option(
    fc.record({
      amount: fc.tuple(fc.nat(99_999), fc.stringMatching(/^(\.\d{1,18})?$/u)).map(([units, part]) => `${units}${part}`),
      period: fc.constantFrom("day", "week", "month", "total"),
      alert_at: fc.uniqueArray(fc.integer({ min: 1, max: 1000 }), { maxLength: 10 })
    })
  )
})

/** What the server has after a change: of limits those left out stay, and the budget is replaced. */
const after = (before: Allowance, { budget, limits }: ReturnType<typeof changeOf>) => ({
  limits: { ...before.limits, ...limits },
  budget: budget === undefined ? before.budget : budget
})

describe("limits as they are typed", () => {
  it("what is typed is what the server has afterwards, whatever it had before", () => {
    fc.assert(
      fc.property(allowances, allowances, (before, wanted) => {
        assert.deepStrictEqual(after(before, changeOf(draftOf(before), draftOf(wanted))), wanted)
      })
    )
  })

  it("where nothing is changed nothing is sent", () => {
    fc.assert(fc.property(allowances, (held) => assert.deepStrictEqual(changeOf(draftOf(held), draftOf(held)), {})))
  })

  it("a field that was emptied takes the limit away, and one that was left alone is not sent", () => {
    const before = { ...UNLIMITED, requests_per_minute: "60", concurrent: "5" }
    assert.deepStrictEqual(changeOf(before, { ...before, requests_per_minute: " " }), {
      limits: { requests_per_minute: null }
    })
  })

  it("says what the plan allows beside each member that is above it, and nothing beside the others", () => {
    const error = new LlmSaasError("", {
      code: "limit_beyond_plan",
      status: 422,
      problem: {
        type: "",
        status: 422,
        title: "",
        detail: "",
        code: "limit_beyond_plan",
        members: ["concurrent", "budget"],
        plan: {
          limits: { requests_per_minute: 1, tokens_per_minute: 2, concurrent: 3 },
          budget: { amount: "4.50", period: "day", alert_at: [] }
        }
      }
    })
    assert.strictEqual(beyondPlan(error, "concurrent"), "Your plan allows at most 3 answers at once.")
    assert.strictEqual(beyondPlan(error, "budget"), "Your plan allows at most 4.50 US dollars a day.")
    assert.isUndefined(beyondPlan(error, "requests_per_minute"))
    assert.isUndefined(beyondPlan(undefined, "budget"))
  })
})
