import { assert, layer } from "@effect/vitest"
import * as Databases from "@llm-saas/database/backup/Databases"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { type Person, signUp } from "./People.ts"
import { Running, running, type Send } from "./Running.ts"
import { EventSource } from "./sse/EventSource.ts"
import { sendTo } from "./sse/Reading.ts"

// Questions that are more than a text, on a running server. The mock calls tools that the question names, keeps to schemas, and says what
// it saw and what tools said.

const SERVER = {
  MOCK_TOKENS: "5",
  MOCK_TTFT_MS: "0",
  MOCK_DELAY_MS: "0",
  TENANTS_PER_ADDRESS: "10000",
  REGISTRATIONS_PER_ADDRESS: "10000"
}

const WEATHER = {
  name: "get_weather",
  description: "The weather at a place.",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
}
const TIME = { name: "get_time", parameters: { type: "object", properties: {} } }
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="

const member = (value: unknown, ...path: ReadonlyArray<string | number>): unknown =>
  path.reduce<unknown>((each, name) => Reflect.get(Object(each), name), value)

const ask = (send: Send, { token }: Person, json: object, headers: Record<string, string> = {}) =>
  send("POST", "/messages", { token, json, headers })

const begin = (send: Send, { token }: Person, json: object) =>
  Effect.map(send("POST", "/conversations", { token, json }), ({ body }) => String(body["id"]))

const callsOf = (body: unknown): ReadonlyArray<{ id: string; name: string; arguments: string }> => {
  const calls = member(body, "tool_calls")
  return Array.isArray(calls) ? calls : []
}

const stored = Effect.fnUntraced(function* (id: unknown) {
  const { adminUrl } = yield* TestDatabase
  const { rows } = yield* Databases.execute(
    adminUrl,
    `select request, tool_calls from app.messages where id = '${String(id)}'`
  )
  return rows[0]
})

const eventsOf = (text: string) =>
  new EventSource()
    .feed(new TextEncoder().encode(text))
    .events.filter(({ data }) => data !== "[DONE]")
    .map(({ data, lastEventId }) => ({ id: lastEventId, event: JSON.parse(data) }))

layer(Running.with(SERVER), { timeout: "120 seconds", excludeTestServices: true })("questions", (it) => {
  it.effect("with tools: the calls are in the answer, in lists and in the message", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* signUp(send)
      const { body, status } = yield* ask(send, person, { content: "What is the weather in Paris?", tools: [WEATHER] })
      assert.strictEqual(status, 201, JSON.stringify(body))
      assert.deepInclude(body, { response: "", finish_reason: "tool_calls" })
      const calls = callsOf(body)
      assert.deepStrictEqual(calls, [{ id: "call_mock_1", name: "get_weather", arguments: '{"city":"Paris"}' }])
      const { token } = person
      const { body: read } = yield* send("GET", `/messages/${body["id"]}`, { token })
      assert.deepStrictEqual(read, body)
      const { body: page } = yield* send("GET", "/messages", { token })
      assert.deepStrictEqual(member(page, "data", 0), body)
      const row = yield* stored(body["id"])
      assert.deepStrictEqual(JSON.parse(String(row?.["request"])), {
        content: "What is the weather in Paris?",
        tools: [WEATHER]
      })
      const { body: plain } = yield* ask(send, person, { content: "What is the weather in Paris?" })
      assert.strictEqual(plain["tool_calls"], null)
      assert.deepInclude(yield* stored(plain["id"]), { request: null, tool_calls: null })
    })
  )

  it.effect("with results, alone: the question again, and with each result its call", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* signUp(send)
      const question = { content: "What are weather and time in Paris?", tools: [WEATHER, TIME] }
      const { body } = yield* ask(send, person, question)
      const results = callsOf(body).map((call) => ({ ...call, content: `${call.name} is fine` }))
      assert.lengthOf(results, 2)
      const { body: answered, status } = yield* ask(send, person, { ...question, tool_results: results })
      assert.strictEqual(status, 201, JSON.stringify(answered))
      assert.match(
        String(answered["response"]),
        /^get_weather says: get_weather is fine\. get_time says: get_time is fine\./u
      )
      const { body: nameless, status: refused } = yield* ask(send, person, {
        ...question,
        tool_results: [{ id: "call_mock_1", content: "fine" }]
      })
      assert.strictEqual(refused, 400)
      assert.deepStrictEqual(member(nameless, "errors", 0, "path"), ["payload", "tool_results", 0, "name"])
    })
  )

  it.effect("in a conversation: results answer the last answer's calls, and stay part of it", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* signUp(send)
      const conversation_id = yield* begin(send, person, { system: "Be brief." })
      const tools = [WEATHER]
      yield* ask(send, person, { content: "What is the weather in Paris?", conversation_id, tools })
      const wrong = [
        [{ id: "call_mock_2", content: "Rain" }],
        [
          { id: "call_mock_1", content: "Rain" },
          { id: "call_mock_2", content: "Rain" }
        ]
      ]
      for (const tool_results of wrong) {
        const { body, status } = yield* ask(send, person, { conversation_id, tools, tool_results })
        assert.strictEqual(status, 400, JSON.stringify(body))
        assert.deepStrictEqual(member(body, "errors", 0, "path"), ["payload", "tool_results"])
      }
      const headers = { "idempotency-key": randomUUID() }
      const results = { conversation_id, tools, tool_results: [{ id: "call_mock_1", content: "Rain" }] }
      const first = yield* ask(send, person, results, headers)
      assert.strictEqual(first.status, 201, JSON.stringify(first.body))
      assert.match(String(first.body["response"]), /^get_weather says: Rain\./u)
      assert.strictEqual(first.body["content"], "Rain")
      // Another try is the same answer, although the last answer is now another.
      const again = yield* ask(send, person, results, headers)
      assert.deepStrictEqual(again.body, first.body)
      const other = yield* ask(send, person, { ...results, temperature: 1 }, headers)
      assert.deepInclude(other.body, { code: "idempotency_mismatch" })
      // A second round, and then a plain question.
      const second = yield* ask(send, person, { content: "And the weather in Rome?", conversation_id, tools })
      assert.strictEqual(callsOf(second.body)[0]?.arguments, '{"city":"Rome"}')
      const third = yield* ask(send, person, {
        conversation_id,
        tool_results: [{ id: "call_mock_1", content: "Sun" }]
      })
      assert.match(String(third.body["response"]), /^get_weather says: Sun\./u, JSON.stringify(third.body))
      const fourth = yield* ask(send, person, { content: "Thank you.", conversation_id })
      assert.strictEqual(fourth.status, 201)
      // All of it was sent: the texts, and the calls with their results.
      assert.isAbove(Number(fourth.body["tokens_in"]), Number(third.body["tokens_in"]))
    })
  )

  it.effect("of a conversation that is not theirs: none, for another user and another tenant", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* signUp(send)
      const conversation_id = yield* begin(send, person, { model: "mock-1", system: "Be brief." })
      yield* ask(send, person, { content: "What is the weather in Paris?", conversation_id, tools: [WEATHER] })
      const stranger = yield* signUp(send)
      const questions = [
        { content: "And now?" },
        { tool_results: [{ id: "call_mock_1", content: "Rain" }], tools: [WEATHER] },
        { content: "And now?", model: "mock-1", system: "Say all." }
      ]
      for (const question of questions) {
        const { body, status } = yield* ask(send, stranger, { ...question, conversation_id })
        assert.deepStrictEqual([status, body["code"]], [404, "conversation_not_found"])
      }
      const change = yield* send("PATCH", `/conversations/${conversation_id}`, {
        token: stranger.token,
        json: { system: "Say all." }
      })
      assert.strictEqual(change.status, 404)
      const { body } = yield* send("GET", `/conversations/${conversation_id}`, { token: person.token })
      assert.deepInclude(body, { model: "mock-1", system: "Be brief." })
    })
  )

  it.effect("with attachments: by type, as bytes or by address, beyond the size of other bodies", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* signUp(send)
      const seen = Effect.fnUntraced(function* (attachments: ReadonlyArray<object>) {
        const { body, status } = yield* ask(send, person, { content: "What is this?", attachments })
        assert.strictEqual(status, 201, JSON.stringify(body))
        return String(body["response"])
      })
      assert.match(yield* seen([{ media_type: "image/png", data: PNG }]), /^I see an image \(image\/png, 70 bytes\)\./u)
      assert.match(
        yield* seen([
          { media_type: "image/jpeg", url: "https://images.test/a.jpg" },
          { media_type: "application/pdf", data: "JVBERg==", name: "a.pdf" },
          { media_type: "audio/mpeg", data: "SUQz" }
        ]),
        /^I see an image \(by its address\) and a file \(a\.pdf, application\/pdf, 4 bytes\) and a sound \(mp3, 3 bytes\)\./u
      )
      const large = "A".repeat(4_000_000)
      assert.match(yield* seen([{ media_type: "image/png", data: large }]), /image\/png, 3000000 bytes/u)
      const { status } = yield* send("POST", "/conversations", { token: person.token, json: { system: large } })
      assert.strictEqual(status, 413)
    })
  )

  it.effect("in a form: JSON by a schema, an instruction, a limit", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* signUp(send)
      const { body } = yield* ask(send, person, {
        content: "Tell me about rooms.",
        response_format: {
          name: "about",
          schema: { type: "object", properties: { topic: { type: "string" } }, required: ["topic"] }
        }
      })
      assert.hasAllKeys(JSON.parse(String(body["response"])), ["topic"])
      const { body: cut } = yield* ask(send, person, { content: "Tell me about rooms.", max_tokens: 2, temperature: 0 })
      assert.deepInclude(cut, { finish_reason: "length", tokens_out: 2 })
      const { body: instructed } = yield* ask(send, person, { content: "Hello", system: "Be brief. ".repeat(100) })
      const { body: plain } = yield* ask(send, person, { content: "Hello" })
      assert.isAbove(Number(instructed["tokens_in"]), Number(plain["tokens_in"]) + 100)
    })
  )

  it.effect("that do not fit say where", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* signUp(send)
      const content = "Hello"
      const tool = { name: "a" }
      const wrong: ReadonlyArray<readonly [object, ...ReadonlyArray<string | number>]> = [
        [{}, "content"],
        [{ attachments: [{ media_type: "image/png", data: PNG }] }, "content"],
        [{ tool_results: [{ id: "a", name: "a", content: "b" }] }, "content"],
        [{ content, model: "" }, "model"],
        [{ content, system: " " }, "system"],
        [{ content, temperature: 2.1 }, "temperature"],
        [{ content, max_tokens: 0 }, "max_tokens"],
        [{ content, tools: [{ name: "a b" }] }, "tools", 0, "name"],
        [{ content, tools: [tool, tool] }, "tools", 1, "name"],
        [{ content, tools: [{ name: "a", parameters: "none" }] }, "tools", 0, "parameters"],
        [{ content, tools: Array.from({ length: 200 }, (_, index) => ({ name: `t${index}` })) }, "tools"],
        [{ content, tool_choice: { name: "b" }, tools: [tool] }, "tool_choice", "name"],
        [{ content, tool_choice: "required" }, "tools"],
        [{ content, tool_choice: "always", tools: [tool] }, "tool_choice"],
        [{ content, response_format: "xml" }, "response_format"],
        [{ content, attachments: [{ media_type: "png", data: PNG }] }, "attachments", 0, "media_type"],
        [{ content, attachments: [{ media_type: "image/png" }] }, "attachments", 0, "data"],
        [{ content, attachments: [{ media_type: "image/png", data: "a%b=" }] }, "attachments", 0, "data"],
        [{ content, attachments: [{ media_type: "image/png", url: "http://a.test/" }] }, "attachments", 0, "url"],
        [{ content, attachments: [{ media_type: "audio/wav", url: "https://a.test/" }] }, "attachments", 0, "url"]
      ]
      for (const [json, ...path] of wrong) {
        const { body, status } = yield* ask(send, person, json)
        assert.strictEqual(status, 400, JSON.stringify(json))
        assert.strictEqual(body["code"], "invalid_request")
        assert.deepStrictEqual(member(body, "errors", 0, "path"), ["payload", ...path], JSON.stringify(body))
      }
      const { body, status } = yield* ask(send, person, { content, model: "gpt-none" })
      assert.deepStrictEqual([status, body["code"], body["model"]], [404, "model_not_found", "gpt-none"])
    })
  )

  it.effect("in a conversation take its model and instructions; a key for that model alone too", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* signUp(send)
      const { token } = person
      const none = yield* send("POST", "/conversations", { token, json: { model: "gpt-none" } })
      assert.deepStrictEqual([none.status, none.body["code"]], [404, "model_not_found"])
      const conversation_id = yield* begin(send, person, { model: "mock-1" })
      const key = yield* send("POST", "/keys", {
        token,
        json: { name: "a key", scopes: ["chat", "messages:write"], models: ["other"] }
      })
      const other = { ...person, token: String(key.body["key"]) }
      for (const json of [
        { content: "Hello" },
        { content: "Hello", conversation_id },
        { content: "Hello", model: "mock-1" }
      ]) {
        const { body, status } = yield* ask(send, other, json)
        assert.deepStrictEqual([status, body["code"], body["model"]], [403, "model_not_allowed", "mock-1"])
      }
      const set = yield* send("PATCH", `/conversations/${conversation_id}`, {
        token: other.token,
        json: { model: "mock-1" }
      })
      assert.deepStrictEqual([set.status, set.body["code"]], [403, "model_not_allowed"])
      const nothing = yield* send("PATCH", `/conversations/${conversation_id}`, { token, json: {} })
      assert.strictEqual(nothing.status, 400)
      // Members that are left out stay; null takes away.
      const system = "Be brief. ".repeat(100)
      const { body: changed } = yield* send("PATCH", `/conversations/${conversation_id}`, { token, json: { system } })
      assert.deepInclude(changed, { model: "mock-1", system, title: null })
      const { body: long } = yield* ask(send, person, { content: "Hello", conversation_id })
      assert.isAbove(Number(long["tokens_in"]), 100)
      const { body: own } = yield* ask(send, person, { content: "Hello", conversation_id, system: "Be brief." })
      assert.isBelow(Number(own["tokens_in"]), 100)
      const { body: reset } = yield* send("PATCH", `/conversations/${conversation_id}`, {
        token,
        json: { system: null, model: null, title: "Rooms" }
      })
      assert.deepInclude(reset, { model: null, system: null, title: "Rooms" })
      const { body: short } = yield* ask(send, person, { content: "Hello", conversation_id })
      assert.isBelow(Number(short["tokens_in"]), 100)
      const { body: list } = yield* send("GET", "/conversations", { token })
      assert.deepStrictEqual(member(list, "data", 0, "system"), null)
    })
  )

  it.effect("with a key: the same question once, at either address, and as text and as JSON", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const person = yield* signUp(send)
      const headers = { "idempotency-key": randomUUID() }
      const json = { content: "What is the weather in Paris?", tools: [WEATHER], model: "mock-1" }
      const { body } = yield* ask(send, person, json, headers)
      // The order of members does not matter.
      const turned = { model: "mock-1", tools: [WEATHER], content: json.content }
      const again = yield* ask(send, person, turned, headers)
      assert.deepStrictEqual(again.body, body)
      const reading = yield* sendTo(port, "POST", "/messages/stream", { token: person.token, json, headers })
      assert.strictEqual(reading.headers["x-generation-id"], body["generation_id"])
      // A call is no text.
      assert.match((yield* reading.end).text, /^id: [^\n]+\ndata: \[DONE\]\n\n$/u)
      const differs = yield* ask(send, person, { ...json, tools: [WEATHER, TIME] }, headers)
      assert.deepInclude(differs.body, { code: "idempotency_mismatch" })
    }).pipe(Effect.scoped)
  )

  it.effect("stream: thoughts and calls are events of their own, resumed at another process at any place", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const other = yield* running(SERVER)
      const person = yield* signUp(send)
      const { token } = person
      const reading = yield* sendTo(port, "POST", "/messages/stream?format=json", {
        token,
        json: { content: "What are weather and time in Paris?", tools: [WEATHER, TIME] }
      })
      const events = eventsOf((yield* reading.end).text)
      assert.deepStrictEqual(events.at(-1)?.event.type, "end")
      const pieces = events.filter(({ event }) => event.type === "tool_call")
      assert.deepInclude(pieces[0]?.event, { index: 0, id: "call_mock_1", name: "get_weather", arguments: "" })
      const whole = (index: number) =>
        pieces
          .filter(({ event }) => event.index === index)
          .map(({ event }) => event.arguments)
          .join("")
      assert.deepStrictEqual([whole(0), whole(1)], ['{"city":"Paris"}', "{}"])
      for (const [place, { id }] of pieces.entries()) {
        const resumed = yield* sendTo(other.port, "GET", `/generations/${id.split(":")[0]}/stream?format=json`, {
          token,
          headers: { "last-event-id": id }
        })
        const rest = eventsOf((yield* resumed.end).text).filter(({ event }) => event.type === "tool_call")
        assert.deepStrictEqual(rest, pieces.slice(place + 1))
      }
    }).pipe(Effect.scoped)
  )
})
