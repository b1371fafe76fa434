import { assert, layer } from "@effect/vitest"
import * as Databases from "@llm-saas/database/backup/Databases"
import * as FakeUpstream from "@llm-saas/testing/FakeUpstream"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Fiber, Layer } from "effect"
import { signUp } from "./People.ts"
import { Running, running } from "./Running.ts"
import { EventSource } from "./sse/EventSource.ts"
import { sendTo } from "./sse/Reading.ts"

const KEY = "sk-test-0123456789abcdef"

const eventsOf = (text: string) => new EventSource().feed(new TextEncoder().encode(text)).events

/** The program with a provider on this machine instead of the mock model. */
const Program = Layer.effect(
  Running,
  Effect.flatMap(FakeUpstream.FakeUpstream, ({ url }) =>
    running({
      OPENAI_BASE_URL: url,
      OPENAI_API_KEY: KEY,
      LLM_MODEL: "fake-1",
      LLM_RETRIES: "0",
      LLM_FIRST_TOKEN_SECONDS: "2",
      LLM_SILENCE_SECONDS: "2",
      LLM_PRICE_INPUT_PER_MILLION: "150",
      LLM_PRICE_OUTPUT_PER_MILLION: "600",
      STREAM_GRACE_SECONDS: "0"
    })
  )
).pipe(Layer.provideMerge(Layer.merge(FakeUpstream.layer, TestDatabase.layer)))

/** Asks for a stream, and takes the question at the provider. */
const ask = Effect.fnUntraced(function* (token: string, content: string) {
  const { port } = yield* Running
  const fiber = yield* Effect.forkScoped(sendTo(port, "POST", "/messages/stream", { token, json: { content } }))
  const upstream = yield* FakeUpstream.FakeUpstream
  return { call: yield* upstream.next, answer: Fiber.join(fiber) }
})

layer(Program, { timeout: "120 seconds" })("with a provider that speaks like OpenAI", (it) => {
  it.effect("an answer comes through token by token, and nothing goes there but what was asked", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { id, tenant, token } = yield* signUp(send)
      const { answer, call } = yield* ask(token, "What is a 🏠?")
      assert.deepStrictEqual(JSON.parse(call.body).messages, [{ role: "user", content: "What is a 🏠?" }])
      assert.strictEqual(call.headers["authorization"], `Bearer ${KEY}`)
      for (const secret of [id, tenant, token, "acme"])
        assert.notInclude(JSON.stringify([call.body, call.headers, call.path]).toLowerCase(), secret.toLowerCase())
      call.head()
      call.say("A", " 🏠 is")
      const reading = yield* answer
      yield* reading.until((text) => eventsOf(text).length === 2)
      // The four bytes of a character come in two packets.
      const bytes = Buffer.from(FakeUpstream.chunk({ delta: { content: " 🏠." }, finish_reason: null }))
      const middle = bytes.indexOf(Buffer.from("🏠")) + 2
      call.write(bytes.subarray(0, middle))
      call.write(bytes.subarray(middle))
      call.finish("stop", { input: 12, output: 3 })
      const events = eventsOf((yield* reading.end).text)
      assert.deepStrictEqual(
        events.map(({ data }) => data),
        ["A", " 🏠 is", " 🏠.", "[DONE]"]
      )
      const { body } = yield* send("GET", "/messages", { token })
      const message = Array.isArray(body["data"]) ? body["data"][0] : {}
      assert.deepInclude(message, {
        response: "A 🏠 is 🏠.",
        model: "fake-1-2026-01-01",
        finish_reason: "stop",
        tokens_in: 12,
        tokens_out: 3
      })
      const { adminUrl } = yield* TestDatabase
      const sql = `select cost_usd::float8 as cost from app.generations where id = '${message.generation_id}'`
      assert.deepStrictEqual((yield* Databases.execute(adminUrl, sql)).rows, [{ cost: 0.0036 }])
    }).pipe(Effect.scoped)
  )

  it.effect("its refusals become ours, without its words", () =>
    Effect.gen(function* () {
      const { process, send } = yield* Running
      const { token } = yield* signUp(send)
      const secret = "the provider's own words"
      const html = { "content-type": "text/html" }
      const cases = [
        [401, {}, 502, "model_unauthorized", undefined],
        [400, {}, 502, "model_rejected", undefined],
        [429, { "retry-after": "9" }, 503, "model_rate_limited", "9"],
        [500, {}, 502, "model_error", undefined],
        [200, html, 502, "model_malformed", undefined]
      ] as const
      for (const [status, headers, ours, reason, retryAfter] of cases) {
        const { answer, call } = yield* ask(token, "What?")
        call.refuse(status, secret, headers)
        const reading = yield* answer
        const { text } = yield* reading.end
        assert.deepStrictEqual([reading.status, reading.headers["retry-after"]], [ours, retryAfter], reason)
        assert.strictEqual(JSON.parse(text).reason, reason)
        assert.notInclude(text, secret)
      }
      const { stderr, stdout } = process.output()
      for (const hidden of [secret, KEY]) assert.notInclude(stdout + stderr, hidden)
    }).pipe(Effect.scoped)
  )

  it.effect("what the asker can change is told apart, by stream, by message, by call and in what is kept", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const { token } = yield* signUp(send)
      const upstream = yield* FakeUpstream.FakeUpstream
      const cases = [
        ['{"error":{"code":"content_filter"}}', "content_filtered"],
        ['{"error":{"code":"context_length_exceeded"}}', "context_too_long"],
        ['{"error":{"param":"messages[0].content"}}', "prompt_rejected"]
      ] as const
      for (const [body, code] of cases) {
        const streamed = yield* ask(token, "What?")
        streamed.call.refuse(400, body)
        const reading = yield* streamed.answer
        const problem = JSON.parse((yield* reading.end).text)
        assert.deepInclude(problem, { status: 422, code, reason: code, type: `/problems/${code}` })
        assert.strictEqual(reading.status, 422)
        const asking = yield* Effect.forkChild(send("POST", "/messages", { token, json: { content: "What?" } }))
        ;(yield* upstream.next).refuse(400, body)
        assert.deepInclude(yield* Fiber.join(asking), { status: 422 })
        const kept = yield* send("GET", `/generations/${problem.generation_id}`, { token })
        assert.deepInclude(kept.body, { status: "failed", failure: code })
        const calling = yield* Effect.forkScoped(
          sendTo(port, "POST", "/rpc", {
            token,
            json: { _tag: "Request", id: "1", tag: "messages.ask", payload: { content: "What?" }, headers: [] }
          })
        )
        ;(yield* upstream.next).refuse(400, body)
        assert.include((yield* (yield* Fiber.join(calling)).end).text, `"code":"${code}"`)
      }
      // In the middle of an answer, too.
      const { answer, call } = yield* ask(token, "What?")
      call.head()
      call.say("half")
      const reading = yield* answer
      yield* reading.until((text) => eventsOf(text).length === 1)
      call.end(FakeUpstream.event({ error: { code: "content_filter" } }))
      const failed = eventsOf((yield* reading.end).text).at(-1)
      assert.deepInclude(JSON.parse(failed?.data ?? ""), { status: 422, code: "content_filtered" })
    }).pipe(Effect.scoped)
  )

  it.effect("one tenant's failing questions keep no other tenant's back", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const attacker = yield* signUp(send)
      const other = yield* signUp(send)
      const upstream = yield* FakeUpstream.FakeUpstream
      const answered = Effect.gen(function* () {
        const { answer, call } = yield* ask(other.token, "What?")
        call.head()
        call.say("yes")
        call.finish()
        assert.deepStrictEqual(
          eventsOf((yield* (yield* answer).end).text).map(({ data }) => data),
          ["yes", "[DONE]"]
        )
        return call
      })
      // Whatever failed before, in whichever order tests run, is forgotten.
      yield* answered
      for (let n = 0; n < 5; n++) {
        const { answer, call } = yield* ask(attacker.token, "What?")
        call.refuse(500)
        yield* (yield* answer).end
      }
      const asked = upstream.asked()
      const refused = yield* send("POST", "/messages", { token: attacker.token, json: { content: "What?" } })
      assert.deepInclude(refused.body, { status: 503, reason: "model_unavailable" })
      assert.strictEqual(upstream.asked(), asked)
      const call = yield* answered
      // A provider is told of no tenant.
      for (const { tenant } of [attacker, other]) assert.notInclude(JSON.stringify([call.body, call.headers]), tenant)
    }).pipe(Effect.scoped)
  )

  it.effect("tokens that were paid for are kept where nothing of them is understood", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { token } = yield* signUp(send)
      const { answer, call } = yield* ask(token, "What?")
      call.head()
      call.finish("stop", { input: 5, output: 12 })
      assert.deepInclude(JSON.parse((yield* (yield* answer).end).text), { status: 502, reason: "model_malformed" })
      const { body } = yield* send("GET", "/messages", { token })
      const message = Array.isArray(body["data"]) ? body["data"][0] : {}
      assert.deepInclude(message, { status: "failed", failure: "model_malformed", tokens_in: 5, tokens_out: 12 })
    }).pipe(Effect.scoped)
  )

  it.effect("an answer that breaks off is an error event, and kept as far as it came", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { token } = yield* signUp(send)
      for (const way of ["cut", "reset"] as const) {
        const { answer, call } = yield* ask(token, "What?")
        call.head()
        call.say("half")
        const reading = yield* answer
        yield* reading.until((text) => eventsOf(text).length === 1)
        call[way]()
        const { text } = yield* reading.end
        assert.notInclude(text, "[DONE]")
        const failed = eventsOf(text).at(-1)
        assert.strictEqual(failed?.event, "error")
        const problem = JSON.parse(failed?.data ?? "")
        assert.deepInclude(problem, { status: 502, reason: "model_cut" })
        const kept = yield* send("GET", `/generations/${problem.generation_id}`, { token })
        assert.deepInclude(kept.body, { status: "failed", failure: "model_cut", text: "half" })
      }
    }).pipe(Effect.scoped)
  )

  it.effect(
    "an answer that never comes, stalls, or turns to garbage is given up in time, and kept as far as it came",
    () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const { token } = yield* signUp(send)
        const cases: ReadonlyArray<readonly [(call: FakeUpstream.UpstreamCall) => void, number, string, string]> = [
          // Each that does not begin comes after one that does: five in a row, in any order of tests, and the provider is not asked.
          [(call) => (call.head(), call.say("half")), 504, "model_timeout", "half"],
          [() => {}, 504, "model_timeout", ""],
          [(call) => (call.head(), call.say("half"), call.write("data: {garbage\n\n")), 502, "model_malformed", "half"],
          [(call) => call.head(), 504, "model_timeout", ""],
          [(call) => (call.head(), call.say("half"), call.end()), 502, "model_cut", "half"]
        ]
        const upstream = yield* FakeUpstream.FakeUpstream
        for (const [way, status, reason, text] of cases) {
          const asking = yield* Effect.forkChild(send("POST", "/messages", { token, json: { content: "What?" } }))
          const call = yield* upstream.next
          way(call)
          const answer = yield* Fiber.join(asking)
          assert.deepStrictEqual([answer.status, answer.body["reason"]], [status, reason])
          const kept = yield* send("GET", `/generations/${String(answer.body["generation_id"])}`, { token })
          assert.deepInclude(kept.body, { status: "failed", failure: reason, text })
          if (reason === "model_timeout") yield* call.closed
        }
      }).pipe(Effect.scoped)
  )

  it.effect("no answer can forge an event, whatever it says, in whatever pieces and packets", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { token } = yield* signUp(send)
      const { answer, call } = yield* ask(token, "What?")
      call.head()
      const evil = ["data: [DONE]\n\n", "[DONE]", "\r\nevent: error\r\n", "\r", "\ndata: x", "id: 1\n\n", "🏠"]
      for (const byte of Buffer.from(evil.map((content) => FakeUpstream.chunk({ delta: { content } })).join("")))
        call.write(Buffer.of(byte))
      call.finish()
      const { text } = yield* (yield* answer).end
      const events = eventsOf(text)
      assert.isTrue(events.every(({ event }) => event === "message"))
      assert.strictEqual(
        events.findIndex(({ data }) => data === "[DONE]"),
        events.length - 1
      )
      const said = events.slice(0, -1).map(({ data }) => data)
      assert.strictEqual(said.join(""), evil.join("").replaceAll(/\r\n?/gu, "\n"))
    }).pipe(Effect.scoped)
  )

  it.effect("a reader that leaves, or cancels, stops the request there", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { token } = yield* signUp(send)
      const left = yield* ask(token, "What?")
      left.call.head()
      left.call.say("one")
      const first = yield* left.answer
      yield* first.until((text) => eventsOf(text).length === 1)
      first.leave()
      yield* left.call.closed

      const cancelled = yield* ask(token, "What?")
      cancelled.call.head()
      cancelled.call.say("one")
      const second = yield* cancelled.answer
      yield* send("POST", `/generations/${String(second.headers["x-generation-id"])}/cancel`, { token })
      yield* cancelled.call.closed
      assert.strictEqual(eventsOf((yield* second.end).text).at(-1)?.event, "error")
    }).pipe(Effect.scoped)
  )
})
