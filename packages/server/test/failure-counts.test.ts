import { assert, describe, it } from "@effect/vitest"
import { FailureCounts } from "../src/auth/FailureCounts.ts"
import { AgingMap } from "../src/auth/AgingMap.ts"

const WINDOW = 1000
const fail = (counts: FailureCounts, key: string, now: number) => {
  const attempt = counts.attempt([{ key, limit: 3 }], now)
  if ("end" in attempt) attempt.end(true, now)
  return attempt
}

describe("counts of failures", () => {
  it("take bounded memory under a hundred thousand keys, and keep the latest", () => {
    const counts = new FailureCounts({ windowMs: WINDOW, capacity: 1000 })
    for (let i = 0; i < 100_000; i++) fail(counts, `key ${i}`, 0)
    assert.isAtMost(counts.size, 2000)
    assert.strictEqual(counts.level("key 99999", 0), 1)
  })

  it("are forgotten after two windows in which nothing was heard of them", () => {
    const counts = new FailureCounts({ windowMs: WINDOW, capacity: 1000 })
    for (let i = 0; i < 500; i++) fail(counts, `key ${i}`, 0)
    fail(counts, "later", 2 * WINDOW)
    assert.strictEqual(counts.size, 1)
  })

  it("leave no attempt uncounted when many are under way", () => {
    const counts = new FailureCounts({ windowMs: WINDOW, capacity: 1000 })
    const attempts = Array.from({ length: 5 }, () => counts.attempt([{ key: "a", limit: 3 }], 0))
    assert.deepStrictEqual(
      attempts.map((each) => "end" in each),
      [true, true, true, false, false]
    )
    // Two were successes: they make room.
    for (const [i, each] of attempts.entries()) if ("end" in each) each.end(i === 0, 0)
    assert.strictEqual(counts.level("a", 0), 1)
    assert.deepStrictEqual(
      Array.from({ length: 3 }, () => "end" in fail(counts, "a", 0)),
      [true, true, false]
    )
  })

  it("are spent on no key when one of them is full", () => {
    const counts = new FailureCounts({ windowMs: WINDOW, capacity: 1000 })
    for (let i = 0; i < 3; i++) fail(counts, "full", 0)
    assert.property(
      counts.attempt(
        [
          { key: "empty", limit: 3 },
          { key: "full", limit: 3 }
        ],
        0
      ),
      "waitMs"
    )
    assert.strictEqual(counts.size, 1)
  })
})

describe("what is remembered for a while", () => {
  it("lasts a lifetime at least, and two at most", () => {
    const remembered = new AgingMap<string, number>({ lifetimeMs: 100, capacity: 10 })
    remembered.set("a", 1, 0)
    remembered.set("b", 2, 99)
    remembered.set("c", 3, 100)
    assert.deepStrictEqual(
      ["a", "b", "c"].map((key) => remembered.get(key)),
      [1, 2, 3]
    )
    remembered.set("d", 4, 200)
    assert.deepStrictEqual(
      ["a", "b", "c", "d"].map((key) => remembered.get(key)),
      [undefined, undefined, 3, 4]
    )
    remembered.set("c", 5, 210)
    assert.strictEqual(remembered.get("c"), 5)
    assert.strictEqual(remembered.size, 2)
  })

  it("is bounded however much comes at once", () => {
    const remembered = new AgingMap<number, number>({ lifetimeMs: 100, capacity: 10 })
    for (let i = 0; i < 1000; i++) {
      remembered.set(i, i, 0)
      assert.isAtMost(remembered.size, 20)
      assert.strictEqual(remembered.get(i), i)
      if (i >= 9) assert.strictEqual(remembered.get(i - 9), i - 9)
    }
  })
})
