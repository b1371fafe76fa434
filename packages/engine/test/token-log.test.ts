import { GenerationId } from "@llm-saas/domain/Generation"
import { Message } from "@llm-saas/domain/Message"
import { ReaderScheduler } from "@llm-saas/engine/generations/ReaderScheduler"
import { TokenLog, type GenerationEnd } from "@llm-saas/engine/generations/TokenLog"
import { Schema } from "effect"
import { randomUUID } from "node:crypto"
import { afterEach, assert, beforeEach, describe, it, vi } from "@effect/vitest"

const END: GenerationEnd = {
  ending: { status: "cancelled" },
  usage: undefined,
  message: Schema.decodeSync(Message)({
    id: randomUUID(),
    conversation_id: null,
    generation_id: null,
    user_id: randomUUID(),
    content: "Why?",
    response: null,
    model: null,
    status: "cancelled",
    finish_reason: null,
    failure: null,
    tokens_in: null,
    tokens_out: null,
    approx_tokens_in: null,
    approx_tokens_out: null,
    latency_ms: null,
    ttft_ms: null,
    created_at: "2026-01-01T00:00:00Z"
  })
}

/** Token logs with their first token, each with a reader, and the turns (ms) in which the readers were woken since. */
const read = (count: number, scheduler = new ReaderScheduler()) => {
  const wakes: Array<number> = []
  const tokenLogs = Array.from({ length: count }, () => {
    const tokenLog = new TokenLog(GenerationId.make(randomUUID()), scheduler)
    tokenLog.append(["first"])
    tokenLog.subscribe(() => wakes.push(Date.now()))
    return tokenLog
  })
  const started = Date.now()
  const turns = () => {
    const turns = new Map<number, number>()
    for (const at of wakes) turns.set(at - started, (turns.get(at - started) ?? 0) + 1)
    return turns
  }
  return { tokenLogs, wakes, turns }
}

describe("readers of token logs", () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.runAllTimers()
    vi.useRealTimers()
  })

  it("are woken at once for the first token and for the end", () => {
    const tokenLog = new TokenLog(GenerationId.make(randomUUID()), new ReaderScheduler())
    let woken = 0
    tokenLog.subscribe(() => woken++)
    tokenLog.append(["first"])
    assert.strictEqual(woken, 1)
    tokenLog.append(["second"])
    assert.strictEqual(woken, 1)
    tokenLog.end(END)
    assert.strictEqual(woken, 2)
    vi.runAllTimers()
    assert.strictEqual(woken, 2)
  })

  it("are woken within 5 ms when they are few, all in one turn", () => {
    const { tokenLogs, turns } = read(5)
    for (const tokenLog of tokenLogs) tokenLog.append(["a"])
    for (const tokenLog of tokenLogs) tokenLog.append(["b"])
    vi.advanceTimersByTime(5)
    assert.deepStrictEqual([...turns().values()], [5])
  })

  for (const count of [51, 200, 1000, 3000]) {
    it(`are woken within 85 ms when they are ${count}, a few per turn, longest waiting first`, () => {
      const { tokenLogs, turns, wakes } = read(count)
      const order: Array<number> = []
      for (const [index, tokenLog] of tokenLogs.entries()) tokenLog.subscribe(() => order.push(index))
      for (let burst = 1; burst <= 3; burst++) {
        order.length = 0
        for (const tokenLog of tokenLogs) tokenLog.append(["more"])
        vi.advanceTimersByTime(85)
        assert.strictEqual(wakes.length, count * burst)
        assert.deepStrictEqual(
          order,
          order.toSorted((a, b) => a - b)
        )
      }
      assert.isAtMost(Math.max(...turns().values()), Math.max(50, count / 20))
      assert.strictEqual(vi.getTimerCount(), 0)
    })
  }

  for (const count of [10, 60, 200, 1000]) {
    it(`are woken every 40 ms or so by one timer when they are ${count}, with tokens at any time`, () => {
      // A log that ends with unread tokens leaves its timer behind: there must be no second one.
      const scheduler = new ReaderScheduler()
      for (const tokenLog of read(3, scheduler).tokenLogs) {
        tokenLog.append(["last"])
        tokenLog.end(END)
      }
      const { tokenLogs, wakes } = read(count, scheduler)
      for (let ms = 0; ms < 2000; ms++) {
        // Each has a token every 20 ms.
        for (let index = ms % 20; index < count; index += 20) tokenLogs[index]?.append([`${ms}`])
        vi.advanceTimersByTime(1)
        assert.isAtMost(vi.getTimerCount(), 1)
      }
      const perSecond = wakes.length / count / 2
      assert.isAbove(perSecond, 20)
      assert.isBelow(perSecond, count < 50 ? 51 : 30)
    })
  }

  it("are woken even if another one throws", () => {
    const { tokenLogs, wakes } = read(3)
    tokenLogs[0]?.subscribe(() => {
      throw new Error("broken")
    })
    for (const tokenLog of tokenLogs) tokenLog.append(["more"])
    assert.throws(() => vi.runAllTimers(), "broken")
    vi.runAllTimers()
    assert.strictEqual(wakes.length, 3)
  })
})
