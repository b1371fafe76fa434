import { assert, layer } from "@effect/vitest"
import * as Databases from "@llm-saas/database/backup/Databases"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect } from "effect"
import { signUp } from "../People.ts"
import { Running, type Send } from "../Running.ts"
import { sendTo } from "../sse/Reading.ts"

// The doors on a running server, with the mock model.

const SERVER = Running.with({
  MOCK_TOKENS: "5",
  MOCK_TTFT_MS: "0",
  MOCK_DELAY_MS: "0",
  STREAM_GRACE_SECONDS: "0",
  TENANTS_PER_ADDRESS: "10000",
  REGISTRATIONS_PER_ADDRESS: "10000"
})

const member = (value: unknown, ...path: ReadonlyArray<string | number>): unknown =>
  path.reduce<unknown>((each, name) => Reflect.get(Object(each), name), value)

const user = (content: unknown) => [{ role: "user", content }]
const MODEL = "mock-1"

/** The data of each event of a stream. */
const dataOf = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/^data: (.*)$/gmu)].map(([, data]) => data ?? "")

const read = Effect.fnUntraced(function* (
  path: string,
  token: string,
  json: unknown,
  headers: Record<string, string> = {}
) {
  const { port } = yield* Running
  const reading = yield* sendTo(port, "POST", path, { token, json, headers })
  const { text } = yield* reading.end
  return { status: reading.status, headers: reading.headers, text }
}, Effect.scoped)

const keyOf = (send: Send, token: string, json: object) =>
  Effect.map(send("POST", "/keys", { token, json: { name: "a key", ...json } }), ({ body }) => String(body["key"]))

layer(SERVER, { timeout: "120 seconds", excludeTestServices: true })("below /v1", (it) => {
  it.effect("chat completions: answers with one value, which is a message of the native door too", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { token } = yield* signUp(send)
      const { body, headers, status } = yield* send("POST", "/v1/chat/completions", {
        token,
        json: { model: MODEL, messages: [{ role: "system", content: "Be brief." }, ...user("What is a room?")] }
      })
      assert.strictEqual(status, 200, JSON.stringify(body))
      const generation = headers.get("x-generation-id") ?? ""
      assert.strictEqual(body["id"], `chatcmpl-${generation.replaceAll("-", "")}`)
      assert.deepInclude(body, { object: "chat.completion", model: MODEL })
      assert.strictEqual(member(body, "choices", 0, "finish_reason"), "stop")
      assert.strictEqual(member(body, "usage", "completion_tokens"), 5)
      assert.match(headers.get("openai-processing-ms") ?? "", /^\d+$/u)
      assert.isAtMost(Math.abs(Number(body["created"]) - Date.now() / 1000), 60)
      const text = member(body, "choices", 0, "message", "content")
      const { body: kept } = yield* send("GET", `/generations/${generation}`, { token })
      assert.strictEqual(kept["text"], text)
      const { body: page } = yield* send("GET", "/messages", { token })
      assert.deepInclude(member(page, "data", 0), { content: "What is a room?", response: text })
    })
  )

  it.effect("chat completions: streams chunks, and ends with [DONE]", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { token } = yield* signUp(send)
      for (const usage of [true, false]) {
        const { headers, status, text } = yield* read("/v1/chat/completions", token, {
          model: MODEL,
          messages: user("What is a room?"),
          stream: true,
          ...(usage ? { stream_options: { include_usage: true } } : {})
        })
        assert.strictEqual(status, 200)
        assert.match(headers["content-type"] ?? "", /^text\/event-stream/u)
        const data = dataOf(text)
        assert.strictEqual(data.at(-1), "[DONE]")
        const chunks = data.slice(0, -1).map((each): unknown => JSON.parse(each))
        const id = `chatcmpl-${String(headers["x-generation-id"]).replaceAll("-", "")}`
        for (const chunk of chunks) assert.deepInclude(chunk, { id, object: "chat.completion.chunk", model: MODEL })
        assert.strictEqual(member(chunks[0], "choices", 0, "delta", "role"), "assistant")
        const reasons = chunks
          .map((chunk) => member(chunk, "choices", 0, "finish_reason"))
          .filter((each) => each !== null && each !== undefined)
        assert.deepStrictEqual(reasons, ["stop"])
        const last = chunks.at(-1)
        assert.strictEqual(member(last, "usage", "completion_tokens"), usage ? 5 : undefined)
      }
    })
  )

  it.effect(
    "chat completions: tells a failure by its status before the first byte, and by an event without [DONE] after it",
    () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const { token } = yield* signUp(send)
        const failing = (fault: string, stream: boolean) =>
          read("/v1/chat/completions", token, {
            model: MODEL,
            messages: user(`[[mock {"fault": "${fault}"}]]`),
            stream
          })
        for (const stream of [true, false]) {
          const before = yield* failing("before", stream)
          assert.strictEqual(before.status, 502)
          assert.strictEqual(member(JSON.parse(before.text), "error", "code"), "model_failed")
          assert.isUndefined(before.headers["x-should-retry"])
          const limited = yield* failing("rate-limit", stream)
          assert.deepStrictEqual([limited.status, limited.headers["retry-after"]], [503, "7"])
        }
        const whole = yield* failing("middle", false)
        assert.strictEqual(whole.status, 502)
        const cut = yield* failing("middle", true)
        assert.strictEqual(cut.status, 200)
        assert.notInclude(cut.text, "[DONE]")
        assert.notInclude(cut.text, "/problems/")
        const last = JSON.parse(dataOf(cut.text).at(-1) ?? "{}")
        assert.strictEqual(member(last, "error", "code"), "model_failed")
        assert.strictEqual(member(last, "error", "type"), "server_error")
      })
  )

  it.effect(
    "chat completions: takes a key in each of its headers, within its scopes and models, and a login's token",
    () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const { token } = yield* signUp(send)
        const chat = yield* keyOf(send, token, { scopes: ["chat"] })
        const ask = (headers: Record<string, string>, model = MODEL) =>
          Effect.map(
            send("POST", "/v1/chat/completions", {
              json: { model, messages: user("Hello?"), max_tokens: 10 },
              headers
            }),
            ({ body, headers, status }) => [status, member(body, "error", "code"), headers.get("x-should-retry")]
          )
        for (const headers of [
          { authorization: `Bearer ${chat}` },
          { "x-api-key": chat },
          { "api-key": chat },
          { authorization: `Bearer ${token}` }
        ])
          assert.deepStrictEqual(yield* ask(headers), [200, undefined, null])
        const reading = yield* keyOf(send, token, { scopes: ["messages:read"] })
        assert.deepStrictEqual(yield* ask({ "x-api-key": reading }), [403, "insufficient_scope", "false"])
        const other = yield* keyOf(send, token, { scopes: ["chat"], models: ["another"] })
        assert.deepStrictEqual(yield* ask({ "x-api-key": other }), [403, "model_not_found", "false"])
        assert.deepStrictEqual(yield* ask({ "x-api-key": chat }, "no-such"), [404, "model_not_found", "false"])
        assert.deepStrictEqual(yield* ask({ "x-api-key": "sk-nothing" }), [401, "invalid_api_key", "false"])
        assert.deepStrictEqual(yield* ask({}), [401, "invalid_api_key", "false"])
      })
  )

  it.effect("chat completions: says which member is wrong, whatever is sent", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { token } = yield* signUp(send)
      const cases: ReadonlyArray<readonly [json: unknown, param: string | null]> = [
        [{}, "messages"],
        [{ messages: user("a") }, "model"],
        [{ model: 7, messages: user("a") }, "model"],
        [{ model: MODEL, messages: "a" }, "messages"],
        [{ model: MODEL, messages: [7] }, "messages.0"],
        [{ model: MODEL, messages: user("a"), tools: 7 }, "tools"],
        [{ model: MODEL, messages: user("a"), n: 1e9 }, "n"],
        [{ model: MODEL, messages: user("a"), max_tokens: -1 }, "max_tokens"],
        [{ model: MODEL, messages: user("a"), stream: "yes" }, "stream"],
        [[], "payload"],
        [null, "payload"],
        ["a", "payload"]
      ]
      for (const [json, param] of cases) {
        const { body, headers, status } = yield* send("POST", "/v1/chat/completions", { token, json })
        assert.strictEqual(status, 400, JSON.stringify([json, body]))
        assert.strictEqual(member(body, "error", "type"), "invalid_request_error")
        assert.include([param, "model"], member(body, "error", "param"), JSON.stringify([json, body]))
        assert.strictEqual(headers.get("x-should-retry"), "false")
      }
    })
  )

  it.effect("chat completions: takes what is large or strange, and keeps it", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { token } = yield* signUp(send)
      const tools = Array.from({ length: 10_000 }, (_, index) => ({
        type: "function",
        function: { name: `tool_${index}`, parameters: { type: "object" } }
      }))
      const call = (text: string) => ({
        role: "assistant",
        tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: text } }]
      })
      const image = `data:image/png;base64,${"A".repeat(3_000_000)}`
      const strange: ReadonlyArray<object> = [
        { tools },
        { messages: [...user("a"), call("x".repeat(2_000_000)), { role: "tool", tool_call_id: "c", content: "b" }] },
        {
          messages: user([
            { type: "text", text: "What?" },
            { type: "image_url", image_url: { url: image } }
          ])
        },
        { messages: user("NUL \u0000 and half \ud800 of a pair") },
        { messages: user([{ type: "image_url", image_url: { url: "https://example.com/a.png" } }]) },
        { messages: user("a"), nobody_knows: { this: [1, "\u0000", "\udfff"] }, __proto__: { a: 1 }, constructor: 7 },
        { messages: user("a"), metadata: null, user: "u", "": "" }
      ]
      for (const more of strange) {
        const answer = yield* send("POST", "/v1/chat/completions", {
          token,
          json: { model: MODEL, messages: user("a"), ...more }
        })
        assert.strictEqual(answer.status, 200, JSON.stringify(answer.body))
      }
      assert.strictEqual((yield* send("GET", "/messages", { token })).status, 200)
    })
  )

  it.effect("chat completions: refuses a body beyond its limit, and takes none of a stranger", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { token } = yield* signUp(send)
      const body = `{"model":"${MODEL}","messages":[{"role":"user","content":"${"x".repeat(33_000_000)}"}]}`
      const headers = { "content-type": "application/json" }
      for (const path of ["/v1/chat/completions", "/v1/messages"]) {
        const large = yield* send("POST", path, { token, body: `${body}${" ".repeat(1_000_000)}`, headers })
        assert.deepStrictEqual([large.status, large.headers.get("x-should-retry")], [413, "false"])
      }
      const deep = `{"model":"${MODEL}","messages":${"[".repeat(70)}${"]".repeat(70)}}`
      assert.strictEqual((yield* send("POST", "/v1/chat/completions", { token, body: deep, headers })).status, 400)
    })
  )

  it.effect("chat completions: gives a repeated request the same answer, by its key or as another try of an SDK", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { token } = yield* signUp(send)
      const ask = (headers: Record<string, string>, content = "What is a room?") =>
        send("POST", "/v1/chat/completions", { token, json: { model: MODEL, messages: user(content) }, headers })
      const first = yield* ask({ "idempotency-key": "a" })
      const again = yield* ask({ "idempotency-key": "a" })
      assert.strictEqual(again.headers.get("idempotency-replayed"), "true")
      assert.deepStrictEqual(again.body, first.body)
      const other = yield* ask({ "idempotency-key": "a" }, "And a house?")
      assert.deepStrictEqual(
        [other.status, member(other.body, "error", "code"), other.headers.get("x-should-retry")],
        [422, "idempotency_mismatch", "false"]
      )
      const tried = yield* ask({ "x-stainless-retry-count": "0" })
      const retried = yield* ask({ "x-stainless-retry-count": "1" })
      assert.strictEqual(retried.body["id"], tried.body["id"])
      const fresh = yield* ask({ "x-stainless-retry-count": "0" })
      assert.notStrictEqual(fresh.body["id"], tried.body["id"])
    })
  )

  it.effect("chat completions: keeps no content of a request with store: false", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { token } = yield* signUp(send)
      const { headers } = yield* send("POST", "/v1/chat/completions", {
        token,
        json: { model: MODEL, messages: user("What?"), store: false }
      })
      const { adminUrl } = yield* TestDatabase
      const sql = `select content, source from app.generations where id = '${headers.get("x-generation-id")}'`
      assert.deepStrictEqual((yield* Databases.execute(adminUrl, sql)).rows, [
        { content: "leaving", source: "chat.completions" }
      ])
    })
  )

  const request = (more: object = {}) => ({ model: MODEL, max_tokens: 100, messages: user("What is a room?"), ...more })

  it.effect("messages: answers with one value, and with events", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { token } = yield* signUp(send)
      const { body, headers, status } = yield* send("POST", "/v1/messages?beta=true", { token, json: request() })
      assert.strictEqual(status, 200, JSON.stringify(body))
      const generation = headers.get("x-generation-id") ?? ""
      assert.deepInclude(body, {
        id: `msg_${generation.replaceAll("-", "")}`,
        type: "message",
        role: "assistant",
        model: MODEL,
        stop_reason: "end_turn"
      })
      assert.strictEqual(headers.get("request-id"), headers.get("x-request-id"))
      const streamed = yield* read("/v1/messages", token, request({ stream: true }))
      const types = [...streamed.text.matchAll(/^event: (.*)$/gmu)].map(([, type]) => type)
      assert.deepStrictEqual([types[0], types.at(-1)], ["message_start", "message_stop"])
      const text = dataOf(streamed.text)
        .map((each): unknown => member(JSON.parse(each), "delta", "text"))
        .filter((each) => typeof each === "string")
        .join("")
      assert.strictEqual(text, member(body, "content", 0, "text"))
      assert.isAbove(
        Number(member(JSON.parse(dataOf(streamed.text)[0] ?? "{}"), "message", "usage", "input_tokens")),
        0
      )
    })
  )

  it.effect("messages: tells a failure in its own form, before and after the first byte", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { token } = yield* signUp(send)
      const failing = (fault: string) =>
        read("/v1/messages", token, request({ messages: user(`[[mock {"fault": "${fault}"}]]`), stream: true }))
      const before = yield* failing("before")
      assert.strictEqual(before.status, 502)
      assert.deepInclude(JSON.parse(before.text), { type: "error", request_id: before.headers["request-id"] })
      assert.strictEqual(member(JSON.parse(before.text), "error", "type"), "api_error")
      const cut = yield* failing("middle")
      assert.strictEqual(cut.status, 200)
      assert.notInclude(cut.text, "message_stop")
      assert.notInclude(cut.text, "/problems/")
      assert.strictEqual([...cut.text.matchAll(/^event: (.*)$/gmu)].at(-1)?.[1], "error")
      assert.strictEqual(member(JSON.parse(dataOf(cut.text).at(-1) ?? "{}"), "error", "type"), "api_error")
    })
  )

  it.effect("messages: says what is wrong, and who may not", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { token } = yield* signUp(send)
      const key = yield* keyOf(send, token, { scopes: ["chat"] })
      const ask = (headers: Record<string, string>, json: unknown = request()) =>
        Effect.map(send("POST", "/v1/messages", { json, headers }), ({ body, status }) => [
          status,
          member(body, "error", "type")
        ])
      for (const headers of [
        { authorization: `Bearer ${key}` },
        { "x-api-key": key, "anthropic-version": "2023-06-01" }
      ])
        assert.deepStrictEqual(yield* ask(headers), [200, undefined])
      assert.deepStrictEqual(yield* ask({ "x-api-key": "sk-nothing" }), [401, "authentication_error"])
      assert.deepStrictEqual(yield* ask({ "x-api-key": key }, request({ model: "no-such" })), [404, "not_found_error"])
      for (const more of [
        { max_tokens: undefined },
        { messages: 7 },
        { messages: [] },
        { model: 7 },
        { messages: [{ role: "x", content: "a" }] }
      ])
        assert.deepStrictEqual(
          yield* ask({ "x-api-key": key }, request(more)),
          [400, "invalid_request_error"],
          JSON.stringify(more)
        )
      const reading = yield* keyOf(send, token, { scopes: ["messages:read"] })
      assert.deepStrictEqual(yield* ask({ "x-api-key": reading }), [403, "permission_error"])
    })
  )

  it.effect("messages: counts tokens, and asks nothing", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { token } = yield* signUp(send)
      const count = (json: unknown) => send("POST", "/v1/messages/count_tokens", { token, json })
      const { body, status } = yield* count({ model: MODEL, messages: user("What is a room?") })
      assert.strictEqual(status, 200, JSON.stringify(body))
      assert.isAbove(Number(body["input_tokens"]), 3)
      assert.strictEqual((yield* count({ model: "no-such", messages: user("a") })).status, 404)
      assert.strictEqual((yield* count({ model: MODEL })).status, 400)
      assert.deepStrictEqual((yield* send("GET", "/messages", { token })).body["data"], [])
    })
  )

  it.effect("models: lists the models that the caller may ask, in three forms", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { token } = yield* signUp(send)
      const list = (headers: Record<string, string>, query = "") => send("GET", `/v1/models${query}`, { headers })
      const login = { authorization: `Bearer ${token}` }
      assert.deepInclude(member((yield* list(login)).body, "data", 0), { id: MODEL, object: "model", owned_by: "mock" })
      const anthropic = yield* list({ ...login, "anthropic-version": "2023-06-01" }, "?limit=1000&before_id=x")
      assert.deepInclude(anthropic.body, { has_more: false, first_id: MODEL, last_id: MODEL })
      assert.deepInclude(member(anthropic.body, "data", 0), { type: "model", id: MODEL })
      assert.strictEqual(member((yield* list(login, "?client_version=1.0")).body, "models", 0, "slug"), MODEL)

      const allowed = yield* keyOf(send, token, { scopes: ["chat"], models: [MODEL] })
      assert.strictEqual(member((yield* list({ "x-api-key": allowed })).body, "data", "length"), 1)
      for (const json of [{ scopes: ["chat"], models: ["another"] }, { scopes: ["messages:read"] }]) {
        const key = yield* keyOf(send, token, json)
        assert.deepStrictEqual((yield* list({ "x-api-key": key })).body["data"], [])
        assert.strictEqual((yield* send("GET", `/v1/models/${MODEL}`, { headers: { "x-api-key": key } })).status, 404)
      }
      assert.strictEqual((yield* send("GET", `/v1/models/${MODEL}`, { token })).body["id"], MODEL)
      const none = yield* send("GET", "/v1/models/vendor%2Fno-such", { token })
      assert.deepStrictEqual([none.status, member(none.body, "error", "code")], [404, "model_not_found"])
    })
  )

  it.effect("models: is refused to a user who may not enter any more", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const admin = yield* signUp(send)
      const { id, token } = yield* signUp(send, admin.tenant)
      yield* send("PATCH", `/admin/users/${id}`, { token: admin.token, json: { status: "disabled" } })
      const { body, status } = yield* send("GET", "/v1/models", { token })
      assert.deepStrictEqual([status, member(body, "error", "code")], [401, "invalid_api_key"])
    })
  )
})
