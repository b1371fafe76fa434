import { assert, describe, it } from "@effect/vitest"
import { DONE, event, type UpstreamCall } from "@llm-saas/testing/FakeUpstream"
import { Effect } from "effect"
import { type Prompt, QUESTION, ask, next, logged, withUpstream } from "./AskedProvider.ts"

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
