import { assert, describe, it } from "@effect/vitest"
import { Dependencies } from "@llm-saas/domain/Dependency"
import { FakeUpstream } from "@llm-saas/testing/FakeUpstream"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { QUESTION, ask, next, Log, withUpstream } from "./AskedProvider.ts"

describe("a provider that is broken", () => {
  const fail = Effect.gen(function* () {
    const asking = yield* ask()
    ;(yield* next).refuse(500)
    return yield* asking.failure
  })

  it.effect("gets no questions for a while, then one probe, and all of them after its answer", () =>
    Effect.gen(function* () {
      const upstream = yield* FakeUpstream
      for (let n = 0; n < 5; n++) assert.strictEqual((yield* fail).reason, "model_error")
      const asking = yield* ask()
      const refused = yield* asking.failure
      assert.deepStrictEqual([refused.reason, refused.retryAfter], ["model_unavailable", 1])
      assert.strictEqual(upstream.asked(), 5)
      yield* TestClock.adjust(1000)
      const probe = yield* ask()
      const call = yield* next
      const meanwhile = yield* (yield* ask()).failure
      assert.deepStrictEqual([meanwhile.reason, meanwhile.retryAfter], ["model_unavailable", 1])
      call.head()
      call.say("I am")
      yield* probe.heard(1)
      // The first token is enough: others need not wait for the last.
      yield* Effect.yieldNow
      const other = yield* ask()
      const another = yield* next
      another.head()
      another.say("back")
      another.finish()
      yield* other.completion
      call.finish()
      yield* probe.completion
    }).pipe(withUpstream({ retries: 0 }))
  )

  it.effect("gets no questions for longer each time, and as long as it asks for", () =>
    Effect.gen(function* () {
      for (let n = 0; n < 5; n++) yield* fail
      yield* TestClock.adjust(1000)
      yield* fail
      assert.strictEqual((yield* (yield* ask()).failure).retryAfter, 2)
      yield* TestClock.adjust(2000)
      const asking = yield* ask()
      ;(yield* next).refuse(429, "", { "retry-after": "90" })
      yield* asking.failure
      assert.strictEqual((yield* (yield* ask()).failure).retryAfter, 90)
    }).pipe(withUpstream({ retries: 0 }))
  )

  it.effect("for one tenant's questions is available for another's; for several tenants', for none", () =>
    Effect.gen(function* () {
      const upstream = yield* FakeUpstream
      const failing = Effect.fnUntraced(function* (tenant: string) {
        const asking = yield* ask(QUESTION, tenant)
        ;(yield* next).refuse(500)
        return (yield* asking.failure).reason
      })
      const refused = Effect.fnUntraced(function* (tenant: string) {
        const { reason, retryAfter } = yield* (yield* ask(QUESTION, tenant)).failure
        return [reason, retryAfter]
      })
      for (let n = 0; n < 5; n++) yield* failing("one")
      assert.deepStrictEqual(yield* refused("one"), ["model_unavailable", 1])
      assert.strictEqual(upstream.asked(), 5)
      assert.strictEqual(yield* failing("another"), "model_error")
      assert.strictEqual(yield* failing("another"), "model_error")
      // All clients get the same answer, whichever tenant's questions failed.
      for (const tenant of ["one", "another", "a third"])
        assert.deepStrictEqual(yield* refused(tenant), ["model_unavailable", 1])
      assert.strictEqual(upstream.asked(), 7)
      yield* TestClock.adjust(1000)
      const asking = yield* ask(QUESTION, "a third")
      const call = yield* next
      call.head()
      call.say("back")
      call.finish()
      yield* asking.completion
      assert.strictEqual(yield* failing("one"), "model_error")
      const { lines } = yield* Log
      assert.strictEqual(lines.filter((line) => line.includes("no tenant's questions")).length, 1)
      assert.strictEqual(lines.filter((line) => line.includes("answers again")).length, 1)
      for (const tenant of ["one", "another", "a third"]) assert.notInclude(lines.join(""), `"${tenant}"`)
    }).pipe(withUpstream({ retries: 0 }))
  )

  it.effect("is an outage if no question is answered: logged once with its cause, and once when it is over", () =>
    Effect.gen(function* () {
      for (let n = 0; n < 5; n++) yield* fail
      for (const tenant of ["b", "c", "d"]) {
        const asking = yield* ask(QUESTION, tenant)
        if (tenant === "d") assert.strictEqual((yield* asking.failure).reason, "model_unavailable")
        else {
          ;(yield* next).refuse(503)
          yield* asking.failure
        }
      }
      yield* TestClock.adjust(30_000)
      const well = yield* ask()
      const call = yield* next
      call.head()
      call.say("yes")
      call.finish()
      yield* well.completion
      const { lines } = yield* Log
      const outages = lines.filter((line) => line.includes("The model's provider is "))
      assert.strictEqual(outages.length, 2)
      assert.include(outages[0], "is not available: model_error 500")
      assert.include(outages[1], "available again, after 30.0 s and 3 failures")
    }).pipe(withUpstream({ retries: 0 }), Effect.provideService(Dependencies, new Map()))
  )

  it.effect("is named in the log once for each cause, until it answers", () =>
    Effect.gen(function* () {
      const warnings = Effect.map(
        Log,
        ({ lines }) => lines.filter((line) => line.startsWith("Warn") && line.includes("provider failed")).length
      )
      for (const tenant of ["a", "b", "c"]) {
        const asking = yield* ask(QUESTION, tenant)
        ;(yield* next).refuse(500)
        yield* asking.failure
      }
      assert.strictEqual(yield* warnings, 1)
      const well = yield* ask()
      const call = yield* next
      call.head()
      call.say("yes")
      call.finish()
      yield* well.completion
      yield* fail
      assert.strictEqual(yield* warnings, 2)
    }).pipe(withUpstream({ retries: 0 }))
  )

  it.effect("is not broken because of refused or cancelled questions", () =>
    Effect.gen(function* () {
      for (let n = 0; n < 10; n++) {
        const refused = yield* ask()
        const filtered = '{"error":{"code":"content_filter"}}'
        ;(yield* next).refuse(n % 2 === 0 ? 400 : 401, n % 4 === 0 ? filtered : "")
        yield* refused.failure
        const stopped = yield* ask()
        yield* next
        yield* stopped.stop
      }
      assert.strictEqual((yield* fail).reason, "model_error")
    }).pipe(withUpstream({ retries: 0 }))
  )
})
