import { assert, describe, it } from "@effect/vitest"
import { decodeChat } from "@llm-saas/dialects/chat/ChatRequest"
import { decodeEmbeddings } from "@llm-saas/dialects/Embeddings"
import type { Attempt } from "@llm-saas/domain/Attempt"
import type { EmbeddingRequest } from "@llm-saas/domain/Embedding"
import type { JsonObject } from "@llm-saas/domain/Json"
import type { ModelPiece } from "@llm-saas/domain/ModelEvent"
import type { ModelRequest } from "@llm-saas/domain/ModelRequest"
import { Llm } from "@llm-saas/engine/generations/Llm"
import { make } from "@llm-saas/llm/OpenAi"
import { chunk, DONE, event, FakeUpstream, layer, type UpstreamCall } from "@llm-saas/testing/FakeUpstream"
import { Effect, Exit, Fiber, Redacted, Result } from "effect"
import { TestClock } from "effect/testing"
import { next, OPTIONS, withUpstream } from "./AskedProvider.ts"

const requestOf = (body: JsonObject): ModelRequest => {
  const decoded = decodeChat(body)
  return decoded.type === "request" ? decoded.request : assert.fail(JSON.stringify(decoded))
}

const BODY: JsonObject = {
  model: "alias",
  messages: [{ role: "user", content: "Hello?", cache_control: { type: "ephemeral" } }],
  tools: [{ type: "function", function: { name: "f", parameters: { type: "object" } } }],
  tool_choice: { type: "allowed_tools", allowed_tools: {} },
  logit_bias: { "50256": -100 },
  frequency_penalty: 0.1,
  user: "u",
  unknown: [{ a: null }]
}

/** A request under way: its pieces and its attempts. */
const asking = Effect.fnUntraced(function* (request: ModelRequest) {
  const llm = yield* Llm
  const pieces: Array<ModelPiece> = []
  const attempts: Array<Attempt> = []
  const fiber = yield* Effect.forkChild(
    llm.generate({ ...request, model: llm.defaultModel }, (piece) => pieces.push(piece), {
      partition: "a tenant",
      attempt: (attempt) => void attempts.push(attempt),
      moment: () => 7
    }),
    { startImmediately: true }
  )
  return { pieces, attempts, result: Effect.result(Fiber.join(fiber)) }
})

const answered = (request: ModelRequest, answer: (call: UpstreamCall) => void, options = {}) =>
  Effect.gen(function* () {
    const { attempts, pieces, result } = yield* asking(request)
    const call = yield* next
    answer(call)
    const outcome = yield* result
    return {
      call,
      body: JSON.parse(call.body) as unknown,
      pieces,
      attempts,
      outcome,
      asked: (yield* FakeUpstream).asked()
    }
  }).pipe(withUpstream({ retries: 0, ...options }))

const say = (call: UpstreamCall) => {
  call.head()
  call.say("A", " room")
  call.finish("stop", { input: 5, output: 3 })
}

describe("a request in OpenAI's dialect", () => {
  it.effect("goes on as it is, but for the model, the limit and the usage", () =>
    Effect.gen(function* () {
      const { attempts, body, outcome, pieces } = yield* answered(requestOf({ ...BODY, stream: true }), say)
      assert.deepStrictEqual(body, {
        ...BODY,
        stream: true,
        model: OPTIONS.model,
        max_tokens: OPTIONS.maxTokens,
        stream_options: { include_usage: true }
      })
      assert.deepStrictEqual(
        pieces.map((piece) => (typeof piece === "string" ? piece : piece.type)),
        ["raw", "shape", " room", "raw"]
      )
      assert.isTrue(Result.isSuccess(outcome) && outcome.success.usage?.output === 3)
      const [attempt] = attempts
      assert.deepInclude(attempt, {
        status: 200,
        firstAt: 7,
        upstreamId: "chatcmpl-1",
        responseModel: "fake-1-2026-01-01",
        usage: { input: 5, output: 3 }
      })
    })
  )

  it.effect("keeps the client's limit where it is less, and its own wish for the usage", () =>
    Effect.gen(function* () {
      const asked = { ...BODY, stream: true, max_completion_tokens: 9, stream_options: { include_usage: true, x: 1 } }
      const { body, pieces } = yield* answered(requestOf(asked), say)
      assert.deepStrictEqual(body, { ...asked, model: OPTIONS.model })
      assert.strictEqual(pieces.length, 5)
      const more = yield* answered(requestOf({ ...asked, max_completion_tokens: 9000 }), say)
      assert.deepInclude(more.body, { max_completion_tokens: OPTIONS.maxTokens })
    })
  )

  it.effect("that is whole is asked and answered whole", () =>
    Effect.gen(function* () {
      const whole = {
        service_tier: "flex",
        id: "chatcmpl-9",
        model: "m-1",
        choices: [{ index: 0, message: { content: "A room." }, finish_reason: "stop", logprobs: { content: [] } }],
        usage: { prompt_tokens: 5, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 2 } }
      }
      const { attempts, body, call, outcome, pieces } = yield* answered(requestOf(BODY), (call) =>
        call.refuse(200, JSON.stringify(whole), { "content-type": "application/json" })
      )
      assert.deepStrictEqual(body, { ...BODY, model: OPTIONS.model, max_tokens: OPTIONS.maxTokens })
      assert.strictEqual(call.headers.accept, "application/json")
      assert.deepStrictEqual(pieces, [{ type: "raw", dialect: "chat", event: whole, text: "A room." }])
      assert.deepStrictEqual(
        outcome,
        Result.succeed({
          finishReason: "stop",
          usage: { input: 5, output: 3, details: { cacheRead: 2 } },
          model: "m-1"
        })
      )
      assert.deepInclude(attempts[0], { upstreamId: "chatcmpl-9", responseModel: "m-1", serviceTier: "flex" })
    })
  )

  it.effect("that the provider refuses for its own fault is told in the provider's words, without secrets", () =>
    Effect.gen(function* () {
      const error = {
        message: `'temperature' does not support 0.5, key sk-abcdefghijklmnop ${"x".repeat(2000)}`,
        type: "invalid_request_error",
        param: "temperature",
        code: "unsupported_value"
      }
      const refuse = (status: number) => (call: UpstreamCall) => call.refuse(status, JSON.stringify({ error }))
      const request = requestOf({ ...BODY, temperature: 0.5 })
      const { asked, outcome } = yield* answered(request, refuse(400))
      // What the client wrote itself is not left out.
      assert.strictEqual(asked, 1)
      const said = Result.isFailure(outcome) ? outcome.failure.said : undefined
      assert.deepInclude(said, { param: "temperature", code: "unsupported_value", type: "invalid_request_error" })
      assert.match(said?.message ?? "", /^'temperature' does not support 0\.5, key \[key\]/u)
      assert.isAtMost(said?.message.length ?? 0, 1000)
      for (const status of [401, 402, 403, 500, 503]) {
        const { outcome: other } = yield* answered(request, refuse(status))
        assert.isTrue(Result.isFailure(other) && other.failure.said === undefined, `${status}`)
      }
    })
  )

  it.effect("is sent again without what we added, if the provider refuses that", () =>
    Effect.gen(function* () {
      const { attempts, outcome } = yield* Effect.gen(function* () {
        const { attempts, result } = yield* asking(requestOf({ ...BODY, stream: true }))
        const first = yield* next
        first.refuse(400, JSON.stringify({ error: { message: "no", param: "stream_options" } }))
        const second = yield* next
        second.refuse(400, JSON.stringify({ error: { message: "Use 'max_completion_tokens' instead." } }))
        const third = yield* next
        assert.deepStrictEqual(JSON.parse(third.body), {
          ...BODY,
          stream: true,
          model: OPTIONS.model,
          max_completion_tokens: OPTIONS.maxTokens
        })
        say(third)
        return { attempts, outcome: yield* result }
      }).pipe(withUpstream({ retries: 0 }))
      assert.isTrue(Result.isSuccess(outcome))
      assert.deepStrictEqual(
        attempts.map(({ failure, status }) => [status, failure]),
        [
          [400, "model_rejected"],
          [400, "model_rejected"],
          [200, undefined]
        ]
      )
    })
  )

  it.effect("that fails before anything was shown may be asked again, also after the role", () =>
    Effect.gen(function* () {
      const { pieces, result } = yield* asking(requestOf({ ...BODY, stream: true }))
      const first = yield* next
      first.head()
      first.write(chunk({ delta: { role: "assistant", content: "" }, finish_reason: null }))
      first.end(event({ error: { message: "overloaded", code: 529 } }))
      yield* TestClock.adjust(1000)
      say(yield* next)
      assert.isTrue(Result.isSuccess(yield* result))
      assert.deepStrictEqual(
        pieces.map((piece) => (typeof piece === "string" ? piece : piece.type)),
        ["raw", "shape", " room", "raw"]
      )
    }).pipe(withUpstream({ retries: 1 }))
  )
})

describe("a request of another dialect", () => {
  const request: ModelRequest = {
    model: "alias",
    stream: false,
    maxTokens: 9,
    input: [
      { type: "reasoning", text: "hm", signature: "s" },
      { type: "message", role: "assistant", parts: [{ type: "text", text: "A room." }] },
      { type: "message", role: "user", parts: [{ type: "text", text: "Why?" }] }
    ],
    origin: { dialect: "anthropic", body: { model: "alias", secret: true } }
  }
  const messages = [
    { role: "assistant", reasoning_content: "hm", content: "A room." },
    { role: "user", content: "Why?" }
  ]

  it.effect("is put into this one and streamed; its answer is canonical", () =>
    Effect.gen(function* () {
      const { body, pieces } = yield* answered(request, (call) => {
        call.head()
        call.write(chunk({ delta: { reasoning: "hm" } }) + chunk({ delta: { content: "A" } }))
        call.end(chunk({ delta: {}, finish_reason: "stop" }) + DONE)
      })
      assert.deepStrictEqual(body, {
        model: OPTIONS.model,
        messages,
        stream: true,
        stream_options: { include_usage: true },
        max_tokens: 9
      })
      assert.deepStrictEqual(pieces, [{ type: "reasoning", text: "hm" }, "A"])
    })
  )

  it.effect("is sent again without its thoughts, if the provider refuses them", () =>
    Effect.gen(function* () {
      const { result } = yield* asking(request)
      const refusal = { error: { message: "Unknown parameter: 'messages[0].reasoning_content'.", param: "tools" } }
      ;(yield* next).refuse(400, JSON.stringify(refusal))
      const second = yield* next
      assert.deepInclude(JSON.parse(second.body), {
        messages: [
          { role: "assistant", content: "A room." },
          { role: "user", content: "Why?" }
        ]
      })
      say(second)
      assert.isTrue(Result.isSuccess(yield* result))
    }).pipe(withUpstream({ retries: 0 }))
  )
})

describe("embeddings", () => {
  const requestFor = (body: JsonObject): EmbeddingRequest => {
    const decoded = decodeEmbeddings(body)
    return decoded.type === "request" ? decoded.request : assert.fail(JSON.stringify(decoded))
  }
  const target = {
    model: "up",
    maxOutputTokens: undefined,
    temperature: undefined,
    connectMs: 9000,
    firstTokenMs: 9000,
    silenceMs: 9000
  }

  const embedding = (body: JsonObject, answer: (call: UpstreamCall) => void) =>
    Effect.gen(function* () {
      const upstream = yield* FakeUpstream
      const options = { name: "p", baseUrl: upstream.url, apiVersion: undefined, headers: {}, proxies: undefined }
      const provider = yield* make(options)
      const attempts: Array<Attempt> = []
      const call = {
        key: Redacted.make("k"),
        begun: Effect.void,
        moment: () => 7,
        attempt: () => {
          const attempt: Attempt = { provider: "p", model: "up", keySource: "installation", startedAt: 0 }
          attempts.push(attempt)
          return attempt
        }
      }
      const embed = provider.embed ?? assert.fail("no embeddings")
      const fiber = yield* Effect.forkChild(embed(target, requestFor(body), call), { startImmediately: true })
      const asked = yield* upstream.next
      answer(asked)
      return { asked, attempts, exit: yield* Effect.exit(Fiber.join(fiber)) }
    }).pipe(Effect.provide(layer, { local: true }), Effect.scoped)

  it.effect("are asked for as the client wrote it, and passed on as they came", () =>
    Effect.gen(function* () {
      const body = { model: "alias", input: ["a", "b"], encoding_format: "base64", dimensions: 1, user: "u" }
      const said = {
        object: "list",
        data: ["AAAAAA==", "AACAPw=="].map((embedding, index) => ({ object: "embedding", index, embedding })),
        model: "up-1",
        usage: { prompt_tokens: 2, total_tokens: 2 }
      }
      const { asked, attempts, exit } = yield* embedding(body, (call) => call.refuse(200, JSON.stringify(said)))
      assert.strictEqual(asked.path, "/v1/embeddings")
      assert.strictEqual(asked.headers.authorization, "Bearer k")
      assert.deepStrictEqual(JSON.parse(asked.body), { ...body, model: "up" })
      assert.isTrue(Exit.isSuccess(exit))
      if (Exit.isSuccess(exit))
        assert.deepInclude(exit.value, { raw: said, usage: { input: 2, output: 0 }, model: "up-1" })
      assert.strictEqual(attempts[0]?.status, 200)
    })
  )

  it.effect("fail as answers do", () =>
    Effect.gen(function* () {
      const body = { model: "alias", input: "a" }
      const cases: ReadonlyArray<readonly [(call: UpstreamCall) => void, string]> = [
        [(call) => call.refuse(400, '{"error":{"message":"no","param":"dimensions"}}'), "model_rejected"],
        [(call) => call.refuse(429, "{}"), "model_rate_limited"],
        [(call) => call.refuse(200, '{"error":{"message":"no","code":400}}'), "model_rejected"],
        [(call) => call.refuse(200, '{"data":[]}'), "model_malformed"],
        [(call) => call.refuse(200, "<html>"), "model_malformed"],
        [(call) => call.refuse(200, '{"data":[{"embedding":[0.1'), "model_cut"]
      ]
      for (const [answer, reason] of cases) {
        const { exit } = yield* embedding(body, answer)
        const failed = yield* Effect.flip(exit)
        assert.strictEqual(failed.reason, reason)
        if (failed.status === 400 && reason === "model_rejected") assert.strictEqual(failed.said?.message, "no")
      }
    })
  )
})
