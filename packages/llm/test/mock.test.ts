import { assert, describe, it } from "@effect/vitest"
import { ofTexts } from "@llm-saas/domain/ModelRequest"
import { Llm } from "@llm-saas/engine/generations/Llm"
import { MockLayer, type MockOptions } from "@llm-saas/llm/Mock"
import { Deferred, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"

const OPTIONS: MockOptions = {
  tokens: 30,
  ttftMs: 0,
  delayMs: 0,
  wishes: true,
  patienceMs: { firstToken: 60_000, silence: 30_000 }
}

const ASKING = { partition: "a tenant", attempt: () => {}, moment: () => 0 }

const ask = (content: string, options: Partial<MockOptions> = {}) =>
  Effect.gen(function* () {
    const llm = yield* Llm
    const said: Array<string> = []
    const result = yield* Effect.result(
      llm.generate(ofTexts(llm.defaultModel, [{ role: "user", content }]), (piece) => said.push(String(piece)), ASKING)
    )
    return { said, result }
  }).pipe(Effect.provide(MockLayer({ ...OPTIONS, ...options })))

describe("the mock model", () => {
  it.effect("gives the same answer to the same question, with the given number of tokens, and counts them", () =>
    Effect.gen(function* () {
      const first = yield* ask("What is LangChain?")
      assert.deepStrictEqual((yield* ask("What is LangChain?")).said, first.said)
      assert.notDeepEqual((yield* ask("What is a room?")).said, first.said)
      assert.strictEqual(first.said.length, 30)
      assert.match(first.said.join(""), /LangChain/u)
      if (first.result._tag === "Failure") return assert.fail("it failed")
      assert.deepStrictEqual(first.result.success.usage, { input: 5, output: 30 })
    })
  )

  it.effect("ends with a sentence, whatever its length", () =>
    Effect.gen(function* () {
      for (let tokens = 2; tokens < 120; tokens++) {
        const { said } = yield* ask(`What is LangChain, ${tokens}?`, { tokens })
        assert.strictEqual(said.length, tokens)
        assert.match(said.join(""), /[^.]\.$/u, String(tokens))
      }
    })
  )

  it.live("is not slower because its reader is busy: late tokens are sent at once", () =>
    Effect.gen(function* () {
      const llm = yield* Llm
      const turns: Array<number> = []
      let turn = 0
      yield* llm.generate(
        ofTexts(llm.defaultModel, [{ role: "user", content: "What is a room?" }]),
        () => {
          // Blocks for the time of five tokens, at the first one.
          for (const until = performance.now() + 50; turns.length === 0 && performance.now() < until;);
          turns.push(turn)
          queueMicrotask(() => turn++)
        },
        ASKING
      )
      assert.strictEqual(turns.length, 10)
      assert.isAtLeast(turns.filter((at) => at === turns[1]).length, 4)
    }).pipe(Effect.provide(MockLayer({ ...OPTIONS, tokens: 10, delayMs: 10 })))
  )

  it.effect("reproduces every failure of a model on request", () =>
    Effect.gen(function* () {
      const reasons: Array<unknown> = []
      for (const fault of ["before", "middle", "rate-limit", "no-usage"]) {
        const { result, said } = yield* ask(`[[mock {"tokens": 10, "fault": "${fault}"}]]`)
        reasons.push([said.length, result._tag === "Failure" ? result.failure.reason : result.success.usage])
      }
      assert.deepStrictEqual(reasons, [
        [0, "model_error"],
        [5, "model_cut"],
        [0, "model_rate_limited"],
        [10, undefined]
      ])
      assert.deepStrictEqual((yield* ask('[[mock {"say": ["data: x", "", "[DONE]"]}]]')).said, ["data: x", "[DONE]"])
    })
  )

  it.effect("treats a wish as text if wishes are off", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* ask('[[mock {"tokens": 1}]]', { wishes: false })).said.length, 30)
      assert.strictEqual((yield* ask('[[mock {"tokens": "one"}]]')).said.length, 30)
    })
  )

  it.effect("that falls silent fails after a while, before its first token or after it", () =>
    Effect.gen(function* () {
      for (const [fault, patience] of [
        ["hang", "60 seconds"],
        ["stall", "30 seconds"]
      ] as const) {
        const asking = yield* Effect.forkChild(ask(`[[mock {"tokens": 4, "fault": "${fault}"}]]`), {
          startImmediately: true
        })
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(() => setImmediate(resolve))))
        yield* TestClock.adjust(patience)
        const { result, said } = yield* Fiber.join(asking)
        assert.strictEqual(result._tag === "Failure" && result.failure.reason, "model_timeout")
        assert.strictEqual(said.length, fault === "hang" ? 0 : 2)
      }
    })
  )

  it.effect("emits nothing after an interruption", () =>
    Effect.gen(function* () {
      const llm = yield* Llm
      const started = yield* Deferred.make<void>()
      const said: Array<string> = []
      const fiber = yield* Effect.forkChild(
        llm.generate(
          ofTexts(llm.defaultModel, [{ role: "user", content: '[[mock {"fault": "stall"}]]' }]),
          (piece) => {
            said.push(String(piece))
            Deferred.doneUnsafe(started, Effect.void)
          },
          ASKING
        )
      )
      yield* Deferred.await(started)
      yield* Fiber.interrupt(fiber)
      const { length } = said
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      assert.strictEqual(said.length, length)
    }).pipe(Effect.provide(MockLayer(OPTIONS)))
  )
})
