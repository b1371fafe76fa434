import { assert } from "@effect/vitest"
import { ofTexts } from "@llm-saas/domain/ModelRequest"
import { Llm, type Completion, type LlmFailed } from "@llm-saas/engine/generations/Llm"
import { OpenAiLayer, type OpenAiOptions } from "@llm-saas/llm/OpenAi"
import { FakeUpstream, type UpstreamCall, layer as FakeUpstreamLayer } from "@llm-saas/testing/FakeUpstream"
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
import { type createServer } from "node:net"

// A provider that the test controls, and the layer that asks it.

export const KEY = "sk-very-secret"

export const OPTIONS = {
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

/** A prompt as texts. */
export type Prompt = Parameters<typeof ofTexts>[1]

export const QUESTION: Prompt = [
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

export const ask = Effect.fnUntraced(function* (prompt: Prompt = QUESTION, partition = "a tenant") {
  const llm = yield* Llm
  const said: Array<string> = []
  const waiting: Array<{ readonly pieces: number; readonly deferred: Deferred.Deferred<void> }> = []
  const fiber = yield* Effect.forkChild(
    llm.generate(
      ofTexts(llm.defaultModel, prompt),
      (piece) => {
        said.push(typeof piece === "string" ? piece : JSON.stringify(piece))
        for (const { deferred, pieces } of waiting)
          if (said.length >= pieces) Deferred.doneUnsafe(deferred, Effect.void)
      },
      { partition: partition, attempt: () => {}, moment: () => 0 }
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

export const next = Effect.flatMap(FakeUpstream, (upstream) => upstream.next)

/** The log: a test waits for its lines. */
export class Log extends Context.Service<
  Log,
  { readonly until: (text: string) => Effect.Effect<void>; readonly lines: ReadonlyArray<string> }
>()("Log") {}

export const LogLayer = Layer.unwrap(
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

export const logged = (text: string) => Effect.flatMap(Log, (log) => log.until(text))

/** A provider controlled by the test, and our layer that asks it. */
export const withUpstream =
  (options: Partial<OpenAiOptions> = {}) =>
  <A, E>(test: Effect.Effect<A, E, Llm | FakeUpstream | Log | Scope.Scope>) =>
    Effect.gen(function* () {
      const { url } = yield* FakeUpstream
      return yield* Effect.provide(test, OpenAiLayer({ ...OPTIONS, baseUrl: url, ...options }), { local: true })
    }).pipe(Effect.provide([FakeUpstreamLayer, LogLayer], { local: true }), Effect.scoped)

/** The result of one question that the provider answers with `answer`. */
export const answered = (answer: (call: UpstreamCall) => void, options: Partial<OpenAiOptions> = {}) =>
  Effect.gen(function* () {
    const asking = yield* ask()
    answer(yield* next)
    const result = yield* asking.result
    return { said: asking.said, result, asked: (yield* FakeUpstream).asked() }
  }).pipe(withUpstream({ retries: 0, ...options }))

export const failedWith = (answer: (call: UpstreamCall) => void, options: Partial<OpenAiOptions> = {}) =>
  Effect.map(answered(answer, options), ({ result, said }) =>
    Result.isFailure(result)
      ? [result.failure.reason, result.failure.retryAfter, said.join("")]
      : assert.fail("it did not fail")
  )
/** The port of a server that listens on loopback, for as long as the scope is open. */
export const listening = (server: ReturnType<typeof createServer>) =>
  Effect.gen(function* () {
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () => Effect.sync(() => server.close())
    )
    const address = server.address()
    return typeof address === "object" && address !== null ? address.port : assert.fail("no port")
  })
