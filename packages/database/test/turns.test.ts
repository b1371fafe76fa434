import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { type Turn, Turns } from "../src/connections/FairTurns.ts"

const turn = (line: string): Turn<string> => ({ line, taken: false })

/** Waits in the background; the order of `got` is the order in which turns were given. */
const waitFor = (turns: Turns<string>, wanted: Turn<string>, got: Array<string>) =>
  Effect.forkChild(
    Effect.map(turns.take(wanted, 60_000), () => void got.push(wanted.line)),
    { startImmediately: true }
  )

describe("turns", () => {
  it("of one line leave a quarter for others, of which each may have a first", () => {
    const turns = new Turns<string>(8)
    const taken = Array.from({ length: 8 }, () => turn("a")).filter((each) => turns.tryTake(each))
    assert.strictEqual(taken.length, 6)
    const others = ["b", "c", "d"].map(turn)
    assert.deepStrictEqual(
      others.map((each) => turns.tryTake(each)),
      [true, true, false]
    )
    assert.strictEqual(turns.held, 8)
    for (const each of [...taken, ...others]) turns.give(each)
    assert.strictEqual(turns.held, 0)
  })

  it("can be as few as one", () => {
    const turns = new Turns<string>(1)
    const [first, second] = [turn("a"), turn("a")]
    assert.deepStrictEqual([turns.tryTake(first), turns.tryTake(second)], [true, false])
    turns.give(first)
    assert.isTrue(turns.tryTake(second))
  })

  it.effect("that become free go around the lines, however many wait in one", () =>
    Effect.gen(function* () {
      const turns = new Turns<string>(1)
      const held = turn("x")
      turns.tryTake(held)
      const got: Array<string> = []
      const wanted = ["a", "a", "a", "b", "b", "c"].map(turn)
      for (const each of wanted) yield* waitFor(turns, each, got)
      assert.strictEqual(turns.waiting, 6)
      assert.strictEqual(turns.waitingIn("a"), 3)
      turns.give(held)
      for (let round = 0; round < 6; round++) {
        yield* Effect.yieldNow
        const holder = wanted.find(({ taken }) => taken)
        if (holder !== undefined) turns.give(holder)
      }
      assert.deepStrictEqual(got, ["a", "b", "c", "a", "b", "a"])
      assert.deepStrictEqual([turns.held, turns.waiting], [0, 0])
    })
  )

  it.live("are waited for no longer than is allowed, and not afterwards", () =>
    Effect.gen(function* () {
      const turns = new Turns<string>(1)
      const [held, late] = [turn("x"), turn("a")]
      turns.tryTake(held)
      assert.isFalse(yield* turns.take(late, 20))
      assert.deepStrictEqual([turns.waiting, late.taken], [0, false])
      turns.give(held)
      assert.isTrue(yield* turns.take(late, 20))
    })
  )

  it.effect("are not kept by an interrupted fiber, before or after they were given", () =>
    Effect.gen(function* () {
      const turns = new Turns<string>(1)
      const [held, left, given] = [turn("x"), turn("a"), turn("b")]
      turns.tryTake(held)
      const leaving = yield* waitFor(turns, left, [])
      yield* Fiber.interrupt(leaving)
      assert.deepStrictEqual([turns.waiting, left.taken], [0, false])
      const late = yield* waitFor(turns, given, [])
      turns.give(held)
      yield* Fiber.interrupt(late)
      // The waiter knows that it has the turn, and returns it.
      assert.isTrue(given.taken)
      turns.give(given)
      turns.give(given)
      assert.strictEqual(turns.held, 0)
    })
  )
})
