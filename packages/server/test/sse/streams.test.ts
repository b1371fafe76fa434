import { assert, layer } from "@effect/vitest"
import type { Actor } from "@llm-saas/domain/Actor"
import { Generations } from "@llm-saas/engine/generations/Generations"
import { type Call, Script } from "@llm-saas/testing/ScriptedLlm"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { newUser, until } from "@llm-saas/testing/EngineFixture"
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { randomUUID } from "node:crypto"
import { askingServer, Log, send } from "./AskingServer.ts"
import { json, type Reading, type Sending as Plain } from "./Reading.ts"

type Sending = Plain & { readonly actor?: Actor["Service"] }

/** The last event of an answer with this number of tokens. */
const done = (id: string, tokens: number) => `id: ${id}:${tokens + 1}\ndata: [DONE]\n\n`
const KEEP_ALIVE = ": keep-alive\n"

/** Asks, and returns when the question has reached the model: the answer's headers wait for its first token. */
const ask = Effect.fnUntraced(function* (
  actor: Actor["Service"],
  { path = "/messages/stream", ...sending }: Sending & { readonly path?: string } = {}
) {
  const script = yield* Script
  const fiber = yield* Effect.forkScoped(
    send("POST", path, { actor, json: { content: "What is a room?" }, ...sending })
  )
  const call = yield* script.next
  return { call, answer: Fiber.join(fiber) }
})

const say = (call: Call, ...pieces: ReadonlyArray<string>) => {
  for (const piece of pieces) call.emit(piece)
}

const idOf = (answer: Reading) => String(answer.headers["x-generation-id"])

/** The events of tokens, as text. */
const events = (id: string, tokens: ReadonlyArray<string>, after = 0) =>
  tokens
    .map((token, index) => `id: ${id}:${after + index + 1}\ndata: ${token.replaceAll("\n", "\ndata: ")}\n\n`)
    .join("")

const problem = (text: string): Readonly<Record<string, unknown>> =>
  JSON.parse(/event: error\ndata: (.*)\n\n$/u.exec(text)?.[1] ?? assert.fail(`no error: ${text}`))

const count = (text: string, part: string) => text.split(part).length - 1

layer(Layer.provideMerge(askingServer(), TestDatabase.layer))("a stream", (it) => {
  it.effect("is one event per token and [DONE], byte for byte, whatever the model says", () =>
    Effect.gen(function* () {
      const actor = yield* newUser()
      const { answer, call } = yield* ask(actor)
      say(call, "A", " room", " is:\r", "\n- 4 walls", "\n\ndata: [DONE]\n\n", "[DONE]", "🏠")
      call.complete()
      const reading = yield* answer
      const { text, whole } = yield* reading.end
      const id = idOf(reading)
      const tokens = ["A", " room", " is:\n", "- 4 walls", "\n\ndata: [DONE]\n\n", "[DONE", "]", "🏠"]
      assert.strictEqual(text, events(id, tokens) + done(id, 8))
      assert.isTrue(whole)
      assert.deepInclude(reading.headers, {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache, no-transform",
        "x-accel-buffering": "no"
      })
      const replay = yield* send("GET", `/generations/${id}/stream`, { actor })
      assert.strictEqual((yield* replay.end).text, text)
      const message = yield* json(yield* send("GET", "/messages", { actor }))
      assert.deepInclude((message["data"] as ReadonlyArray<object>)[0], { response: tokens.join("") })
    })
  )

  it.effect("has typed events where JSON is asked for, by the query or by Accept", () =>
    Effect.gen(function* () {
      const actor = yield* newUser()
      const first = yield* ask(actor, { path: "/messages/stream?format=json" })
      say(first.call, "a\nb", '"')
      first.call.complete({ usage: { input: 7, output: 2 } })
      const reading = yield* first.answer
      const { text } = yield* reading.end
      const id = idOf(reading)
      const [start, ...rest] = text.split("\n\n")
      assert.match(
        start ?? "",
        new RegExp(
          `^id: ${id}:0\ndata: \\{"type":"start","generation_id":"${id}","message_id":"[0-9a-f-]{36}","conversation_id":null,"model":"scripted-1"\\}$`,
          "u"
        )
      )
      const messageId = /"message_id":"([^"]*)"/u.exec(start ?? "")?.[1]
      assert.deepStrictEqual(rest, [
        `id: ${id}:1\ndata: {"type":"delta","seq":1,"text":"a\\nb"}`,
        `id: ${id}:2\ndata: {"type":"delta","seq":2,"text":"\\""}`,
        `data: {"type":"usage","tokens_in":7,"tokens_out":2,"approx_tokens_in":4,"approx_tokens_out":1,"latency_ms":0}`,
        `data: {"type":"end","status":"completed","finish_reason":"stop","message_id":"${messageId}","seq":2}`,
        `id: ${id}:3\ndata: [DONE]`,
        ""
      ])
      const resumed = yield* send("GET", `/generations/${id}/stream?after=1`, {
        actor,
        headers: { accept: "text/html, text/event-stream; format=json" }
      })
      assert.strictEqual((yield* resumed.end).text, text.replace(`${id}:0`, `${id}:1`).replace(`${rest[0]}\n\n`, ""))
    })
  )

  it.effect("fails with its status where the model fails before the first token", () =>
    Effect.gen(function* () {
      const actor = yield* newUser()
      const cases = [
        ["model_unauthorized", 502, "model_failed"],
        ["model_malformed", 502, "model_failed"],
        ["model_rate_limited", 503, "model_unavailable"],
        ["model_timeout", 504, "model_timed_out"]
      ] as const
      for (const [reason, status, code] of cases) {
        for (const path of ["/messages/stream", "/messages"]) {
          const { answer, call } = yield* ask(actor, { path })
          call.fail(reason, 7)
          const reading = yield* answer
          const body = yield* json(reading)
          assert.deepInclude(body, { status, code, reason, request_id: reading.headers["x-request-id"] })
          assert.deepStrictEqual(
            [reading.status, reading.headers["content-type"], reading.headers["retry-after"]],
            [status, "application/problem+json", status === 503 ? "7" : undefined]
          )
          const kept = yield* json(yield* send("GET", `/generations/${String(body["generation_id"])}`, { actor }))
          assert.deepInclude(kept, { status: "failed", failure: reason, text: "" })
          const followed = yield* send("GET", `/generations/${String(body["generation_id"])}/stream`, { actor })
          // It stays failed: no reader is told to come back for it.
          assert.deepStrictEqual(
            [followed.status, followed.headers["retry-after"]],
            [status === 503 ? 502 : status, undefined]
          )
        }
      }
    })
  )

  it.effect("begins after half a second, sends a keep-alive every 15 s, and ends with an error event", () =>
    Effect.gen(function* () {
      const actor = yield* newUser()
      const { answer, call } = yield* ask(actor)
      yield* TestClock.adjust("500 millis")
      const reading = yield* answer
      const id = idOf(reading)
      const opening = `${KEEP_ALIVE}id: ${id}:0\n`
      assert.strictEqual(yield* reading.until((text) => text.length >= opening.length), opening)
      yield* TestClock.adjust("14999 millis")
      yield* TestClock.adjust("1 millis")
      yield* TestClock.adjust("15 seconds")
      yield* reading.until((text) => count(text, KEEP_ALIVE) === 3)
      yield* TestClock.adjust("14 seconds")
      say(call, "one")
      yield* reading.until((text) => text.endsWith("data: one\n\n"))
      yield* TestClock.adjust("14 seconds")
      say(call, "two")
      yield* TestClock.adjust("5 millis")
      yield* reading.until((text) => text.endsWith("data: two\n\n"))
      call.fail("model_cut")
      const { text, whole } = yield* reading.end
      assert.strictEqual(count(text, KEEP_ALIVE), 3)
      assert.isTrue(text.startsWith(opening))
      assert.include(text, events(id, ["one", "two"]))
      assert.notInclude(text, "[DONE]")
      assert.isTrue(whole)
      assert.deepInclude(problem(text), {
        status: 502,
        code: "model_failed",
        reason: "model_cut",
        generation_id: id,
        request_id: reading.headers["x-request-id"]
      })
      assert.strictEqual(problem(text)["type"], "/problems/model_failed")
    })
  )

  it.effect("goes on where it was cut, by the id of its last event or by number, and asks nothing", () =>
    Effect.gen(function* () {
      const script = yield* Script
      const actor = yield* newUser()
      const { answer, call } = yield* ask(actor)
      say(call, "one", "two")
      const cut = yield* answer
      const id = idOf(cut)
      yield* cut.until((text) => text.includes("two"))
      cut.leave()
      const asked = script.asked()
      const question = { actor, json: { content: "What is a room?" }, headers: { "last-event-id": `${id}:1` } }
      const again = yield* send("POST", "/messages/stream", question)
      assert.strictEqual(idOf(again), id)
      yield* again.until((text) => text === events(id, ["two"], 1))
      const browser = yield* Effect.forkScoped(
        send("GET", "/messages/stream?content=What+is+a+room%3F", {
          actor,
          headers: { "last-event-id": `${id.toUpperCase()}:2` }
        })
      )
      const followed = yield* send("GET", `/generations/${id}/stream?after=0`, { actor })
      say(call, "three")
      call.complete()
      assert.strictEqual((yield* again.end).text, events(id, ["two", "three"], 1) + done(id, 3))
      const { text } = yield* (yield* Fiber.join(browser)).end
      assert.strictEqual(text, events(id, ["three"], 2) + done(id, 3))
      assert.strictEqual((yield* followed.end).text, events(id, ["one", "two", "three"]) + done(id, 3))
      const last = yield* send("GET", `/generations/${id}/stream?after=1`, {
        actor,
        headers: { "last-event-id": `${id}:3` }
      })
      assert.strictEqual((yield* last.end).text, done(id, 3))
      assert.strictEqual(script.asked(), asked)
    })
  )

  it.effect("is refused where the place is invalid, another answer's, or another user's", () =>
    Effect.gen(function* () {
      const actor = yield* newUser()
      const stranger = yield* newUser()
      const colleague = yield* newUser(actor.tenantId)
      const { answer, call } = yield* ask(actor)
      say(call, "secret")
      const reading = yield* answer
      const id = idOf(reading)
      const status = (path: string, sending: Sending) =>
        Effect.flatMap(send("GET", path, { actor, ...sending }), (answered) =>
          Effect.map(json(answered), (body) => [answered.status, body["code"]])
        )
      const place = (value: string) => ({ headers: { "last-event-id": value } })
      assert.deepStrictEqual(yield* status(`/generations/${id}/stream`, place(`${randomUUID()}:1`)), [
        404,
        "generation_not_found"
      ])
      for (const wrong of ["1", `${id}`, `${id}:x`, `${id}:-1`])
        assert.deepStrictEqual(
          yield* status(`/generations/${id}/stream`, place(wrong)),
          [400, "invalid_request"],
          wrong
        )
      for (const wrong of ["after=-1", "after=0x1", "after=", "format=xml"])
        assert.deepStrictEqual(yield* status(`/generations/${id}/stream?${wrong}`, {}), [400, "invalid_request"], wrong)
      for (const who of [stranger, colleague]) {
        for (const other of [id, randomUUID()]) {
          const known = yield* status(`/messages/stream?content=x`, { actor: who, ...place(`${other}:0`) })
          assert.deepStrictEqual(known, [404, "generation_not_found"])
          for (const path of [`/generations/${other}`, `/generations/${other}/stream`])
            assert.deepStrictEqual(yield* status(path, { actor: who }), [404, "generation_not_found"])
        }
      }
      call.complete()
      yield* reading.end
    })
  )

  it.effect("with an Idempotency-Key joins the answer that is there", () =>
    Effect.gen(function* () {
      const script = yield* Script
      const actor = yield* newUser()
      const headers = { "idempotency-key": "once" }
      const { answer, call } = yield* ask(actor, { headers })
      say(call, "one")
      const first = yield* answer
      const id = idOf(first)
      const asked = script.asked()
      const question = { actor, headers, json: { content: "What is a room?" } }
      const second = yield* send("POST", "/messages/stream", question)
      yield* second.until((text) => text === events(id, ["one"]))
      const waiting = yield* send("POST", "/messages", question)
      assert.deepInclude(yield* json(waiting), { status: 409, code: "still_running", generation_id: id })
      const other = yield* send("POST", "/messages", { ...question, json: { content: "Another?" } })
      assert.deepInclude(yield* json(other), { status: 422, code: "idempotency_mismatch" })
      const odd = yield* send("POST", "/messages", { ...question, headers: { "idempotency-key": "a b" } })
      assert.strictEqual(odd.status, 400)
      call.complete()
      assert.strictEqual((yield* second.end).text, (yield* first.end).text)
      const whole = yield* send("POST", "/messages", question)
      assert.strictEqual(whole.status, 201)
      assert.deepInclude(yield* json(whole), { generation_id: id, response: "one" })
      assert.strictEqual(script.asked(), asked)
    })
  )

  it.effect("ends when its answer is cancelled, or its question deleted", () =>
    Effect.gen(function* () {
      const actor = yield* newUser()
      const cancelled = yield* ask(actor)
      say(cancelled.call, "one")
      const first = yield* cancelled.answer
      const stopped = yield* json(yield* send("POST", `/generations/${idOf(first)}/cancel`, { actor }))
      assert.deepInclude(stopped, { status: "cancelled", text: "one", seq: 1 })
      yield* cancelled.call.aborted
      assert.deepInclude(problem((yield* first.end).text), { status: 409, code: "generation_cancelled" })

      const deleted = yield* ask(actor)
      say(deleted.call, "one")
      const second = yield* deleted.answer
      const generation = yield* json(yield* send("GET", `/generations/${idOf(second)}`, { actor }))
      const gone = yield* send("DELETE", `/messages/${String(generation["message_id"])}`, { actor })
      assert.strictEqual(gone.status, 204)
      yield* deleted.call.aborted
      assert.deepInclude(problem((yield* second.end).text), { code: "generation_cancelled" })
      assert.strictEqual((yield* send("GET", `/generations/${idOf(second)}`, { actor })).status, 404)
    })
  )

  it.effect("without a reader goes on for the grace period, and then the request to the model is aborted", () =>
    Effect.gen(function* () {
      const log = yield* Log
      const actor = yield* newUser()
      const { answer, call } = yield* ask(actor)
      say(call, "one")
      const reading = yield* answer
      yield* reading.until((text) => text.includes("one"))
      reading.leave()
      yield* until(Effect.sync(() => log.some((line) => line.includes(String(reading.headers["x-request-id"])))))
      const lines = log.filter((line) => line.includes(String(reading.headers["x-request-id"])))
      assert.deepStrictEqual(
        lines.map((line) => JSON.parse(line)).map(({ route, status, user }) => [route, status, user]),
        [["/messages/stream", 499, actor.userId]]
      )
      yield* Effect.raceFirst(call.aborted, until(Effect.succeed(false)))
      yield* until(
        Effect.map(
          Effect.flatMap(send("GET", `/generations/${idOf(reading)}`, { actor }), json),
          ({ status }) => status === "cancelled"
        )
      )
    })
  )

  it.effect("is one line in the log, when it is over", () =>
    Effect.gen(function* () {
      const log = yield* Log
      const actor = yield* newUser()
      const { answer, call } = yield* ask(actor, { headers: { "x-request-id": "my-stream" } })
      say(call, "one")
      const reading = yield* answer
      assert.isFalse(log.some((line) => line.includes("my-stream")))
      call.complete()
      yield* reading.end
      yield* until(Effect.sync(() => log.some((line) => line.includes("my-stream"))))
      const lines = log.filter((line) => line.includes("my-stream")).map((line) => JSON.parse(line))
      assert.strictEqual(lines.length, 1)
      assert.deepInclude(lines[0], { method: "POST", route: "/messages/stream", status: 200, tenant: actor.tenantId })
    })
  )

  it.effect("is not asked for by HEAD, nor by what does not fit", () =>
    Effect.gen(function* () {
      const script = yield* Script
      const actor = yield* newUser()
      const asked = script.asked()
      const status = (method: string, path: string, sending: Sending = {}) =>
        Effect.map(send(method, path, { actor, ...sending }), (answer) => answer.status)
      assert.strictEqual(yield* status("HEAD", "/messages/stream?content=x"), 405)
      assert.strictEqual(yield* status("HEAD", `/generations/${randomUUID()}/stream`), 405)
      assert.strictEqual(yield* status("GET", "/messages/stream"), 400)
      assert.strictEqual(yield* status("GET", "/messages/stream?content=%20"), 400)
      assert.strictEqual(yield* status("POST", "/messages/stream", { json: { content: " \n" } }), 400)
      assert.strictEqual(yield* status("POST", "/messages/stream", { json: { content: "x".repeat(1001) } }), 422)
      assert.strictEqual(yield* status("POST", "/messages/stream?format=xml", { json: { content: "x" } }), 400)
      assert.strictEqual(
        yield* status("POST", "/messages/stream", { json: { content: "x", conversation_id: randomUUID() } }),
        404
      )
      assert.strictEqual((yield* send("POST", "/messages/stream", { json: { content: "x" } })).status, 401)
      assert.strictEqual(script.asked(), asked)
    })
  )
})

layer(
  Layer.provideMerge(
    askingServer({ limits: { perUser: 2, perTenant: 10, waitingPerTenant: 10, atOnce: 1 } }),
    TestDatabase.layer
  ),
  { timeout: "120 seconds" }
)("a question that has to wait for its turn", (it) => {
  it.effect("is told so by a stream that began, and one too many is refused", () =>
    Effect.gen(function* () {
      const actor = yield* newUser()
      const { answer, call } = yield* ask(actor)
      say(call, "one")
      const first = yield* answer
      const waiting = yield* Effect.forkScoped(
        send("POST", "/messages/stream", { actor, json: { content: "Second?" } })
      )
      yield* until(Effect.map(Generations, ({ load }) => load().waiting === 1))
      const refused = yield* send("POST", "/messages/stream", { actor, json: { content: "Third?" } })
      assert.deepStrictEqual([refused.status, refused.headers["retry-after"]], [429, "2"])
      assert.deepInclude(yield* json(refused), { code: "too_many_requests" })
      yield* TestClock.adjust("500 millis")
      const second = yield* Fiber.join(waiting)
      assert.isUndefined(second.headers["x-generation-id"])
      yield* second.until((text) => text === KEEP_ALIVE)
      call.complete()
      yield* first.end
      const next = yield* Effect.flatMap(Script, (script) => script.next)
      yield* second.until((text) => /^: keep-alive\nid: [0-9a-f-]{36}:0\n$/u.test(text))
      say(next, "two")
      next.complete()
      const { text } = yield* second.end
      const id = /id: ([0-9a-f-]{36}):0/u.exec(text)?.[1] ?? ""
      assert.isTrue(text.endsWith(events(id, ["two"]) + done(id, 1)))
    })
  )

  it.effect("gives its place back when it is waited for no longer, and was never asked", () =>
    Effect.gen(function* () {
      const script = yield* Script
      const { load } = yield* Generations
      const actor = yield* newUser()
      const { answer, call } = yield* ask(actor)
      say(call, "one")
      const first = yield* answer
      const asked = script.asked()
      const waiting = yield* Effect.forkScoped(
        send("POST", "/messages/stream", { actor, json: { content: "Second?" } })
      )
      yield* until(Effect.sync(() => load().waiting === 1))
      yield* TestClock.adjust("500 millis")
      const second = yield* Fiber.join(waiting)
      second.leave()
      yield* until(Effect.sync(() => load().waiting === 0))
      call.complete()
      yield* first.end
      yield* until(Effect.sync(() => load().running === 0))
      assert.strictEqual(script.asked(), asked)
      const { data } = yield* json(yield* send("GET", "/messages", { actor }))
      assert.strictEqual(Array.isArray(data) && data.length, 1)
    })
  )

  it.effect("is refused by an event where it can be refused only then", () =>
    Effect.gen(function* () {
      const actor = yield* newUser()
      const { answer, call } = yield* ask(actor)
      say(call, "one")
      yield* answer
      const waiting = yield* Effect.forkScoped(
        send("POST", "/messages/stream", { actor, json: { content: "Where?", conversation_id: randomUUID() } })
      )
      yield* until(Effect.map(Generations, ({ load }) => load().waiting === 1))
      yield* TestClock.adjust("500 millis")
      const reading = yield* Fiber.join(waiting)
      call.complete()
      const { text } = yield* reading.end
      assert.deepInclude(problem(text), {
        code: "conversation_not_found",
        status: 404,
        request_id: reading.headers["x-request-id"]
      })
    })
  )
})
