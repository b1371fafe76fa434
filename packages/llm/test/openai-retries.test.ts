import { assert, describe, it } from "@effect/vitest"
import { OpenAiLayer } from "@llm-saas/llm/OpenAi"
import { chunk, DONE, event, FakeUpstream, type UpstreamCall } from "@llm-saas/testing/FakeUpstream"
import { Deferred, Effect } from "effect"
import { TestClock } from "effect/testing"
import { createServer } from "node:net"
import { OPTIONS, LogLayer, QUESTION, ask, next, logged, withUpstream, listening } from "./AskedProvider.ts"

describe("time", () => {
  it.effect("to connect is limited, and a second connection is tried", () =>
    Effect.gen(function* () {
      const connections: Array<Deferred.Deferred<void>> = [Deferred.makeUnsafe(), Deferred.makeUnsafe()]
      let made = 0
      // Accepts the connection, and never sends TLS.
      const server = createServer((socket) => {
        socket.on("error", () => {})
        const connection = connections[made++]
        if (connection !== undefined) Deferred.doneUnsafe(connection, Effect.void)
      })
      const port = yield* listening(server)
      yield* Effect.gen(function* () {
        const asking = yield* ask()
        for (const connection of connections) {
          yield* Deferred.await(connection)
          yield* TestClock.adjust(10_000)
          yield* logged("model_timeout")
          yield* TestClock.adjust(300)
        }
        assert.strictEqual((yield* asking.failure).reason, "model_timeout")
        assert.strictEqual(made, 2)
      }).pipe(Effect.provide(OpenAiLayer({ ...OPTIONS, baseUrl: `https://127.0.0.1:${port}/v1`, retries: 1 })))
    }).pipe(Effect.provide(LogLayer), Effect.scoped)
  )

  it.effect(
    "until the first part of the answer is limited, before the head and after it, and the connection is closed",
    () =>
      Effect.gen(function* () {
        for (const head of [false, true]) {
          const asking = yield* ask()
          const call = yield* next
          if (head) {
            call.head()
            call.write(chunk({ delta: { role: "assistant", content: "" } }))
          }
          yield* TestClock.adjust(59_999)
          call.write(": still there\n\n")
          yield* TestClock.adjust(1)
          assert.strictEqual((yield* asking.failure).reason, "model_timeout")
          yield* call.closed
        }
        // After a wait of a minute there is no retry.
        assert.strictEqual((yield* FakeUpstream).asked(), 2)
      }).pipe(withUpstream())
  )

  it.effect("between two pieces is limited; a slow answer that goes on is not", () =>
    Effect.gen(function* () {
      const asking = yield* ask()
      const call = yield* next
      call.head()
      for (let piece = 1; piece <= 5; piece++) {
        call.say("drip")
        yield* asking.heard(piece)
        yield* TestClock.adjust(29_000)
      }
      call.write(": a comment is no answer\n\n")
      yield* TestClock.adjust(1000)
      assert.strictEqual((yield* asking.failure).reason, "model_timeout")
      assert.strictEqual(asking.said.length, 5)
      yield* call.closed
    }).pipe(withUpstream())
  )

  it.effect("for the whole answer is limited, even if it is never silent", () =>
    Effect.gen(function* () {
      const asking = yield* ask()
      const call = yield* next
      call.head()
      for (let piece = 1; piece <= 30; piece++) {
        call.say("and")
        yield* asking.heard(piece)
        yield* TestClock.adjust(20_000)
      }
      assert.strictEqual((yield* asking.failure).reason, "model_timeout")
      yield* call.closed
    }).pipe(withUpstream())
  )
})

describe("asking again", () => {
  it.effect("happens after a temporary failure, a little later each time, and then the answer is like any other", () =>
    Effect.gen(function* () {
      const asking = yield* ask()
      ;(yield* next).refuse(503)
      yield* logged("failed")
      yield* TestClock.adjust(199)
      assert.strictEqual((yield* FakeUpstream).asked(), 1)
      yield* TestClock.adjust(101)
      ;(yield* next).refuse(502)
      yield* logged("failed")
      yield* TestClock.adjust(399)
      assert.strictEqual((yield* FakeUpstream).asked(), 2)
      yield* TestClock.adjust(201)
      const call = yield* next
      call.head()
      call.say("at last")
      call.finish()
      assert.strictEqual((yield* asking.completion).finishReason, "stop")
      assert.deepStrictEqual(asking.said, ["at last"])
    }).pipe(withUpstream())
  )

  it.effect("happens after every temporary failure, as long as nothing was shown", () =>
    Effect.gen(function* () {
      const ways = [
        (call: UpstreamCall) => call.end(DONE),
        (call: UpstreamCall) => call.end(),
        (call: UpstreamCall) => call.end(chunk({ delta: { content: "" }, finish_reason: "" })),
        (call: UpstreamCall) => call.end(chunk({ delta: {}, finish_reason: "null" }) + DONE),
        (call: UpstreamCall) => call.end(event({ error: { message: "overloaded" } })),
        (call: UpstreamCall) => call.end(`event: error\ndata: overloaded\n\n`),
        (call: UpstreamCall) => call.end(event({ choices: [{ delta: {}, error: { code: 502 } }] })),
        (call: UpstreamCall) => call.end(event({ object: "error", code: 503 })),
        (call: UpstreamCall) => call.end('{"error":{"message":"overloaded","code":529}}'),
        (call: UpstreamCall) => call.end('{"choices":[{"message":{"content":"A roo'),
        // Thoughts are not shown.
        (call: UpstreamCall) => call.end(chunk({ delta: { reasoning_content: "hm" } })),
        (call: UpstreamCall) => {
          call.write(chunk({ delta: { reasoning_content: "hm" } }))
          call.cut()
        }
      ]
      for (const way of ways) {
        const asking = yield* ask()
        const call = yield* next
        call.head()
        way(call)
        yield* logged("failed")
        yield* TestClock.adjust(300)
        const again = yield* next
        again.head()
        again.say("A room.")
        again.finish()
        assert.strictEqual((yield* asking.completion).finishReason, "stop")
        assert.deepStrictEqual(asking.said, ["A room."])
      }
      const shown = yield* ask()
      const call = yield* next
      call.head()
      call.say("A")
      yield* shown.heard(1)
      call.end(event({ error: { message: "overloaded" } }))
      assert.strictEqual((yield* shown.failure).reason, "model_error")
      assert.strictEqual((yield* FakeUpstream).asked(), 2 * ways.length + 1)
    }).pipe(withUpstream({ retries: 1 }))
  )

  it.effect("is given up after some tries", () =>
    Effect.gen(function* () {
      const asking = yield* ask()
      for (let n = 0; n < 3; n++) {
        ;(yield* next).refuse(500)
        yield* logged("failed")
        yield* TestClock.adjust(2000)
      }
      assert.strictEqual((yield* asking.failure).reason, "model_error")
      assert.strictEqual((yield* FakeUpstream).asked(), 3)
    }).pipe(withUpstream())
  )

  it.effect("waits as long as the provider asks for, and not at all if that is too long", () =>
    Effect.gen(function* () {
      const asking = yield* ask()
      ;(yield* next).refuse(429, "", { "retry-after": "4" })
      yield* logged("failed")
      yield* TestClock.adjust(4000)
      assert.strictEqual((yield* FakeUpstream).asked(), 1)
      yield* TestClock.adjust(500)
      ;(yield* next).refuse(429, "", { "retry-after": "30" })
      const failure = yield* asking.failure
      assert.deepStrictEqual([failure.reason, failure.retryAfter], ["model_rate_limited", 30])
    }).pipe(withUpstream())
  )

  it.effect("does not happen if it cannot help", () =>
    Effect.gen(function* () {
      for (const status of [400, 401, 403, 404, 422, 501]) {
        const asking = yield* ask()
        ;(yield* next).refuse(status)
        yield* asking.failure
      }
      const asking = yield* ask()
      ;(yield* next).refuse(429, '{"error":{"code":"insufficient_quota"}}')
      assert.strictEqual((yield* asking.failure).reason, "model_rate_limited")
      assert.strictEqual((yield* FakeUpstream).asked(), 7)
    }).pipe(withUpstream())
  )

  it.effect("happens at once without a parameter that the server refuses, which is not sent again", () =>
    Effect.gen(function* () {
      const asking = yield* ask()
      ;(yield* next).refuse(
        400,
        '{"error":{"message":"Unsupported parameter: \'max_tokens\'. Use \'max_completion_tokens\' instead."}}'
      )
      ;(yield* next).refuse(400, '{"error":{"message":"\'temperature\' does not support 0.5 with this model."}}')
      ;(yield* next).refuse(
        422,
        "{\"object\":\"error\",\"message\":\"[{'loc': ('body', 'stream_options'), 'msg': 'extra fields'}]\"}"
      )
      const call = yield* next
      const learned = { model: "fake-1", messages: QUESTION, stream: true, max_completion_tokens: 100 }
      assert.deepStrictEqual(JSON.parse(call.body), learned)
      call.head()
      call.say("fine")
      call.finish()
      yield* asking.completion
      yield* ask()
      assert.deepStrictEqual(JSON.parse((yield* next).body), learned)
    }).pipe(withUpstream({ retries: 0 }))
  )
})
