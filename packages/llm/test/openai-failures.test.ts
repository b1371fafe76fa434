import { assert, describe, it } from "@effect/vitest"
import { OpenAiLayer } from "@llm-saas/llm/OpenAi"
import {
  chunk,
  DONE,
  event,
  FakeUpstream,
  type UpstreamCall,
  layer as FakeUpstreamLayer
} from "@llm-saas/testing/FakeUpstream"
import { Effect, Logger } from "effect"
import { TestClock } from "effect/testing"
import { createServer } from "node:net"
import { OPTIONS, ask, next, withUpstream, failedWith, listening } from "./AskedProvider.ts"

describe("a provider that fails", () => {
  it.effect("is understood by its status, and its text is dropped", () =>
    Effect.gen(function* () {
      const found: Array<unknown> = []
      for (const status of [401, 403, 400, 404, 422, 413, 429, 408, 500, 502, 503, 504, 529, 301, 204])
        found.push([status, ...(yield* failedWith((call) => call.refuse(status, '{"error":{"message":"hunter2"}}')))])
      const reasons = {
        model_unauthorized: [401, 403],
        model_rejected: [400, 404, 422],
        context_too_long: [413],
        model_rate_limited: [429],
        model_timeout: [408],
        model_error: [500, 502, 503, 504, 529],
        model_malformed: [301, 204]
      }
      assert.deepStrictEqual(
        found,
        Object.entries(reasons).flatMap(([reason, statuses]) =>
          statuses.map((status) => [status, reason, undefined, ""])
        )
      )
    })
  )

  it.effect("says when to retry: in seconds, in milliseconds, or as a date", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.parse("2026-11-24T22:00:00Z"))
      const found: Array<unknown> = []
      const headers = [
        { "retry-after": "7" },
        { "retry-after": "0" },
        { "retry-after-ms": "1200", "retry-after": "9" },
        { "retry-after": "Tue, 24 Nov 2026 22:01:30 GMT" },
        { "retry-after": "Tue, 24 Nov 2026 21:00:00 GMT" },
        { "retry-after": "999999999" },
        { "retry-after": "soon" },
        { "retry-after": "-5" }
      ]
      for (const each of headers) found.push((yield* failedWith((call) => call.refuse(429, "", each)))[1])
      assert.deepStrictEqual(found, [7, 1, 2, 90, 1, 86_400, undefined, undefined])
      assert.deepStrictEqual(yield* failedWith((call) => call.refuse(503, "", { "retry-after": "3" })), [
        "model_error",
        3,
        ""
      ])
    })
  )

  it.effect("sends an invalid answer", () =>
    Effect.gen(function* () {
      const page = "<!doctype html><h1>Sign in to the café's network</h1>"
      const ways = [
        (call: UpstreamCall) => call.refuse(200, page, { "content-type": "text/html" }),
        (call: UpstreamCall) => call.refuse(200, page),
        (call: UpstreamCall) => call.refuse(200, '{"choices":[]}', { "content-type": "application/json" }),
        (call: UpstreamCall) => {
          call.head()
          call.end("data: {garbage\n\n")
        },
        (call: UpstreamCall) => {
          call.head()
          call.end('data: "text"\n\n')
        },
        (call: UpstreamCall) => {
          call.head()
          call.write(`data: ${"x".repeat(4_100_000)}`)
        }
      ]
      for (const way of ways) assert.deepStrictEqual(yield* failedWith(way), ["model_malformed", undefined, ""])
      const late = yield* failedWith((call) => {
        call.head()
        call.say("so", " far")
        call.end("data: {garbage\n\n")
      })
      assert.deepStrictEqual(late, ["model_malformed", undefined, "so far"])
    })
  )

  it.effect("uses another protocol than HTTP", () =>
    Effect.gen(function* () {
      const server = createServer((socket) => {
        // After the request was read: a connection closed before is reset, and what was said on it lost.
        socket.on("error", () => {}).once("data", () => socket.end("SSH-2.0-OpenSSH_9.9\r\n"))
      })
      const port = yield* listening(server)
      const failure = yield* Effect.provide(
        Effect.flatMap(ask(), (asking) => asking.failure),
        OpenAiLayer({ ...OPTIONS, baseUrl: `http://127.0.0.1:${port}`, retries: 0 })
      )
      assert.strictEqual(failure.reason, "model_malformed")
    }).pipe(Effect.provide(Logger.layer([])), Effect.scoped)
  )

  it.effect("ends the connection in the middle, orderly or abruptly", () =>
    Effect.gen(function* () {
      const ends = [
        (call: UpstreamCall) => call.end(),
        (call: UpstreamCall) => call.cut(),
        (call: UpstreamCall) => call.reset()
      ]
      for (const end of ends) {
        const asking = yield* ask()
        const call = yield* next
        call.head()
        call.say("so", " far")
        yield* asking.heard(2)
        end(call)
        assert.strictEqual((yield* asking.failure).reason, "model_cut")
        assert.deepStrictEqual(asking.said, ["so", " far"])
      }
      // With two tries left: no text is emitted twice.
      assert.strictEqual((yield* FakeUpstream).asked(), 3)
    }).pipe(withUpstream({ retries: 2 }))
  )

  it.effect("fails in the middle and says so", () =>
    Effect.gen(function* () {
      const errors = [
        [event({ error: { message: "hunter2" } }), "model_error"],
        [event({ error: "hunter2" }), "model_error"],
        [event({ error: { code: 429 } }), "model_rate_limited"],
        [event({ error: { code: "rate_limit_exceeded" } }), "model_rate_limited"],
        [event({ error: { code: "400" } }), "model_rejected"],
        [chunk({ delta: {}, finish_reason: "error" }), "model_error"]
      ] as const
      for (const [bytes, reason] of errors) {
        const failed = yield* failedWith((call) => {
          call.head()
          call.say("so far")
          call.end(bytes + DONE)
        })
        assert.deepStrictEqual(failed, [reason, undefined, "so far"])
      }
    })
  )

  it.effect("is not available: connection refused, unknown name, connection closed before an answer", () =>
    Effect.gen(function* () {
      const server = createServer()
      const port = yield* listening(server)
      yield* Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
      for (const baseUrl of [
        `http://127.0.0.1:${port}/v1`,
        "http://nobody.invalid/v1",
        `https://127.0.0.1:${port}/v1`
      ]) {
        const asking = yield* Effect.provide(ask(), OpenAiLayer({ ...OPTIONS, baseUrl, retries: 0 }))
        assert.strictEqual((yield* asking.failure).reason, "model_unavailable", baseUrl)
      }
      for (const end of [(call: UpstreamCall) => call.cut(), (call: UpstreamCall) => call.reset()])
        assert.deepStrictEqual(yield* failedWith(end), ["model_unavailable", undefined, ""])
    }).pipe(Effect.provide(Logger.layer([])), Effect.scoped)
  )

  it.effect("redirects, and the target does not get our key", () =>
    Effect.gen(function* () {
      const elsewhere = yield* FakeUpstream
      for (const status of [301, 302, 307, 308]) {
        const failed = yield* failedWith((call) =>
          call.refuse(status, "", { location: `${elsewhere.url}/chat/completions` })
        )
        assert.strictEqual(failed[0], "model_malformed")
      }
      assert.strictEqual(elsewhere.connections(), 0)
    }).pipe(Effect.provide(FakeUpstreamLayer, { local: true }))
  )

  it.effect("leaves no text of its own and not our key in the log", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make(({ message, cause }) => void lines.push(JSON.stringify([message, cause])))
      const test = Effect.gen(function* () {
        const asking = yield* ask()
        ;(yield* next).refuse(401, '{"error":{"message":"hunter2 sk-very-secret"}}')
        yield* asking.result
      })
      const { url } = yield* FakeUpstream
      yield* test.pipe(
        Effect.provide(OpenAiLayer({ ...OPTIONS, baseUrl: url })),
        Effect.provide(Logger.layer([logger]))
      )
      assert.match(lines.join("\n"), /model_unauthorized/u)
      assert.notMatch(lines.join("\n"), /hunter2|secret/u)
    }).pipe(Effect.provide(FakeUpstreamLayer))
  )
})
