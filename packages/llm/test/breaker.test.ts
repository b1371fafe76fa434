import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Breaker, type Pass } from "../src/Breaker.ts"

const enter = (breaker: Breaker, partition: string, now: number): Pass => {
  const pass = breaker.enter(partition, now)
  return typeof pass === "number" ? assert.fail(`${partition} is kept back for ${pass} ms`) : pass
}
const fails = (breaker: Breaker, partition: string, now: number, times = 1, wait?: number) => {
  for (let n = 0; n < times; n++) enter(breaker, partition, now).fail(now, wait)
}
/** Actions of any tenants' questions: enter, and settle in one of three ways now or later. */
const step = fc.record({
  tenant: fc.integer({ min: 0, max: 3 }),
  later: fc.integer({ min: 0, max: 40_000 }),
  end: fc.constantFrom("succeed", "fail", "fail", "fail", "release", "open"),
  wait: fc.option(fc.integer({ min: 0, max: 2_000_000 }), { nil: undefined })
})

const settle = (pass: Pass, end: string, now: number, wait: number | undefined) => {
  if (end === "succeed") pass.succeed(now)
  else if (end === "fail") pass.fail(now, wait)
  else pass.release()
}

describe("what is seen of it", () => {
  it("says for how long all questions wait, and how many tenants' alone do", () => {
    const breaker = new Breaker()
    assert.deepStrictEqual(breaker.look(0), { all: "closed", waitMs: undefined, tenants: 0 })
    fails(breaker, "a", 10_000, 5)
    assert.deepStrictEqual(breaker.look(10_000), { all: "closed", waitMs: undefined, tenants: 1 })
    fails(breaker, "b", 10_000, 2, 90_000)
    assert.deepStrictEqual(breaker.look(10_000), { all: "open", waitMs: 90_000, tenants: 1 })
    assert.deepStrictEqual(breaker.look(99_999), { all: "open", waitMs: 1, tenants: 1 })
    assert.deepStrictEqual(breaker.look(100_000), { all: "trying", waitMs: undefined, tenants: 1 })
    enter(breaker, "c", 100_000).succeed(100_000)
    assert.deepStrictEqual(breaker.look(100_000), { all: "closed", waitMs: undefined, tenants: 0 })
  })
})

describe("a tenant whose questions fail", () => {
  it("is kept back after five in a row, for longer each time, and probes with one question", () => {
    const breaker = new Breaker()
    fails(breaker, "a", 0, 5)
    let now = 0
    for (const pause of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      assert.strictEqual(breaker.enter("a", now), pause)
      assert.strictEqual(breaker.enter("a", now + pause - 1), 1)
      now += pause
      const probe = enter(breaker, "a", now)
      assert.strictEqual(breaker.enter("a", now), 1000)
      probe.fail(now)
    }
    enter(breaker, "a", now + 30_000).succeed(now + 30_000)
    fails(breaker, "a", now + 30_000, 4)
    enter(breaker, "a", now + 30_000).succeed(now + 30_000)
    enter(breaker, "a", now + 30_000)
  })

  it("is kept back as long as the provider asks for, ten minutes at most", () => {
    for (const [wait, pause] of [
      [90_000, 90_000],
      [1e15, 600_000]
    ] as const) {
      const breaker = new Breaker()
      fails(breaker, "a", 0, 5, wait)
      assert.strictEqual(breaker.enter("a", 0), pause)
    }
  })

  it("keeps no other tenant back, whatever its questions do and when", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const breaker = new Breaker()
        const open: Array<Pass> = []
        let now = 0
        for (const { end, later, wait } of steps) {
          now += later
          const pass = breaker.enter("attacker", now)
          if (typeof pass !== "number" && end === "open") open.push(pass)
          else if (typeof pass !== "number") settle(pass, end, now, wait)
          assert.isNotNumber(breaker.enter("another", now))
        }
      })
    )
  })

  it("keeps no other tenant back together with others, while any question is answered", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const breaker = new Breaker()
        let now = 0
        for (const { end, later, tenant, wait } of steps) {
          now += later % 2500
          const innocent = breaker.enter("innocent", now)
          assert.isNotNumber(innocent)
          if (typeof innocent !== "number") innocent.succeed(now)
          for (let n = 0; n < 4; n++) {
            const pass = breaker.enter(`attacker ${tenant + n}`, now + 2400)
            if (typeof pass !== "number") settle(pass, end, now + 2400, wait)
          }
          now += 2400
        }
      })
    )
  })
})

describe("a provider that fails for several tenants", () => {
  const broken = () => {
    const breaker = new Breaker()
    fails(breaker, "a", 0, 3)
    fails(breaker, "b", 0, 2)
    return breaker
  }

  it("gets no questions, then probes by a few tenants, one question each", () => {
    const breaker = broken()
    for (const tenant of ["a", "b", "c"]) assert.strictEqual(breaker.enter(tenant, 0), 1000)
    const probes = ["c", "d", "e"].map((tenant) => enter(breaker, tenant, 1000))
    for (const tenant of ["c", "f"]) assert.strictEqual(breaker.enter(tenant, 1000), 1000)
    assert.strictEqual(probes[0]?.succeed(1000), "closed for all")
    for (const tenant of ["a", "b", "c", "f"]) enter(breaker, tenant, 1000)
  })

  it("gets no questions for longer after failed probes of two tenants, and not of one", () => {
    const breaker = broken()
    const [c, d] = ["c", "d"].map((tenant) => enter(breaker, tenant, 1000))
    c?.fail(1000)
    assert.strictEqual(breaker.enter("c", 1000), 1000)
    enter(breaker, "e", 1000).release()
    d?.fail(1000)
    assert.strictEqual(breaker.enter("e", 1000), 2000)
  })

  it("is not one if a single tenant has most of the failures, or a question was answered a moment ago", () => {
    const breaker = new Breaker()
    fails(breaker, "a", 0, 5)
    fails(breaker, "b", 0, 1)
    enter(breaker, "c", 0)
    const busy = new Breaker()
    enter(busy, "c", 0).succeed(0)
    fails(busy, "a", 4999, 3)
    fails(busy, "b", 4999, 4)
    enter(busy, "c", 4999)
    fails(busy, "b", 5000, 1)
    assert.strictEqual(busy.enter("c", 5000), 1000)
  })

  it("lets every tenant ask again in the end, whatever happened", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const breaker = new Breaker()
        const open: Array<Pass> = []
        let now = 0
        for (const { end, later, tenant, wait } of steps) {
          now += later
          const pass = breaker.enter(`tenant ${tenant}`, now)
          if (typeof pass === "number") assert.isAbove(pass, 0)
          else if (end === "open") open.push(pass)
          else settle(pass, end, now, wait)
        }
        for (const pass of open) pass.release()
        now += 700_000
        for (const tenant of [0, 1, 2, 3]) {
          const pass = breaker.enter(`tenant ${tenant}`, now)
          assert.isNotNumber(pass)
          if (typeof pass !== "number") pass.release()
        }
      })
    )
  })

  it("is remembered in bounded space", () => {
    const breaker = new Breaker()
    enter(breaker, "somebody", 0).succeed(0)
    for (let n = 0; n < 30_000; n++) fails(breaker, `tenant ${n}`, 1)
    assert.isAtMost(breaker.size, 10_000)
  })

  it("counts each question's end once", () => {
    const breaker = new Breaker()
    const pass = enter(breaker, "a", 0)
    for (let n = 0; n < 9; n++) pass.fail(0)
    assert.isNotNumber(breaker.enter("a", 0))
  })
})
