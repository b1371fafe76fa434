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
import { Effect, Result } from "effect"
import { OPTIONS, KEY, QUESTION, ask, next, withUpstream, answered } from "./AskedProvider.ts"

describe("a question to a provider", () => {
  it.effect("has the text, the model and its limits, our key, and nothing about the user or tenant", () =>
    Effect.gen(function* () {
      yield* ask()
      const call = yield* next
      assert.deepStrictEqual([call.method, call.path], ["POST", "/v1/chat/completions"])
      assert.deepStrictEqual(JSON.parse(call.body), {
        model: "fake-1",
        messages: QUESTION,
        stream: true,
        stream_options: { include_usage: true },
        max_tokens: 100,
        temperature: 0.5
      })
      const length = String(Buffer.byteLength(call.body))
      assert.deepStrictEqual(call.headers, {
        host: new URL((yield* FakeUpstream).url).host,
        "content-length": length,
        accept: "text/event-stream",
        "accept-encoding": "identity",
        "user-agent": "llm-saas",
        authorization: `Bearer ${KEY}`,
        "content-type": "application/json",
        connection: "keep-alive"
      })
    }).pipe(withUpstream())
  )

  it.effect("has no key if none is set", () =>
    Effect.gen(function* () {
      yield* ask()
      assert.notProperty((yield* next).headers, "authorization")
    }).pipe(withUpstream({ apiKey: undefined }))
  )

  it.effect("goes to Azure's deployment, with Azure's header and version", () =>
    Effect.gen(function* () {
      const { next, url } = yield* FakeUpstream
      const azure = (baseUrl: string) =>
        Effect.scoped(
          Effect.gen(function* () {
            yield* ask()
            return yield* next
          }).pipe(
            Effect.provide(OpenAiLayer({ ...OPTIONS, baseUrl, model: "my gpt", azureApiVersion: "2024-10-21" }), {
              local: true
            })
          )
        )
      for (const base of [new URL(url).origin, `${new URL(url).origin}/openai`]) {
        const call = yield* azure(base)
        assert.strictEqual(call.path, "/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21")
        assert.strictEqual(call.headers["api-key"], KEY)
        assert.notProperty(call.headers, "authorization")
      }
    }).pipe(Effect.provide(FakeUpstreamLayer))
  )

  it.effect("is cancelled by closing its connection, before the answer and in the middle of it", () =>
    Effect.gen(function* () {
      const before = yield* ask()
      const unanswered = yield* next
      yield* before.stop
      yield* unanswered.closed
      const headed = yield* ask()
      const empty = yield* next
      empty.head()
      yield* headed.stop
      yield* empty.closed
      const middle = yield* ask()
      const call = yield* next
      call.head()
      call.say("one", " two")
      yield* middle.heard(2)
      yield* middle.stop
      yield* call.closed
      assert.deepStrictEqual(middle.said, ["one", " two"])
    }).pipe(withUpstream())
  )

  it.effect("uses an open connection, and a new one if the provider closed it", () =>
    Effect.gen(function* () {
      const upstream = yield* FakeUpstream
      const once = Effect.gen(function* () {
        const asking = yield* ask()
        const call = yield* next
        call.head()
        call.say("yes")
        call.finish()
        yield* asking.completion
        // The answer is whole with its last event; the connection is free when the response has ended.
        yield* Effect.callback<void>((resume) => void setTimeout(() => resume(Effect.void)))
        return call
      })
      yield* once
      const second = yield* once
      assert.strictEqual(upstream.connections(), 1)
      // Closed without notice: the question is sent on a dead connection.
      const asking = yield* ask()
      const third = yield* next
      assert.strictEqual(upstream.connections(), 1)
      third.reset()
      const fourth = yield* next
      assert.strictEqual(upstream.connections(), 2)
      fourth.head()
      fourth.say("again")
      fourth.finish()
      yield* asking.completion
      assert.deepStrictEqual(asking.said, ["again"])
      yield* second.closed
    }).pipe(withUpstream({ retries: 0 }))
  )
})

describe("an answer", () => {
  it.effect("is passed on piece by piece", () =>
    Effect.gen(function* () {
      const asking = yield* ask()
      const call = yield* next
      call.head()
      call.write(chunk({ delta: { role: "assistant", content: "" }, finish_reason: null }))
      call.say("A")
      yield* asking.heard(1)
      call.say(" room", " is")
      yield* asking.heard(3)
      call.finish("stop", { input: 12, output: 3 })
      assert.deepStrictEqual(yield* asking.completion, {
        finishReason: "stop",
        usage: { input: 12, output: 3 },
        model: "fake-1-2026-01-01"
      })
      assert.deepStrictEqual(asking.said, ["A", " room", " is"])
    }).pipe(withUpstream())
  )

  it.effect("ends for the reason the provider gives", () =>
    Effect.gen(function* () {
      const reasons: Array<unknown> = []
      for (const reason of ["stop", "length", "content_filter", "tool_calls", "function_call", "eos", "tired"]) {
        const { result } = yield* answered((call) => {
          call.head()
          call.say("text")
          call.finish(reason)
        })
        reasons.push(Result.isSuccess(result) && result.success.finishReason)
      }
      assert.deepStrictEqual(reasons, ["stop", "length", "content_filter", "tool_calls", "tool_calls", "stop", "other"])
    })
  )

  it.effect("is whole without [DONE], without usage, and when the connection breaks after its end", () =>
    Effect.gen(function* () {
      const last = chunk({ delta: { content: "all" }, finish_reason: "stop" })
      const ways = [
        (call: UpstreamCall) => call.end(last),
        (call: UpstreamCall) => call.end(last.trimEnd() + "\n\ndata: [DONE]"),
        (call: UpstreamCall) => {
          call.write(last)
          call.cut()
        }
      ]
      for (const way of ways) {
        const { result, said } = yield* answered((call) => {
          call.head()
          way(call)
        })
        assert.isTrue(Result.isSuccess(result))
        assert.deepStrictEqual(said, ["all"])
      }
    })
  )

  it.effect("arrives whole when the bytes of its characters are cut by packets", () =>
    Effect.gen(function* () {
      const text = "naïve 🏠 房间 👩‍👩‍👧"
      const asking = yield* ask()
      const call = yield* next
      call.head()
      const bytes = Buffer.from(chunk({ delta: { content: text }, finish_reason: "stop" }) + DONE)
      // Bytes written in separate turns of the event loop are mostly separate packets.
      for (const byte of bytes) {
        call.write(Buffer.of(byte))
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      }
      yield* asking.completion
      assert.deepStrictEqual(asking.said, [text])
    }).pipe(withUpstream())
  )

  it.effect("may have unknown fields, comments, other events, thoughts, and no choices", () =>
    Effect.gen(function* () {
      const { result, said } = yield* answered((call) => {
        call.head()
        call.write("\ufeff: welcome\n\nid: 7\nretry: 10\nevent: ping\n\n: OPENROUTER PROCESSING\n\n")
        call.write(event({ choices: [], prompt_filter_results: [{}], model: "" }))
        call.write(chunk({ delta: { reasoning_content: "hmm" } }))
        call.write(chunk({ delta: { content: null, refusal: "No." } }))
        call.write(event({ object: "something.else" }))
        call.write(event({ choices: [{ delta: null }], usage: { prompt_tokens: -1, completion_tokens: "3" } }))
        call.finish()
      })
      assert.deepStrictEqual(said, ["No."])
      assert.isTrue(Result.isSuccess(result) && result.success.usage === undefined)
    })
  )

  it.effect("may be one piece of a megabyte", () =>
    Effect.gen(function* () {
      const text = "room ".repeat(200_000)
      const { said } = yield* answered((call) => {
        call.head()
        call.say(text)
        call.finish()
      })
      assert.isTrue(said.join("") === text)
    })
  )
})
