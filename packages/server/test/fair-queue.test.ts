import { assert, describe, it } from "@effect/vitest"
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

describe("a fair queue", () => {
  it("lets one who has nothing waiting come next, whatever a flood has waiting", () => {
    const queue = new FairQueue<string>(1000)
    times(500, (i) => queue.add(`flood ${i}`, ["client flood"]))
    assert.strictEqual(queue.take(), "flood 0")
    queue.add("one", ["client one"])
    queue.add("two", ["client two"])
    assert.deepStrictEqual([queue.take(), queue.take(), queue.take()], ["flood 1", "one", "two"])
  })

  it("is fair by every flow: a flood for one tenant from a thousand clients, too", () => {
    const queue = new FairQueue<string>(2000)
    times(1000, (i) => queue.add(`flood ${i}`, [`client ${i}`, "target flooded"]))
    queue.add("theirs", ["client quiet", "target flooded"])
    queue.add("elsewhere", ["client calm", "target calm"])
    const order = drained(queue)
    assert.isBelow(order.indexOf("elsewhere"), 2)
    assert.strictEqual(order.indexOf("theirs"), 1001)
  })

  it("takes turns between flows, in the order in which they came", () => {
    const queue = new FairQueue<string>(100)
    for (const flow of ["a", "b", "c"]) times(3, (i) => queue.add(`${flow}${i}`, [flow]))
    assert.deepStrictEqual(drained(queue), ["a0", "b0", "c0", "a1", "b1", "c1", "a2", "b2", "c2"])
  })

  it("is bounded: a flood that fills it pushes out its own, and others still come in", () => {
    const queue = new FairQueue<string>(10)
    times(10, (i) => assert.isUndefined(queue.add(`flood ${i}`, ["client flood"])))
    assert.strictEqual(queue.add("flood 10", ["client flood"]), "flood 10")
    times(5, (i) => assert.strictEqual(queue.add(`other ${i}`, [`client ${i}`]), `flood ${9 - i}`))
    assert.strictEqual(queue.size, 10)
    // Nine others and one of the flood: one more item has none to push out.
    times(4, (i) => queue.add(`another ${i}`, [`client another ${i}`]))
    assert.strictEqual(queue.add("late", ["client late"]), "late")
    assert.strictEqual(queue.size, 10)
  })

  it("forgets a flow that has left, and gives no credit for earlier turns", () => {
    const queue = new FairQueue<string>(100)
    times(50, (i) => queue.add(`flood ${i}`, ["client flood"]))
    times(50, (i) => queue.remove(`flood ${i}`))
    queue.add("flood again", ["client flood"])
    queue.add("other", ["client other"])
    assert.deepStrictEqual(drained(queue), ["flood again", "other"])
    assert.deepStrictEqual(queue.clear(), [])
  })
})
