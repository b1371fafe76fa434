import { assert, describe, it } from "vitest"
import fc from "fast-check"
import { addDays, before, daysOf, eachDay, isDay, length, type Period, wrongDays } from "../src/pages/usage/period.ts"
import { change } from "../src/pages/usage/change.ts"

const day = fc
  .date({ min: new Date("1971-01-01T00:00:00Z"), max: new Date("2998-12-30T00:00:00Z"), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10))
const chosen = fc
  .tuple(day, fc.integer({ min: 0, max: 365 }))
  .map(([from, more]) => ({ from, to: addDays(from, more) }))
const moving = fc.constantFrom<Period>("7d", "30d", "own")

const NONE = { from: "", to: "" }
const lastOf = (month: string) =>
  new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5, 7)), 0)).getUTCDate()

describe("the period before", () => {
  it("is as long as the period and ends on the day before it, for days that are no month", () => {
    fc.assert(
      fc.property(moving, day, chosen, (period, now, own) => {
        const days = daysOf(period, now, own)
        const earlier = before(period, days)
        assert.strictEqual(addDays(earlier.to, 1), days.from)
        assert.strictEqual(length(earlier), length(days))
      })
    )
  })

  it("of a month so far is the same days of the month before, or all of it where that is shorter", () => {
    fc.assert(
      fc.property(day, (now) => {
        const days = daysOf("month", now, NONE)
        const earlier = before("month", days)
        assert.deepStrictEqual(days, { from: `${now.slice(0, 7)}-01`, to: now })
        assert.strictEqual(earlier.from.slice(8), "01")
        assert.strictEqual(earlier.from.slice(0, 7), earlier.to.slice(0, 7))
        assert.strictEqual(addDays(days.from, -1).slice(0, 7), earlier.from.slice(0, 7))
        assert.strictEqual(
          Number(earlier.to.slice(8)),
          Math.min(Number(now.slice(8)), lastOf(earlier.from.slice(0, 7)))
        )
      })
    )
  })

  it("of the last month is the whole month before it", () => {
    fc.assert(
      fc.property(day, (now) => {
        const days = daysOf("last-month", now, NONE)
        const earlier = before("last-month", days)
        for (const each of [days, earlier])
          assert.deepStrictEqual([each.from.slice(8), Number(each.to.slice(8))], ["01", lastOf(each.from.slice(0, 7))])
        assert.strictEqual(addDays(days.to, 1), `${now.slice(0, 7)}-01`)
        assert.strictEqual(addDays(earlier.to, 1), days.from)
      })
    )
  })

  it("is right at the ends of months and years", () => {
    const at = (period: Period, now: string) => before(period, daysOf(period, now, NONE))
    assert.deepStrictEqual(at("month", "2027-03-31"), { from: "2027-02-01", to: "2027-02-28" })
    assert.deepStrictEqual(at("month", "2028-03-29"), { from: "2028-02-01", to: "2028-02-29" })
    assert.deepStrictEqual(at("month", "2027-01-01"), { from: "2026-12-01", to: "2026-12-01" })
    assert.deepStrictEqual(at("month", "2027-02-28"), { from: "2027-01-01", to: "2027-01-28" })
    assert.deepStrictEqual(at("last-month", "2027-01-15"), { from: "2026-11-01", to: "2026-11-30" })
    assert.deepStrictEqual(at("7d", "2027-03-03"), { from: "2027-02-18", to: "2027-02-24" })
  })
})

describe("days", () => {
  it("are those of the calendar, each once and in order", () => {
    fc.assert(
      fc.property(chosen, (days) => {
        const all = eachDay(days)
        assert.strictEqual(all.length, length(days))
        assert.deepStrictEqual([all[0], all.at(-1)], [days.from, days.to])
        assert.deepStrictEqual([...new Set(all)].toSorted(), all)
        assert.isTrue(all.every(isDay))
        assert.isUndefined(wrongDays(days))
      })
    )
    for (const text of [
      "2027-02-29",
      "1969-12-31",
      "9999-12-31",
      "0001-01-01",
      "2027-13-01",
      "2027-1-1",
      "",
      "27-01-01",
      "2027-01-01T00:00:00Z"
    ])
      assert.isFalse(isDay(text), text)
  })

  it("that a person chose in the wrong order, or too many of them, are said to be so", () => {
    assert.isString(wrongDays({ from: "2027-01-02", to: "2027-01-01" }))
    assert.isString(wrongDays({ from: "2027-01-01", to: "2028-01-02" }))
    assert.isString(wrongDays({ from: "2027-01-01", to: "" }))
  })
})

describe("a change", () => {
  it("is said in percent of the number before, and not at all where that is none", () => {
    assert.match(change(112, 100) ?? "", /^\+12\s?%$/u)
    assert.match(change(50, 100) ?? "", /^-50\s?%$/u)
    assert.match(change(100.5, 100) ?? "", /^\+0[.,]5\s?%$/u)
    for (const [now, earlier] of [
      [1, 0],
      [null, 1],
      [1, null]
    ] as const)
      assert.isUndefined(change(now, earlier))
  })
})
