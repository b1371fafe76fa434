import fc from "fast-check"
import { assert, describe, it } from "vitest"
import { choiceOf, draftOf } from "../src/pages/operator/planDraft.ts"

const isThere = (part: object) => Object.keys(part).length > 0

const name = fc.stringMatching(/^[a-z0-9][a-z0-9 ./-]{0,20}[a-z0-9]$/u)
const amount = fc.stringMatching(/^(?:0|[1-9]\d{0,8})(?:\.\d{1,9})?$/u)
const limits = fc.record(
  { requests_per_minute: fc.nat(), tokens_per_minute: fc.nat(), concurrent: fc.nat() },
  { requiredKeys: [] }
)
const budget = fc.record({
  amount,
  period: fc.constantFrom("day" as const, "week", "month", "total"),
  alert_at: fc.uniqueArray(fc.integer({ min: 1, max: 100 }), { maxLength: 3 })
})
const part = fc.record({ limits: limits.filter(isThere), budget }, { requiredKeys: [] }).filter(isThere)
const plan = fc.record({
  name,
  markup: amount,
  content_days_at_most: fc.option(fc.nat(36_500)),
  models: fc.option(fc.uniqueArray(name, { maxLength: 4 })),
  limits: fc.record(
    {
      tenant: part,
      user: part,
      key: part,
      models: fc.dictionary(name, fc.record({ limits }), { minKeys: 1, maxKeys: 3, noNullPrototype: true })
    },
    { requiredKeys: [] }
  )
})

describe("a plan that is opened", () => {
  it("and saved as it is stays as it is, whatever it says", () => {
    fc.assert(
      fc.property(plan, (plan) => {
        assert.deepStrictEqual(choiceOf(draftOf(plan)), plan)
      }),
      { numRuns: 500 }
    )
  })
})
