import { assert, layer } from "@effect/vitest"
import * as FakeUpstream from "@llm-saas/testing/FakeUpstream"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Fiber, Layer } from "effect"
import { signUp } from "../People.ts"
import { Running, running } from "../Running.ts"
import { sendTo } from "../sse/Reading.ts"

// The doors on a running server, with a provider that the test is.

const Program = Layer.effect(
  Running,
  Effect.flatMap(FakeUpstream.FakeUpstream, ({ url }) =>
    running({
      OPENAI_BASE_URL: url,
      OPENAI_API_KEY: "sk-test-0123456789abcdef",
      LLM_MODEL: "fake-1",
      LLM_RETRIES: "0",
      STREAM_GRACE_SECONDS: "0"
    })
  )
).pipe(Layer.provideMerge(Layer.merge(FakeUpstream.layer, TestDatabase.layer)))

const BODIES = {
  "/v1/chat/completions": { model: "fake-1", messages: [{ role: "user", content: "What?" }], stream: true },
  "/v1/messages": { model: "fake-1", max_tokens: 50, messages: [{ role: "user", content: "What?" }], stream: true }
}
const PATHS = ["/v1/chat/completions", "/v1/messages"] as const

/** Asks for a stream, and takes the question at the provider. */
const ask = Effect.fnUntraced(function* (path: (typeof PATHS)[number], token: string, more: object = {}) {
  const { port } = yield* Running
  const fiber = yield* Effect.forkScoped(sendTo(port, "POST", path, { token, json: { ...BODIES[path], ...more } }))
  const upstream = yield* FakeUpstream.FakeUpstream
  return { call: yield* upstream.next, answer: Fiber.join(fiber) }
})

layer(Program, { timeout: "120 seconds" })("doors before a provider", (it) => {
  it.effect("give the request up when the client hangs up", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { token } = yield* signUp(send)
      for (const path of PATHS) {
        for (const stream of [true, false]) {
          const { answer, call } = yield* ask(path, token, { stream })
          call.head()
          call.say("one", " two")
          if (stream) {
            const reading = yield* answer
            yield* reading.until((text) => text.includes("two"))
            reading.leave()
            yield* call.closed
          } else call.finish()
        }
      }
    }).pipe(Effect.scoped)
  )

  it.effect("tell of a cut in their own form, and a client cannot take it for an end", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { token } = yield* signUp(send)
      for (const path of PATHS) {
        const { answer, call } = yield* ask(path, token)
        call.head()
        call.say("one", " two")
        const reading = yield* answer
        yield* reading.until((text) => text.includes("two"))
        call.cut()
        const { text, whole } = yield* reading.end
        assert.isTrue(whole)
        for (const end of ["[DONE]", "message_stop", "/problems/"]) assert.notInclude(text, end)
        const last = JSON.parse(text.trimEnd().split("data: ").at(-1) ?? "{}")
        assert.isString(last.error.message, text)
      }
    }).pipe(Effect.scoped)
  )

  it.effect("begin a stream whose answer takes long, and tell its failure by an event then", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { token } = yield* signUp(send)
      for (const path of PATHS) {
        const { answer, call } = yield* ask(path, token)
        // The head comes without a token.
        const reading = yield* answer
        assert.strictEqual(reading.status, 200)
        yield* reading.until((text) => text.startsWith(": keep-alive\n"))
        call.refuse(500, "the provider's own words")
        const { text } = yield* reading.end
        assert.notInclude(text, "the provider's own words")
        const last = JSON.parse(text.trimEnd().split("data: ").at(-1) ?? "{}")
        assert.strictEqual(last.error.type, path === "/v1/messages" ? "api_error" : "server_error")
      }
    }).pipe(Effect.scoped)
  )

  it.effect("tell a refusal by its status, and what may be tried again", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { token } = yield* signUp(send)
      const cases = [
        [401, {}, 502, "false", undefined],
        [429, { "retry-after": "9" }, 503, undefined, "9"],
        [500, {}, 502, undefined, undefined]
      ] as const
      for (const path of PATHS) {
        for (const stream of [true, false]) {
          for (const [status, headers, ours, retry, after] of cases) {
            const { answer, call } = yield* ask(path, token, { stream })
            call.refuse(status, "secret words", headers)
            const reading = yield* answer
            assert.deepStrictEqual(
              [reading.status, reading.headers["x-should-retry"], reading.headers["retry-after"]],
              [ours, retry, after],
              `${path} ${status}`
            )
            assert.notInclude((yield* reading.end).text, "secret words")
            // An answer keeps the circuit closed.
            const next = yield* ask(path, token)
            next.call.head()
            next.call.finish()
            yield* (yield* next.answer).end
          }
        }
      }
    }).pipe(Effect.scoped)
  )
})
