import { assert, describe, it } from "@effect/vitest"
import { layer } from "@llm-saas/testing/FakeUpstream"
import { Effect, Fiber, Result } from "effect"
import { TestClock } from "effect/testing"
import {
  answered,
  ask,
  bodyOf,
  BLOCK,
  failedWith,
  frame,
  KEY,
  next,
  own,
  QUESTION,
  say,
  START,
  stop,
  TARGET
} from "./AskedAnthropic.ts"

const upstream = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(Effect.scoped, Effect.provide(layer, { local: true }))

const error = (type: string, message = "It failed.") =>
  JSON.stringify({ type: "error", error: { type, message }, request_id: "req_1" })

describe("a question to Anthropic", () => {
  it.effect("is in its dialect, with its key and version", () =>
    Effect.gen(function* () {
      const { attempts, begun, pieces, result, sent } = yield* answered((call) => {
        call.head()
        call.end(START + BLOCK + say("Hello") + say(", room.") + stop())
      })
      assert.deepStrictEqual([sent.method, sent.path], ["POST", "/v1/messages"])
      assert.deepStrictEqual(bodyOf(sent), {
        model: "claude-sonnet-5",
        max_tokens: 4096,
        stream: true,
        messages: [{ role: "user", content: [{ type: "text", text: "What is a room? 🏠" }] }]
      })
      assert.strictEqual(sent.headers["x-api-key"], KEY)
      assert.isUndefined(sent.headers["authorization"])
      assert.strictEqual(sent.headers["anthropic-version"], "2023-06-01")
      assert.deepStrictEqual(pieces, ["Hello", ", room."])
      assert(Result.isSuccess(result))
      assert.deepStrictEqual(result.success, {
        finishReason: "stop",
        usage: { input: 9, output: 5 },
        model: "claude-sonnet-5-20260901"
      })
      assert.deepStrictEqual(attempts, [
        {
          provider: "anthropic",
          model: "claude",
          keySource: "installation",
          startedAt: 1,
          firstAt: 1000,
          upstreamId: "msg_up",
          responseModel: "claude-sonnet-5-20260901",
          usage: { input: 9, output: 5 },
          status: 200
        }
      ])
      assert.strictEqual(begun(), 1)
    })
  )

  it.effect("of a client of the same dialect goes as it came, but for model and limit", () =>
    Effect.gen(function* () {
      const body = {
        max_tokens: 9000,
        x_new: { a: [1] },
        system: [{ type: "text", text: "s", cache_control: { type: "ephemeral" } }],
        temperature: 2
      }
      const headers = { "anthropic-version": "2026-10-21", "anthropic-beta": "a-1,b-2" }
      const { pieces, sent } = yield* answered(
        (call) => {
          call.head()
          call.end(START + BLOCK + say("Hello") + say("!") + say("!") + stop())
        },
        own(body, headers),
        { target: { maxOutputTokens: 8000 } }
      )
      assert.deepStrictEqual(bodyOf(sent), {
        model: "claude-sonnet-5",
        stream: true,
        messages: [{ role: "user", content: "Hi" }],
        ...body,
        max_tokens: 8000
      })
      assert.deepInclude(sent.headers, headers)
      assert.deepStrictEqual(
        pieces.map((piece) => (typeof piece === "string" ? piece : piece.type)),
        ["raw", "raw", "raw", "shape", "!", "!", "raw", "raw"]
      )
    })
  )

  it.effect("that is not streamed is answered in one piece, however long it takes", () =>
    Effect.gen(function* () {
      const body = {
        id: "msg_up",
        type: "message",
        role: "assistant",
        model: "m",
        content: [{ type: "text", text: "Hi" }],
        stop_reason: "max_tokens",
        usage: { input_tokens: 1, output_tokens: 2 }
      }
      const asking = yield* ask(own({ stream: false }))
      const call = yield* next
      assert.strictEqual(bodyOf(call)["stream"], false)
      yield* TestClock.adjust("5 minutes")
      call.head(200, { "content-type": "application/json" })
      call.end(JSON.stringify(body))
      const result = yield* asking.result
      assert(Result.isSuccess(result))
      assert.deepStrictEqual(result.success, { finishReason: "length", usage: { input: 1, output: 2 }, model: "m" })
      assert.deepStrictEqual(asking.pieces, [{ type: "raw", dialect: "anthropic", event: body, text: "Hi" }])
    }).pipe(upstream)
  )

  it.effect("may have a bearer token and another version", () =>
    Effect.gen(function* () {
      const { sent } = yield* answered(
        (call) => {
          call.head()
          call.end(START + BLOCK + say("a") + stop())
        },
        QUESTION,
        { options: { auth: "bearer", apiVersion: "2026-10-21" } }
      )
      assert.strictEqual(sent.headers["authorization"], `Bearer ${KEY}`)
      assert.isUndefined(sent.headers["x-api-key"])
      assert.strictEqual(sent.headers["anthropic-version"], "2026-10-21")
    })
  )

  it.effect("is sent again without a parameter of ours that the model refuses, and not with it the next time", () =>
    Effect.gen(function* () {
      const request = { ...QUESTION, sampling: { temperature: 0.5 } }
      const asking = yield* ask(request)
      const first = yield* next
      assert.strictEqual(bodyOf(first)["temperature"], 0.5)
      first.refuse(400, error("invalid_request_error", "`temperature` is deprecated for this model."))
      const second = yield* next
      assert.notProperty(bodyOf(second), "temperature")
      second.head()
      second.end(START + BLOCK + say("a") + stop())
      assert.isTrue(Result.isSuccess(yield* asking.result))
      assert.deepStrictEqual(
        asking.attempts.map(({ failure, status }) => [status, failure]),
        [
          [400, "model_rejected"],
          [200, undefined]
        ]
      )
      const again = yield* Effect.forkChild(
        Effect.result(
          asking.provider.generate({ ...TARGET, model: "claude-sonnet-5" }, request, () => {}, asking.call)
        ),
        { startImmediately: true }
      )
      const third = yield* next
      assert.notProperty(bodyOf(third), "temperature")
      third.refuse(500)
      assert.isTrue(Result.isFailure(yield* Fiber.join(again)))
    }).pipe(upstream)
  )

  it.effect("does not decide how others are sent: by a wrong value, by its words, or by turns that do not fit", () =>
    Effect.gen(function* () {
      const sampling = { temperature: 0.5 }
      const wrong = yield* ask({ ...QUESTION, sampling: { temperature: -1 } })
      ;(yield* next).refuse(
        400,
        error("invalid_request_error", "temperature: Input should be greater than or equal to 0")
      )
      assert.isTrue(Result.isFailure(yield* wrong.result))
      const again = (request: typeof QUESTION) =>
        Effect.forkChild(Effect.result(wrong.provider.generate(TARGET, request, () => {}, wrong.call)), {
          startImmediately: true
        })
      const end = Effect.fnUntraced(function* () {
        const call = yield* next
        call.head()
        call.end(START + BLOCK + say("a") + stop())
        return bodyOf(call)
      })
      const asked = "`temperature` is deprecated for this model"
      const quoting = yield* again({
        ...QUESTION,
        sampling,
        input: [{ type: "message", role: "user", parts: [{ type: "text", text: asked }] }]
      })
      ;(yield* next).refuse(400, error("invalid_request_error", `messages.0: ${asked}`))
      assert.notProperty(yield* end(), "temperature")
      yield* Fiber.join(quoting)
      const thinking = { ...QUESTION, reasoning: { effort: "high" } }
      const unfit = yield* again(thinking)
      const words = "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`"
      ;(yield* next).refuse(400, error("invalid_request_error", words))
      assert.notProperty(yield* end(), "thinking")
      yield* Fiber.join(unfit)
      for (const request of [{ ...QUESTION, sampling }, thinking]) {
        const usual = yield* again(request)
        const body = yield* end()
        assert.isTrue("temperature" in body || "thinking" in body)
        yield* Fiber.join(usual)
      }
    }).pipe(upstream)
  )

  it.effect("is sent again without an effort, but with its format, and no more than that", () =>
    Effect.gen(function* () {
      const schema = { type: "object" }
      const asking = yield* ask({
        ...QUESTION,
        reasoning: { effort: "high" },
        format: { type: "schema", name: "a", schema }
      })
      const first = yield* next
      assert.deepStrictEqual(bodyOf(first)["output_config"], {
        format: { type: "json_schema", schema },
        effort: "high"
      })
      first.refuse(400, error("invalid_request_error", "output_config.effort: Extra inputs are not permitted"))
      const second = yield* next
      assert.deepStrictEqual(bodyOf(second)["output_config"], { format: { type: "json_schema", schema } })
      second.refuse(400, error("invalid_request_error", "output_config.effort: Extra inputs are not permitted"))
      assert.isTrue(Result.isFailure(yield* asking.result))
    }).pipe(upstream)
  )

  it.effect("of a client's own is refused as the upstream says it", () =>
    Effect.gen(function* () {
      const { result } = yield* answered(
        (call) => call.refuse(400, error("invalid_request_error", "temperature: must be at most 1")),
        own({ temperature: 2 })
      )
      assert(Result.isFailure(result))
      assert.strictEqual(result.failure.reason, "model_rejected")
      assert.deepStrictEqual(result.failure.said, {
        message: "temperature: must be at most 1",
        type: "invalid_request_error"
      })
      const saidOf = (status: number, type: string, message: string) =>
        Effect.map(
          answered((call) => call.refuse(status, error(type, message)), own()),
          ({ result }) => (Result.isFailure(result) ? result.failure.said : assert.fail("it did not fail"))
        )
      assert.deepStrictEqual(yield* saidOf(404, "not_found_error", "model: claude-x"), {
        message: "model: claude-x",
        param: "model",
        code: "model_not_found",
        type: "not_found_error"
      })
      // Between the provider and us.
      assert.isUndefined(yield* saidOf(404, "not_found_error", "Not found: /v1/v1/messages"))
      assert.isUndefined(yield* saidOf(400, "invalid_request_error", "Your credit balance is too low to access it."))
      assert.isUndefined(yield* saidOf(401, "authentication_error", `invalid x-api-key ${KEY}`))
      assert.isUndefined(yield* saidOf(529, "overloaded_error", "Overloaded"))
    })
  )

  it.effect("is counted by the upstream", () =>
    Effect.gen(function* () {
      const { call, provider } = yield* ask(QUESTION)
      yield* next
      const counting = (request: typeof QUESTION) =>
        Effect.forkChild(
          Effect.result(provider.countTokens?.({ ...TARGET, model: "claude" }, request, call) ?? Effect.succeed(-1)),
          { startImmediately: true }
        )
      const running = yield* counting({ ...QUESTION, sampling: { temperature: 0 } })
      const first = yield* next
      assert.strictEqual(first.path, "/v1/messages/count_tokens")
      assert.deepStrictEqual(Object.keys(bodyOf(first)).toSorted(), ["messages", "model"])
      first.head(200, { "content-type": "application/json" })
      first.end('{"input_tokens":14}')
      assert.deepStrictEqual(yield* Fiber.join(running), Result.succeed(14))
      const failing = yield* counting(own({ tools: [] }))
      const second = yield* next
      assert.deepStrictEqual(Object.keys(bodyOf(second)).toSorted(), ["messages", "model", "tools"])
      second.refuse(529, error("overloaded_error"))
      const failed = yield* Fiber.join(failing)
      assert(Result.isFailure(failed))
      assert.strictEqual(failed.failure.reason, "model_unavailable")
    }).pipe(upstream)
  )
})

describe("an answer of Anthropic that is none", () => {
  it.effect("says why, by status and type", () =>
    Effect.gen(function* () {
      const refused = (status: number, type: string, message?: string, headers?: Record<string, string>) =>
        failedWith((call) => call.refuse(status, error(type, message), headers))
      assert.deepStrictEqual(yield* refused(529, "overloaded_error"), ["model_unavailable", true, undefined])
      assert.deepStrictEqual(yield* refused(401, "authentication_error"), ["model_unauthorized", false, undefined])
      assert.deepStrictEqual(yield* refused(403, "permission_error"), ["model_unauthorized", false, undefined])
      assert.deepStrictEqual(yield* refused(404, "not_found_error", "model: x"), ["model_rejected", false, undefined])
      assert.deepStrictEqual(yield* refused(413, "request_too_large"), ["context_too_long", false, undefined])
      assert.deepStrictEqual(yield* refused(429, "rate_limit_error", "slow", { "retry-after": "7" }), [
        "model_rate_limited",
        true,
        7000
      ])
      assert.deepStrictEqual(yield* refused(500, "api_error"), ["model_error", true, undefined])
      assert.deepStrictEqual(yield* refused(400, "invalid_request_error", "messages: too odd"), [
        "model_rejected",
        false,
        undefined
      ])
      assert.deepStrictEqual(
        yield* refused(400, "invalid_request_error", "prompt is too long: 208310 tokens > 200000 maximum"),
        ["context_too_long", false, undefined]
      )
      // Refused with 400, and no fault of the request.
      assert.deepStrictEqual(
        yield* refused(400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
        ["model_unauthorized", false, undefined]
      )
      assert.deepStrictEqual(yield* refused(402, "billing_error"), ["model_unauthorized", false, undefined])
    })
  )

  it.effect("says why in the middle of it, too", () =>
    Effect.gen(function* () {
      const told = (type: string) => {
        const event = `event: error\ndata: ${error(type)}\n\n`
        return failedWith((call) => {
          call.head()
          call.end(START + BLOCK + say("Hel") + event + stop())
        })
      }
      assert.deepStrictEqual(yield* told("overloaded_error"), ["model_unavailable", true, undefined])
      assert.deepStrictEqual(yield* told("timeout_error"), ["model_timeout", true, undefined])
      assert.deepStrictEqual(yield* told("rate_limit_error"), ["model_rate_limited", true, undefined])
      assert.deepStrictEqual(yield* told("api_error"), ["model_error", true, undefined])
      assert.deepStrictEqual(yield* told("invalid_request_error"), ["model_rejected", false, undefined])
    })
  )

  it.effect("is cut, or garbage", () =>
    Effect.gen(function* () {
      const ended = (text: string, request = QUESTION) =>
        failedWith((call) => {
          call.head()
          call.end(text)
        }, request)
      for (const request of [QUESTION, own()]) {
        assert.deepStrictEqual(yield* ended(START + BLOCK + say("Hel"), request), ["model_cut", true, undefined])
        assert.deepStrictEqual(yield* ended("", request), ["model_cut", true, undefined])
        assert.deepStrictEqual(yield* ended("<html>", request), ["model_malformed", false, undefined])
        assert.deepStrictEqual(yield* ended("words", request), ["model_malformed", false, undefined])
        assert.deepStrictEqual(yield* ended("data: words\n\n", request), ["model_malformed", false, undefined])
        assert.deepStrictEqual(yield* ended('{"id":"chatcmpl-1","choices":[]}', request), [
          "model_malformed",
          false,
          undefined
        ])
        assert.deepStrictEqual(yield* ended(START + frame({ type: "message_stop" }), request), [
          "model_malformed",
          false,
          undefined
        ])
        assert.deepStrictEqual(yield* ended(error("api_error"), request), ["model_error", true, undefined])
        // The stop reason came, and only the last event did not.
        assert.deepStrictEqual(
          yield* ended(START + BLOCK + say("a") + stop().replace(frame({ type: "message_stop" }), ""), request),
          ["completed"]
        )
      }
    })
  )

  it.effect("is nested so deeply that it cannot be written again", () =>
    Effect.gen(function* () {
      const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`
      const ended = (text: string, request: typeof QUESTION) =>
        failedWith((call) => {
          call.head()
          call.end(text)
        }, request)
      const event = `data: {"type":"x_new","x":${deep}}\n\n`
      assert.deepStrictEqual(yield* ended(START + BLOCK + event + stop(), own()), ["model_malformed", false, undefined])
      const body = `{"type":"message","content":[${deep}],"stop_reason":"end_turn"}`
      assert.deepStrictEqual(yield* ended(body, own({ stream: false })), ["model_malformed", false, undefined])
    })
  )

  it.effect("is silence, but for pings", () =>
    Effect.gen(function* () {
      const asking = yield* ask()
      const call = yield* next
      call.head()
      call.write(START + frame({ type: "ping" }))
      yield* Effect.yieldNow
      const failed = yield* Effect.forkChild(asking.result, { startImmediately: true })
      while (asking.begun() === 0) yield* Effect.promise(() => new Promise((resume) => setImmediate(resume)))
      yield* TestClock.adjust("31 seconds")
      const result = yield* Fiber.join(failed)
      assert(Result.isFailure(result))
      assert.deepStrictEqual([result.failure.reason, asking.pieces.length], ["model_timeout", 0])
    }).pipe(upstream)
  )
})
