import { GenerationId } from "@llm-saas/domain/Generation"
import { Message } from "@llm-saas/domain/Message"
import { type Loop, ReaderScheduler } from "@llm-saas/engine/generations/ReaderScheduler"
import { TokenLog, type GenerationEnd } from "@llm-saas/engine/generations/TokenLog"
import { Schema } from "effect"
import { randomUUID } from "node:crypto"
import { afterEach, assert, beforeEach, describe, it, vi } from "@effect/vitest"

const END: GenerationEnd = {
  ending: { status: "cancelled" },
  usage: undefined,
  model: undefined,
  message: Schema.decodeSync(Message)({
    id: randomUUID(),
    conversation_id: null,
    generation_id: null,
    user_id: randomUUID(),
    content: "Why?",
    response: null,
    tool_calls: null,
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

/** An event loop that has time. */
const idle: Loop = { now: () => performance.now(), load: () => 0 }

/** Token logs with their first token, each with a reader, and the turns (ms) in which the readers were woken since. */
const read = (count: number, scheduler = new ReaderScheduler(idle)) => {
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
    const tokenLog = new TokenLog(GenerationId.make(randomUUID()), new ReaderScheduler(idle))
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

  for (const count of [1, 5, 50, 200]) {
    it(`are woken in the turn in which a token came, once each, while the loop has time (${count})`, () => {
      const { tokenLogs, turns, wakes } = read(count)
      for (let ms = 20; ms <= 200; ms += 20) {
        vi.advanceTimersByTime(20)
        for (const tokenLog of tokenLogs) tokenLog.append(["a"])
        for (const tokenLog of tokenLogs) tokenLog.append(["b"])
        vi.advanceTimersByTime(0)
        assert.strictEqual(turns().get(ms), count)
      }
      assert.strictEqual(wakes.length, count * 10)
    })
  }

  it("of a model that says 2,000 tokens a second are woken at most every 2 ms, and a stranger's at once", () => {
    const scheduler = new ReaderScheduler(idle)
    const { tokenLogs, wakes } = read(1, scheduler)
    const firsts: Array<number> = []
    for (let ms = 0; ms < 1000; ms++) {
      for (let half = 0; half < 2; half++) for (const tokenLog of tokenLogs) tokenLog.append(["fast"])
      const stranger = new TokenLog(GenerationId.make(randomUUID()), scheduler)
      stranger.subscribe(() => firsts.push(ms))
      stranger.append(["first"])
      assert.strictEqual(firsts.length, ms + 1)
      vi.advanceTimersByTime(1)
      assert.isAtMost(vi.getTimerCount(), 1)
    }
    assert.isAtMost(wakes.length, 501)
    assert.isAtLeast(wakes.length, 300)
  })

  it("wait up to 40 ms while they keep the loop behind, no longer than that, and not for the load of others", () => {
    let [load, cost_ms, spent_ms] = [1, 0.1, 0]
    const scheduler = new ReaderScheduler({ now: () => performance.now() + spent_ms, load: () => load })
    const { tokenLogs, wakes } = read(100, scheduler)
    for (const tokenLog of tokenLogs) tokenLog.subscribe(() => void (spent_ms += cost_ms))
    /** How often each was woken in a second, with a token every 20 ms. */
    const second = () => {
      const before = wakes.length
      for (let ms = 0; ms < 1000; ms++) {
        for (let index = ms % 20; index < 100; index += 20) tokenLogs[index]?.append([`${ms}`])
        vi.advanceTimersByTime(1)
        assert.isAtMost(vi.getTimerCount(), 1)
      }
      return (wakes.length - before) / 100
    }
    second()
    const behind = second()
    assert.isAtLeast(behind, 22)
    assert.isAtMost(behind, 36)
    let woken = 0
    const stranger = new TokenLog(GenerationId.make(randomUUID()), scheduler)
    stranger.subscribe(() => woken++)
    stranger.append(["first"])
    assert.strictEqual(woken, 1)
    cost_ms = 0.01
    second()
    assert.isAtLeast(second(), 49)
    cost_ms = 0.1
    second()
    assert.isAtMost(second(), 36)
    load = 0.3
    second()
    assert.isAtLeast(second(), 49)
  })

  it("take a millisecond of a turn together, longest waiting first, and a slow one delays nobody for more than its own time", () => {
    let now = 0
    const scheduler = new ReaderScheduler({ ...idle, now: () => now })
    const { tokenLogs } = read(200, scheduler)
    const order: Array<number> = []
    let began = 0
    let latest = 0
    for (const [index, tokenLog] of tokenLogs.entries())
      tokenLog.subscribe(() => {
        order.push(index)
        latest = now - began
        // The third one takes 5 ms, each other a twentieth of one.
        now += index === 2 ? 5 : 0.05
      })
    for (const tokenLog of tokenLogs) tokenLog.append(["more"])
    const beginnings: Array<number> = []
    while (vi.getTimerCount() > 0) {
      began = now
      vi.advanceTimersToNextTimer()
      beginnings.push(latest)
    }
    assert.deepStrictEqual(
      order,
      Array.from({ length: 200 }, (_, index) => index)
    )
    // The slow one's turn ends with the eight logs after which the clock is read; the others a millisecond after they began, or by the next eight.
    assert.isAtMost(beginnings[0] ?? 0, 5.4)
    assert.isAtMost(Math.max(...beginnings.slice(1)), 1.4)
    assert.isAtLeast(beginnings.length, 8)
  })

  it("that have more in a round wait for the next one: nobody is woken twice in it", () => {
    let now = 0
    const scheduler = new ReaderScheduler({ ...idle, now: () => now })
    const { tokenLogs } = read(100, scheduler)
    const order: Array<number> = []
    for (const [index, tokenLog] of tokenLogs.entries())
      tokenLog.subscribe(() => {
        order.push(index)
        now += 0.1
        if (order.length <= 100) tokenLog.append(["again"])
      })
    for (const tokenLog of tokenLogs) tokenLog.append(["more"])
    vi.runAllTimers()
    const once = Array.from({ length: 100 }, (_, index) => index)
    assert.deepStrictEqual(order, [...once, ...once])
  })

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
