import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as fc from "fast-check"
import {
  ALERTS,
  type Allowance,
  type AllowanceChange,
  Amount,
  beyond,
  BudgetChoice,
  changed,
  isAtMost,
  isLimited,
  LimitsChange,
  NO_LIMITS
} from "../src/Limit.ts"

const isAmount = Schema.is(Amount)

/** Units of 10^-18 dollars, and the text of as many with `decimals` of them shown. */
const units = fc.bigInt({ min: 0n, max: 10n ** 30n - 1n })
const text = (value: bigint): string => {
  const digits = value.toString().padStart(19, "0")
  return `${digits.slice(0, -18)}.${digits.slice(-18)}`
}

const change = fc.record(
  {
    limits: fc.record(
      {
        requests_per_minute: fc.option(fc.nat({ max: 5 })),
        tokens_per_minute: fc.option(fc.nat({ max: 5 })),
        concurrent: fc.option(fc.nat({ max: 5 }))
      },
      { requiredKeys: [] }
    ),
    budget: fc.option(
      fc.record({
        amount: fc.constantFrom("0", "0.5", "0.50", "1", "10", "9.999999999999999999"),
        period: fc.constantFrom("day" as const, "week" as const, "month" as const, "total" as const)
      })
    )
  },
  { requiredKeys: [] }
)

const apply = (...changes: ReadonlyArray<AllowanceChange>): Allowance => changes.reduce(changed, NO_LIMITS)

/** An amount in its smallest unit: a number has too few digits for 18 decimals. */
const digits = (amount: string): bigint => {
  const [whole = "", decimals = ""] = amount.split(".")
  return BigInt(whole + decimals.padEnd(18, "0"))
}

describe("an amount", () => {
  it("is a decimal text, and nothing else", () => {
    for (const good of ["0", "0.5", "0.50", "12", "999999999999.999999999999999999"])
      assert.isTrue(isAmount(good), good)
    for (const bad of [
      "",
      "00",
      "01",
      ".5",
      "1.",
      "-1",
      "+1",
      "1e3",
      "1,5",
      " 1",
      "1000000000000",
      `0.${"0".repeat(19)}`
    ])
      assert.isFalse(isAmount(bad), bad)
    for (const bad of [0.5, 1, null, 1n]) assert.isFalse(isAmount(bad))
  })

  it("is compared to the last digit", () => {
    fc.assert(
      fc.property(units, units, (one, other) => {
        assert.isTrue(isAmount(text(one)))
        assert.strictEqual(isAtMost(text(one), text(other)), one <= other)
      })
    )
    assert.isTrue(isAtMost("0.5", "0.50"))
    assert.isTrue(isAtMost("0.50", "0.5"))
    assert.isFalse(isAtMost("999999999999.000000000000000001", "999999999999"))
  })
})

describe("a change of limits", () => {
  it("sets what it names, and leaves the rest", () => {
    fc.assert(
      fc.property(change, change, (before, next) => {
        const now = apply(before)
        const then = apply(before, next)
        for (const member of ["requests_per_minute", "tokens_per_minute", "concurrent"] as const)
          assert.strictEqual(
            then.limits[member],
            next.limits?.[member] === undefined ? now.limits[member] : next.limits[member]
          )
        if (next.budget === undefined) assert.deepStrictEqual(then.budget, now.budget)
        else if (next.budget === null) assert.isNull(then.budget)
        else assert.deepStrictEqual(then.budget, { ...next.budget, alert_at: ALERTS })
      })
    )
  })

  it("is never above the plan, once it is let through", () => {
    fc.assert(
      fc.property(change, change, (plans, wanted) => {
        const plan = apply(plans)
        const own = apply(wanted)
        const members = beyond(plan, wanted)
        for (const member of ["requests_per_minute", "tokens_per_minute", "concurrent"] as const) {
          const most = plan.limits[member]
          const much = own.limits[member]
          assert.strictEqual(members.includes(member), most !== null && much !== null && much > most)
        }
        const fits =
          plan.budget === null
          || own.budget === null
          || own.budget.period !== plan.budget.period
          || digits(own.budget.amount) <= digits(plan.budget.amount)
        assert.strictEqual(!members.includes("budget"), fits)
      })
    )
  })

  it("limits nothing when all is taken away", () => {
    assert.isFalse(isLimited(NO_LIMITS))
    const all = { requests_per_minute: 0, tokens_per_minute: 0, concurrent: 0 }
    assert.isTrue(isLimited(apply({ limits: all })))
    assert.isTrue(isLimited(apply({ budget: { amount: "0", period: "total" } })))
    const none = { requests_per_minute: null, tokens_per_minute: null, concurrent: null }
    assert.isFalse(
      isLimited(apply({ limits: all, budget: { amount: "1", period: "day" } }, { limits: none, budget: null }))
    )
  })

  it("takes whole numbers and decimal texts only", () => {
    const limits = Schema.is(LimitsChange)
    for (const good of [{}, { concurrent: null }, { requests_per_minute: 0 }, { tokens_per_minute: 1e12 }])
      assert.isTrue(limits(good), JSON.stringify(good))
    for (const bad of [{ concurrent: -1 }, { concurrent: 1.5 }, { concurrent: 100_001 }, { requests_per_minute: "60" }])
      assert.isFalse(limits(bad), JSON.stringify(bad))
    const budget = Schema.is(BudgetChoice)
    assert.isTrue(budget({ amount: "0.50", period: "day" }))
    assert.isTrue(budget({ amount: "0.50", period: "total", alert_at: [] }))
    for (const bad of [
      { amount: 0.5, period: "day" },
      { amount: "0.50", period: "year" },
      { amount: "0.50" },
      { amount: "0.50", period: "day", alert_at: [0] },
      { amount: "0.50", period: "day", alert_at: [50, 50] }
    ])
      assert.isFalse(budget(bad), JSON.stringify(bad))
  })
})
