import { GenerationId } from "@llm-saas/domain/Generation"
import { Tape } from "@llm-saas/engine/Tape"
import { randomUUID } from "node:crypto"
import { afterEach, assert, beforeEach, describe, it, vi } from "@effect/vitest"

/** Tapes that have their first token, each with a reader, and in which turns (ms) the readers were woken since. */
const read = (count: number) => {
  const wakes: Array<number> = []
  const tapes = Array.from({ length: count }, () => {
    const tape = new Tape(GenerationId.make(randomUUID()))
    tape.append(["first"])
    tape.subscribe(() => wakes.push(Date.now()))
    return tape
  })
  const started = Date.now()
  const turns = () => {
    const turns = new Map<number, number>()
    for (const at of wakes) turns.set(at - started, (turns.get(at - started) ?? 0) + 1)
    return turns
  }
  return { tapes, wakes, turns }
}

describe("readers of tapes", () => {
  beforeEach(() => {
    vi.useFakeTimers()
    // What was there before: how long a wait is depends on how many were read last.
    const { tapes } = read(1)
    for (const tape of tapes) tape.append(["more"])
    vi.runAllTimers()
  })
  afterEach(() => {
    vi.runAllTimers()
    vi.useRealTimers()
  })

  it("hear of the first token and of the end at once", () => {
    const tape = new Tape(GenerationId.make(randomUUID()))
    let woken = 0
    tape.subscribe(() => woken++)
    tape.append(["first"])
    assert.strictEqual(woken, 1)
    tape.append(["second"])
    assert.strictEqual(woken, 1)
  })

  it("few as they are hear of more within 5 ms, all in one turn", () => {
    const { tapes, turns } = read(5)
    for (const tape of tapes) tape.append(["a"])
    for (const tape of tapes) tape.append(["b"])
    vi.advanceTimersByTime(5)
    assert.deepStrictEqual([...turns().values()], [5])
  })

  it("many as they are hear of more within 50 ms, a few in each turn, those first who wait longest", () => {
    const { tapes, turns, wakes } = read(1000)
    const order: Array<number> = []
    for (const [index, tape] of tapes.entries()) {
      tape.subscribe(() => order.push(index))
      tape.append(["more"])
    }
    vi.advanceTimersByTime(50)
    assert.strictEqual(wakes.length, 1000)
    assert.isAtMost(Math.max(...turns().values()), 60)
    assert.deepStrictEqual(
      order,
      order.toSorted((a, b) => a - b)
    )
    vi.advanceTimersByTime(1000)
    assert.strictEqual(wakes.length, 1000)
    assert.strictEqual(vi.getTimerCount(), 0)
  })

  it("are woken as often as something comes, however many there are", () => {
    const { tapes, wakes } = read(200)
    // A token of each every 20 ms, for 2 s.
    for (let beat = 0; beat < 100; beat++) {
      for (const tape of tapes) tape.append([`${beat}`])
      vi.advanceTimersByTime(20)
    }
    // Every 40 ms or so.
    assert.isAbove(wakes.length, 200 * 30)
    assert.isBelow(wakes.length, 200 * 70)
  })
})
