import { assert, layer } from "@effect/vitest"
import { Context, Deferred, Effect, Layer, Schema } from "effect"
import { createServer } from "node:http"
import { signUp } from "./People.ts"
import { Running } from "./Running.ts"

const Span = Schema.Struct({
  traceId: Schema.String,
  spanId: Schema.String,
  parentSpanId: Schema.optionalKey(Schema.String),
  name: Schema.String,
  attributes: Schema.Array(Schema.Struct({ key: Schema.String, value: Schema.Unknown })),
  events: Schema.Array(Schema.Struct({ name: Schema.String }))
})
const decode = Schema.decodeUnknownSync(
  Schema.fromJsonString(
    Schema.Struct({
      resourceSpans: Schema.Array(
        Schema.Struct({ scopeSpans: Schema.Array(Schema.Struct({ spans: Schema.Array(Span) })) })
      )
    })
  )
)

/** An OpenTelemetry collector that keeps what it gets. */
class Collector extends Context.Service<
  Collector,
  {
    readonly url: string
    /** Waits for a span of this name in the trace, and answers the whole trace as it has come so far. */
    readonly trace: (traceId: string, name: string) => Effect.Effect<ReadonlyArray<typeof Span.Type>>
    readonly texts: ReadonlyArray<string>
    readonly keys: ReadonlySet<string>
  }
>()("test/Collector") {
  static readonly layer = Layer.effect(
    Collector,
    Effect.gen(function* () {
      const texts: Array<string> = []
      const keys = new Set<string>()
      const spans: Array<typeof Span.Type> = []
      const waiting = new Set<() => void>()
      const server = createServer((request, response) => {
        let text = ""
        request.on("data", (chunk) => (text += chunk))
        request.on("end", () => {
          texts.push(text)
          keys.add(String(request.headers["x-api-key"]))
          for (const { scopeSpans } of decode(text).resourceSpans)
            for (const scope of scopeSpans) spans.push(...scope.spans)
          for (const look of waiting) look()
          response.end("{}")
        })
      })
      const port = yield* Effect.acquireRelease(
        Effect.callback<number>((resume) => {
          server.listen(0, "127.0.0.1", () => {
            const address = server.address()
            resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
          })
        }),
        () =>
          Effect.sync(() => {
            server.close()
            server.closeAllConnections()
          })
      )
      return Collector.of({
        url: `http://127.0.0.1:${port}`,
        texts,
        keys,
        trace: (traceId, name) =>
          Effect.suspend(() => {
            const found = Deferred.makeUnsafe<ReadonlyArray<typeof Span.Type>>()
            const look = () => {
              const trace = spans.filter((span) => span.traceId === traceId)
              if (trace.some((span) => span.name === name)) Deferred.doneUnsafe(found, Effect.succeed(trace))
            }
            waiting.add(look)
            look()
            return Effect.ensuring(
              Deferred.await(found),
              Effect.sync(() => waiting.delete(look))
            )
          })
      })
    })
  )
}

const world = Layer.provideMerge(
  Layer.unwrap(
    Effect.map(Collector, ({ url }) =>
      Running.with({
        OTEL_EXPORTER_OTLP_ENDPOINT: url,
        OTEL_EXPORTER_OTLP_HEADERS: "x-api-key=a%20key",
        MOCK_TOKENS: "8",
        MOCK_TTFT_MS: "0",
        MOCK_DELAY_MS: "0"
      })
    )
  ),
  Collector.layer
)

layer(world, { timeout: "120 seconds" })("a collector of traces", (it) => {
  it.effect("gets the request and the answer with its parts, in the caller's trace, and nothing of what was said", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { keys, texts, trace } = yield* Collector
      const { token } = yield* signUp(send)
      const traceId = "4bf92f3577b34da6a3ce929d0e0e4736"
      const answer = yield* send("GET", "/messages/stream?content=my+secret+question", {
        token,
        headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` }
      })
      assert.strictEqual(answer.status, 200)
      const spans = yield* trace(traceId, "GET")
      const named = (name: string) => spans.find((span) => span.name === name)
      assert.strictEqual(named("GET")?.parentSpanId, "00f067aa0ba902b7")
      assert.strictEqual(named("messages.stream")?.parentSpanId, named("GET")?.spanId)
      for (const part of ["admission", "persistence (question)", "chat mock-1", "persistence (answer)"])
        assert.strictEqual(named(part)?.parentSpanId, named("messages.stream")?.spanId, part)
      assert.deepStrictEqual(
        named("chat mock-1")?.events.map(({ name }) => name),
        ["first token"]
      )
      assert.deepStrictEqual(
        named("chat mock-1")?.attributes.find(({ key }) => key === "gen_ai.usage.output_tokens")?.value,
        { intValue: 8 }
      )
      assert.notMatch(texts.join("\n"), /secret|password123/u)
      assert.deepStrictEqual([...keys], ["a key"])
    })
  )

  it.effect("gets nothing of a request whose caller does not sample", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { texts, trace } = yield* Collector
      const { token } = yield* signUp(send)
      const [unsampled, sampled] = ["11111111111111111111111111111111", "22222222222222222222222222222222"]
      const ask = (traceId: string, flags: string) =>
        send("POST", "/messages", {
          token,
          json: { content: "Hello?" },
          headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-${flags}` }
        })
      yield* ask(unsampled, "00")
      yield* ask(sampled, "01")
      yield* trace(sampled, "POST")
      assert.notInclude(texts.join("\n"), unsampled)
    })
  )
})

layer(world, { timeout: "120 seconds" })("a collector of traces of programs", (it) => {
  it.effect("gets no API key, in whichever header it was sent, whether it works or not", () =>
    Effect.gen(function* () {
      const { process, send } = yield* Running
      const { texts, trace } = yield* Collector
      const { token } = yield* signUp(send)
      const made = yield* send("POST", "/keys", { token, json: { name: "bot", scopes: ["chat"] } })
      const key = String(made.body["key"])
      const wrong = key.replace(/.{12}$/u, "000000000000")
      let place = 0
      for (const sent of [key, wrong]) {
        for (const name of ["authorization", "x-api-key", "api-key"]) {
          const traceId = `333333333333333333333333333333${String(++place).padStart(2, "0")}`
          yield* send("GET", "/v1/key", {
            headers: {
              [name]: name === "authorization" ? `Bearer ${sent}` : sent,
              traceparent: `00-${traceId}-00f067aa0ba902b7-01`
            }
          })
          yield* trace(traceId, "GET")
        }
      }
      const secret = key.slice(20, 60)
      assert.notInclude(texts.join("\n"), secret)
      assert.notInclude(process.output().stdout + process.output().stderr, secret)
    })
  )
})
