import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { FairQueue } from "../src/auth/FairQueue.ts"

/** Takes everything there is. */
const drained = <A>(queue: FairQueue<A>) => {
  const taken: Array<A> = []
  for (let next = queue.take(); next !== undefined; next = queue.take()) taken.push(next)
  return taken
}
const times = (n: number, each: (i: number) => void) => {
  for (let i = 0; i < n; i++) each(i)
}
const flows = (client: string, target = client) => ({ client, target })

describe("a fair queue", () => {
  it("serves a client with nothing waiting next, whatever a flood has waiting", () => {
    const queue = new FairQueue<string>(1000)
    times(500, (i) => queue.add(`flood ${i}`, flows("flood")))
    assert.strictEqual(queue.take(), "flood 0")
    queue.add("one", flows("one"))
    queue.add("two", flows("two"))
    assert.deepStrictEqual([queue.take(), queue.take(), queue.take()], ["one", "two", "flood 1"])
  })

  it("serves a client next also at the target that another client floods", () => {
    const queue = new FairQueue<string>(40)
    times(60, (i) => queue.add(`flood ${i}`, flows("flood", "tenant")))
    for (let served = 0; served < 20; served++) {
      assert.notStrictEqual(queue.add(`own ${served}`, flows("quiet", "tenant")), `own ${served}`)
      assert.isTrue([queue.take(), queue.take()].includes(`own ${served}`))
      times(4, (i) => queue.add(`more ${served} ${i}`, flows("flood", "tenant")))
    }
  })

  it("makes a flood for one target from a thousand clients wait for itself, and no other target", () => {
    const queue = new FairQueue<string>(2000)
    times(1000, (i) => queue.add(`flood ${i}`, flows(`client ${i}`, "flooded")))
    queue.add("theirs", flows("quiet", "flooded"))
    times(3, (i) => queue.add(`office ${i}`, flows("office", "calm")))
    const order = drained(queue)
    assert.isBelow(order.indexOf("office 0"), 3)
    assert.isBelow(order.indexOf("office 2"), 8)
    assert.strictEqual(order.indexOf("theirs"), 1003)
  })

  it("takes turns between clients, in the order in which they came", () => {
    const queue = new FairQueue<string>(100)
    for (const flow of ["a", "b", "c"]) times(3, (i) => queue.add(`${flow}${i}`, flows(flow)))
    assert.deepStrictEqual(drained(queue), ["a0", "b0", "c0", "a1", "b1", "c1", "a2", "b2", "c2"])
  })

  it("is bounded: a flood that fills it pushes out its own, and others still come in", () => {
    const queue = new FairQueue<string>(10)
    times(10, (i) => assert.isUndefined(queue.add(`flood ${i}`, flows("flood"))))
    assert.strictEqual(queue.add("flood 10", flows("flood")), "flood 10")
    times(5, (i) => assert.strictEqual(queue.add(`other ${i}`, flows(`client ${i}`)), `flood ${9 - i}`))
    assert.strictEqual(queue.size, 10)
    // Nine others and one of the flood: one more item has none to push out.
    times(4, (i) => queue.add(`another ${i}`, flows(`client another ${i}`)))
    assert.strictEqual(queue.add("late", flows("late")), "late")
    assert.strictEqual(queue.size, 10)
  })

  it("forgets a client that has left, and gives no credit for earlier turns", () => {
    const queue = new FairQueue<string>(100)
    times(50, (i) => queue.add(`flood ${i}`, flows("flood")))
    times(50, (i) => queue.remove(`flood ${i}`))
    queue.add("flood again", flows("flood"))
    queue.add("other", flows("other"))
    assert.deepStrictEqual(drained(queue), ["flood again", "other"])
    assert.deepStrictEqual(queue.clear(), [])
  })

  it("loses and doubles nothing, and keeps a single item of a client and a target among the first", () => {
    const item = fc.record({ client: fc.constantFrom("a", "b", "c"), target: fc.constantFrom("x", "y") })
    fc.assert(
      fc.property(fc.array(item, { maxLength: 60 }), fc.integer({ min: 1, max: 40 }), (items, capacity) => {
        const queue = new FairQueue<number>(capacity)
        const dropped = items.flatMap((flow, i) => queue.add(i, flow) ?? [])
        const out = queue.add(-1, flows("quiet", "calm"))
        const order = drained(queue)
        assert.sameMembers([...order, ...dropped, ...(out === undefined ? [] : [out])], [...items.keys(), -1])
        // Three clients and two targets have turns before it at most.
        if (order.includes(-1)) assert.isBelow(order.indexOf(-1), 4)
        else assert.isBelow(capacity, 4)
      })
    )
  })
})
