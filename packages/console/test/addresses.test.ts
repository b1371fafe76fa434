import fc from "fast-check"
import { assert, describe, it } from "vitest"
import { auditSearch, queryOf } from "../src/pages/oversight/auditSearch.ts"
import { searched, usageSearch } from "../src/pages/usage/search.ts"
import { isDay, length, MOST_DAYS } from "../src/pages/usage/period.ts"

// An address bar is typed into by anybody: whatever stands there, the server is asked for something that it answers.

const TODAY = "2026-11-30"
const day = fc.constantFrom("2026-11-01", "2026-11-30", "2026-02-30", "2020-01-01", "", "x")
const id = fc.constantFrom("01a22a9e-7ea3-734f-b0ef-04e72f4bf6a5", "1", "../x", "")
const anything = fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.array(fc.string()), fc.object())
const either = (known: fc.Arbitrary<string>) => fc.oneof(known, anything)

describe("what an address says", () => {
  it("of usage is days in order, at most a year of them, and a group that there is", () => {
    const search = fc.record(
      {
        period: either(fc.constantFrom("month", "7d", "30d", "last-month", "own")),
        from: either(day),
        to: either(day),
        by: either(fc.constantFrom("model", "user", "key", "door")),
        scope: either(fc.constantFrom("own", "tenant"))
      },
      { requiredKeys: [] }
    )
    fc.assert(
      fc.property(search, (search) => {
        const read = usageSearch(search)
        const { days } = searched(read, TODAY)
        assert.isTrue(isDay(days.from) && isDay(days.to) && days.from <= days.to)
        assert.isAtMost(length(days), MOST_DAYS)
        assert.include([undefined, "user", "key", "door"], read.by)
        // What it became is read as the same again.
        assert.deepStrictEqual(usageSearch({ ...read }), read)
      })
    )
  })

  it("of the audit log is what the server takes, or is not there", () => {
    const search = fc.record(
      {
        type: either(fc.constantFrom("key.created", "session.", "Key", "key.created.", "drop table")),
        actor: either(id),
        subject: either(id),
        from: either(day),
        to: either(day)
      },
      { requiredKeys: [] }
    )
    fc.assert(
      fc.property(search, (search) => {
        const read = auditSearch(search)
        const { actor, from, subject, to, type } = queryOf(read)
        for (const each of [actor, subject])
          assert.match(each ?? "01a22a9e-7ea3-734f-b0ef-04e72f4bf6a5", /^[0-9a-f-]{36}$/iu)
        for (const each of [from, to]) assert.isFalse(Number.isNaN(Date.parse(each ?? TODAY)))
        assert.match(type ?? "a", /^[a-z_.]+$/u)
        assert.deepStrictEqual(auditSearch({ ...read }), read)
      })
    )
  })

  it("of the audit log has both of its days whole", () => {
    assert.deepStrictEqual(queryOf({ from: "2026-11-01", to: "2026-11-30" }), {
      from: "2026-11-01T00:00:00Z",
      to: "2026-12-01T00:00:00Z"
    })
  })
})
