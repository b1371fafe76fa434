import { assert, describe, it } from "@effect/vitest"
import { Dependencies } from "@llm-saas/domain/Dependency"
import { type Completion, Llm, type LlmFailed, type Prompt } from "@llm-saas/engine/generations/Llm"
import { OpenAiLayer, type OpenAiOptions } from "@llm-saas/llm/OpenAi"
import {
  chunk,
  DONE,
  event,
  FakeUpstream,
  layer as FakeUpstreamLayer,
  type UpstreamCall
} from "@llm-saas/testing/FakeUpstream"
import {
  Context,
  Deferred,
  Effect,
  Fiber,
  Layer,
  Logger,
  Queue,
  Redacted,
  References,
  Result,
  type Scope
} from "effect"
import { TestClock } from "effect/testing"
import { createServer } from "node:net"
import { brotliCompressSync, constants, createGzip, deflateSync, gzipSync, zstdCompressSync } from "node:zlib"

const KEY = "sk-very-secret"

const OPTIONS = {
  apiKey: Redacted.make(KEY),
  azureApiVersion: undefined,
  model: "fake-1",
  maxTokens: 100,
  temperature: 0.5,
  connectMs: 10_000,
  firstTokenMs: 60_000,
  silenceMs: 30_000,
  answerMs: 600_000,
  retries: 2
}

const QUESTION: Prompt = [
  { role: "user", content: "Hello?" },
  { role: "assistant", content: "Hello." },
  { role: "user", content: "What is a room? 🏠" }
]

/** A running question: its text so far, and its result. */
interface Asking {
  readonly said: ReadonlyArray<string>
  readonly result: Effect.Effect<Result.Result<Completion, LlmFailed>>
  readonly failure: Effect.Effect<LlmFailed>
  readonly completion: Effect.Effect<Completion>
  readonly stop: Effect.Effect<void>
  /** Waits until this many pieces arrived. */
  readonly heard: (pieces: number) => Effect.Effect<void>
}

const ask = Effect.fnUntraced(function* (prompt: Prompt = QUESTION, partition = "a tenant") {
  const llm = yield* Llm
  const said: Array<string> = []
  const waiting: Array<{ readonly pieces: number; readonly deferred: Deferred.Deferred<void> }> = []
  const fiber = yield* Effect.forkChild(
    llm.generate(
      prompt,
      (piece) => {
        said.push(piece)
        for (const { deferred, pieces } of waiting)
          if (said.length >= pieces) Deferred.doneUnsafe(deferred, Effect.void)
      },
      partition
    ),
    { startImmediately: true }
  )
  const result = Effect.result(Fiber.join(fiber))
  const asking: Asking = {
    said,
    result,
    failure: Effect.flip(Fiber.join(fiber)).pipe(Effect.orDie),
    completion: Effect.orDie(Fiber.join(fiber)),
    stop: Fiber.interrupt(fiber),
    heard: (pieces) => {
      const deferred = Deferred.makeUnsafe<void>()
      if (said.length >= pieces) return Effect.void
      waiting.push({ pieces, deferred })
      return Deferred.await(deferred)
    }
  }
  return asking
})

const next = Effect.flatMap(FakeUpstream, (upstream) => upstream.next)

/** The log: a test waits for its lines. */
class Log extends Context.Service<
  Log,
  { readonly until: (text: string) => Effect.Effect<void>; readonly lines: ReadonlyArray<string> }
>()("Log") {}

const LogLayer = Layer.unwrap(
  Effect.gen(function* () {
    const lines = yield* Queue.unbounded<string>()
    const all: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => {
      const line = `${logLevel} ${JSON.stringify(message)}`
      all.push(line)
      Queue.offerUnsafe(lines, line)
    })
    const until = (text: string): Effect.Effect<void> =>
      Effect.flatMap(Queue.take(lines), (line) => (line.includes(text) ? Effect.void : until(text)))
    return Layer.mergeAll(
      Logger.layer([logger]),
      Layer.succeed(References.MinimumLogLevel, "Debug"),
      Layer.succeed(Log, { until, lines: all })
    )
  })
)

const logged = (text: string) => Effect.flatMap(Log, (log) => log.until(text))

/** A provider controlled by the test, and our layer that asks it. */
const withUpstream =
  (options: Partial<OpenAiOptions> = {}) =>
  <A, E>(test: Effect.Effect<A, E, Llm | FakeUpstream | Log | Scope.Scope>) =>
    Effect.gen(function* () {
      const { url } = yield* FakeUpstream
      return yield* Effect.provide(test, OpenAiLayer({ ...OPTIONS, baseUrl: url, ...options }), { local: true })
    }).pipe(Effect.provide([FakeUpstreamLayer, LogLayer], { local: true }), Effect.scoped)

/** The result of one question that the provider answers with `answer`. */
const answered = (answer: (call: UpstreamCall) => void, options: Partial<OpenAiOptions> = {}) =>
  Effect.gen(function* () {
    const asking = yield* ask()
    answer(yield* next)
    const result = yield* asking.result
    return { said: asking.said, result, asked: (yield* FakeUpstream).asked() }
  }).pipe(withUpstream({ retries: 0, ...options }))

const failedWith = (answer: (call: UpstreamCall) => void, options: Partial<OpenAiOptions> = {}) =>
  Effect.map(answered(answer, options), ({ result, said }) =>
    Result.isFailure(result)
      ? [result.failure.reason, result.failure.retryAfter, said.join("")]
      : assert.fail("it did not fail")
  )

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

describe("an answer in another form", () => {
  const whole = JSON.stringify({
    choices: [{ index: 0, message: { role: "assistant", content: "A room." }, finish_reason: "stop" }],
    usage: { prompt_tokens: 5, completion_tokens: 3 }
  })
  const events =
    chunk({ delta: { content: "A " } }) + chunk({ delta: { content: "room." }, finish_reason: "stop" }) + DONE

  it.effect("is read: JSON for a stream, a stream with another content type or none, compressed without request", () =>
    Effect.gen(function* () {
      const sent: ReadonlyArray<readonly [string | Uint8Array, Readonly<Record<string, string>>]> = [
        [whole, { "content-type": "application/json" }],
        [events, { "content-type": "application/json" }],
        [events, { "content-type": "text/plain" }],
        [events, {}],
        [gzipSync(events), { "content-encoding": "gzip", "content-type": "text/event-stream" }],
        [gzipSync(whole), { "content-encoding": "x-gzip" }],
        [deflateSync(events), { "content-encoding": "deflate" }],
        [brotliCompressSync(events), { "content-encoding": "br" }],
        [zstdCompressSync(events), { "content-encoding": "zstd" }],
        [events, { "content-encoding": "identity" }]
      ]
      for (const [body, headers] of sent) {
        const { result, said } = yield* answered((call) => {
          call.head(200, headers)
          call.write(body)
          call.end()
        })
        assert.strictEqual(said.join(""), "A room.", JSON.stringify(headers))
        assert.isTrue(Result.isSuccess(result) && result.success.finishReason === "stop")
      }
      const { said } = yield* answered((call) => {
        call.head(201)
        call.end(events)
      })
      assert.strictEqual(said.join(""), "A room.")
    })
  )

  it.effect("is read if all of it is one line without an end, after any time and in any pieces", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(86_400_000)
      const pretty = JSON.stringify(JSON.parse(whole), undefined, 2)
      for (const body of [
        whole,
        pretty,
        `${whole}\n`,
        `data: ${whole}`,
        events.slice(0, events.indexOf("data: [DONE]")).trimEnd()
      ])
        for (const pieces of [1, 5]) {
          const asking = yield* ask()
          const call = yield* next
          call.head(200, { "content-type": "application/json" })
          for (let piece = 0; piece < pieces; piece++) {
            yield* TestClock.adjust(300)
            const size = Math.ceil(body.length / pieces)
            call.write(body.slice(piece * size, (piece + 1) * size))
          }
          call.end()
          assert.strictEqual((yield* asking.completion).finishReason, "stop", body)
          assert.strictEqual(asking.said.join(""), "A room.", body)
        }
    }).pipe(withUpstream({ retries: 0 }))
  )

  it.effect("is a failure after too many bytes without an event", () =>
    Effect.gen(function* () {
      const ways = [" ".repeat(20_000_000), `${": ".repeat(500)}\n`.repeat(20_000)]
      for (const bytes of ways)
        for (const before of ["", chunk({ delta: { reasoning_content: "hm" } })]) {
          const asking = yield* ask()
          const call = yield* next
          call.head(200, { "content-encoding": "gzip" })
          // Its end never comes.
          const zip = createGzip()
          zip.on("data", (part: Uint8Array) => call.write(part))
          zip.write(before + bytes)
          zip.flush()
          assert.strictEqual((yield* asking.failure).reason, "model_malformed")
          yield* call.closed
        }
    }).pipe(withUpstream({ retries: 0 }))
  )

  it.effect("arrives token by token although it is compressed, and is cut where its bytes are", () =>
    Effect.gen(function* () {
      for (const cut of ["cut", "reset"] as const) {
        const asking = yield* ask()
        const call = yield* next
        call.head(200, { "content-encoding": "gzip" })
        const zip = createGzip({ flush: constants.Z_SYNC_FLUSH })
        zip.on("data", (bytes: Uint8Array) => call.write(bytes))
        zip.write(chunk({ delta: { content: "A" } }))
        yield* asking.heard(1)
        zip.write(chunk({ delta: { content: " room" } }))
        yield* asking.heard(2)
        call[cut]()
        assert.strictEqual((yield* asking.failure).reason, "model_cut")
        assert.deepStrictEqual(asking.said, ["A", " room"])
      }
    }).pipe(withUpstream({ retries: 0 }))
  )

  it.effect("is a failure if its encoding is unknown", () =>
    Effect.gen(function* () {
      const ways = [
        (call: UpstreamCall) => call.refuse(200, events, { "content-encoding": "gzip" }),
        (call: UpstreamCall) => call.refuse(200, events, { "content-encoding": "lzw" }),
        (call: UpstreamCall) => call.refuse(200, events, { "content-encoding": "gzip, br" })
      ]
      for (const way of ways) assert.notStrictEqual((yield* failedWith(way))[0], undefined)
      assert.strictEqual((yield* failedWith((call) => call.refuse(200, whole.slice(0, -9))))[0], "model_cut")
    })
  )

  it.effect("that is not understood is logged once for its form, without its content", () =>
    Effect.gen(function* () {
      for (let n = 0; n < 3; n++) {
        const asking = yield* ask()
        const call = yield* next
        call.head()
        call.write(chunk({ delta: { content: { type: "hologram", payload: "hunter2" } }, finish_reason: "stop" }))
        call.end(DONE)
        assert.strictEqual((yield* asking.failure).reason, "model_malformed")
      }
      const { lines } = yield* Log
      const warnings = lines.filter((line) => line.includes("not understood") && line.startsWith("Warn"))
      assert.strictEqual(warnings.length, 1)
      assert.notInclude(lines.join(""), "hunter2")
    }).pipe(withUpstream({ retries: 0 }))
  )
})

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

describe("a refused parameter", () => {
  const bare = { model: "fake-1", messages: QUESTION, stream: true, max_tokens: 100 }
  const without = { ...bare, stream_options: { include_usage: true } }
  const usual = { ...without, temperature: 0.5 }
  const answer = (call: UpstreamCall) => {
    call.head()
    call.say("fine")
    call.finish()
  }
  const named = (param: string) => JSON.stringify({ error: { message: "no", param } })

  it.effect("is sent again if omitting it did not help", () =>
    Effect.gen(function* () {
      const asking = yield* ask()
      ;(yield* next).refuse(400, named("stream_options"))
      const second = yield* next
      assert.deepStrictEqual(JSON.parse(second.body), { ...bare, temperature: 0.5 })
      second.refuse(400, named("messages"))
      assert.strictEqual((yield* asking.failure).reason, "prompt_rejected")
      const other = yield* ask()
      const call = yield* next
      assert.deepStrictEqual(JSON.parse(call.body), usual)
      answer(call)
      yield* other.completion
    }).pipe(withUpstream({ retries: 0 }))
  )

  it.effect("is not learned from a question that is quoted", () =>
    Effect.gen(function* () {
      const evil = "'temperature' does not support stream_options, use max_completion_tokens"
      for (const body of [
        JSON.stringify({ error: { message: `bad request: ${evil}` } }),
        JSON.stringify({ detail: [{ loc: ["body", "tools"], msg: "bad", input: evil }] }),
        evil
      ]) {
        const asking = yield* ask([{ role: "user", content: evil }])
        // What the message may only quote is tried without for this question, each once; a field that is not read is not.
        const tries = body.includes("tools") ? 1 : 4
        for (let n = 0; n < tries; n++) (yield* next).refuse(422, body)
        assert.strictEqual((yield* asking.failure).reason, "model_rejected")
      }
      yield* ask()
      assert.deepStrictEqual(JSON.parse((yield* next).body), usual)
    }).pipe(withUpstream({ retries: 0 }))
  )

  it.effect("may be the temperature, in words of its own", () =>
    Effect.gen(function* () {
      for (const words of ["invalid temperature: only 1 is allowed for this model", "`temperature` is deprecated"])
        yield* Effect.gen(function* () {
          const asking = yield* ask()
          ;(yield* next).refuse(400, JSON.stringify({ error: { message: words, type: "invalid_request_error" } }))
          const call = yield* next
          assert.deepStrictEqual(JSON.parse(call.body), without)
          answer(call)
          yield* asking.completion
          yield* logged("does not take")
        }).pipe(withUpstream({ retries: 0 }))
    })
  )

  it.effect(
    "that the question names too is omitted for this question, and for others when one without the word shows it",
    () =>
      Effect.gen(function* () {
        const cases = [
          ["temperature", "Unsupported value: 'temperature' does not support 0.5", without],
          ["stream_options", "Unknown field stream_options", { ...bare, temperature: 0.5 }],
          [
            "max_completion_tokens",
            "Use 'max_completion_tokens' instead.",
            { ...usual, max_tokens: undefined, max_completion_tokens: 100 }
          ]
        ] as const
        for (const [word, message, others] of cases)
          yield* Effect.gen(function* () {
            const refusal = JSON.stringify({ error: { message, type: "invalid_request_error" } })
            const messages: Prompt = [{ role: "user", content: `What is ${word}?` }]
            const naming = yield* ask(messages)
            ;(yield* next).refuse(400, refusal)
            const second = yield* next
            const expected: unknown = JSON.parse(JSON.stringify({ ...others, messages }))
            assert.deepStrictEqual(JSON.parse(second.body), expected)
            answer(second)
            yield* naming.completion
            const other = yield* ask()
            const third = yield* next
            assert.deepStrictEqual(JSON.parse(third.body), usual)
            third.refuse(400, refusal)
            answer(yield* next)
            yield* other.completion
            const last = yield* ask(messages)
            const fourth = yield* next
            assert.deepStrictEqual(JSON.parse(fourth.body), expected)
            answer(fourth)
            yield* last.completion
          }).pipe(withUpstream({ retries: 0 }))
      })
  )

  it.effect("may be said with status 200, in the answer's place", () =>
    Effect.gen(function* () {
      const asking = yield* ask()
      const call = yield* next
      call.head()
      call.end(event({ error: { message: "no", param: "temperature", code: 400 } }) + DONE)
      const second = yield* next
      assert.deepStrictEqual(JSON.parse(second.body), without)
      answer(second)
      yield* asking.completion
    }).pipe(withUpstream({ retries: 0 }))
  )

  it.effect("need not be found out for a temperature that is not set", () =>
    Effect.gen(function* () {
      yield* ask()
      assert.deepStrictEqual(JSON.parse((yield* next).body), without)
    }).pipe(withUpstream({ temperature: undefined }))
  )
})

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

const listening = (server: ReturnType<typeof createServer>) =>
  Effect.gen(function* () {
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () => Effect.sync(() => server.close())
    )
    const address = server.address()
    return typeof address === "object" && address !== null ? address.port : assert.fail("no port")
  })
