import { assert, layer } from "@effect/vitest"
import * as Databases from "@llm-saas/database/backup/Databases"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect } from "effect"
import { type Person, signUp } from "../People.ts"
import { Running, running, type Send } from "../Running.ts"
import { sendTo } from "../sse/Reading.ts"

// Responses on running servers, with the mock model.

const MODEL = "mock-1"
const QUICK = {
  MOCK_TOKENS: "5",
  MOCK_TTFT_MS: "0",
  MOCK_DELAY_MS: "0",
  STREAM_GRACE_SECONDS: "0",
  TENANTS_PER_ADDRESS: "10000",
  REGISTRATIONS_PER_ADDRESS: "10000"
}
/** Two seconds of an answer: long enough to leave it, and to find it at another process. */
const LONG = { ...QUICK, MOCK_TOKENS: "100", MOCK_DELAY_MS: "20" }

interface Event {
  readonly type: string
  readonly sequence_number: number
  readonly [name: string]: unknown
}

const member = (value: unknown, ...path: ReadonlyArray<string | number>): unknown =>
  path.reduce<unknown>((each, name) => Reflect.get(Object(each), name), value)

/** The whole events in a text that may be cut. */
const eventsOf = (text: string): ReadonlyArray<Event> =>
  text
    .slice(0, text.lastIndexOf("\n\n") + 2)
    .split("\n\n")
    .flatMap((frame) => {
      const data = /^data: (.*)$/mu.exec(frame)?.[1]
      return data === undefined ? [] : [JSON.parse(data)]
    })
const numbersOf = (events: ReadonlyArray<Event>) => events.map((event) => event.sequence_number)
const textOf = (response: unknown) => member(response, "output", 0, "content", 0, "text")
const deltasOf = (events: ReadonlyArray<Event>) =>
  events.flatMap(({ delta, type }) => (type === "response.output_text.delta" ? [String(delta)] : [])).join("")

const ask = (send: Send, { token }: Person, json: object, headers: Record<string, string> = {}) =>
  send("POST", "/v1/responses", { token, json: { model: MODEL, input: "What is a room?", ...json }, headers })

const open = (port: number, { token }: Person, json: object) =>
  sendTo(port, "POST", "/v1/responses", {
    token,
    json: { model: MODEL, input: "What is a room?", stream: true, ...json }
  })

const replay = Effect.fnUntraced(function* (port: number, { token }: Person, id: string, after?: number) {
  const query = after === undefined ? "" : `&starting_after=${after}`
  const reading = yield* sendTo(port, "GET", `/v1/responses/${id}?stream=true${query}`, { token })
  assert.strictEqual(reading.status, 200)
  return eventsOf((yield* reading.end).text)
}, Effect.scoped)

const codeOf = ({ body, status }: { readonly body: unknown; readonly status: number }) => [
  status,
  member(body, "error", "code"),
  member(body, "error", "param")
]

layer(Running.with(QUICK), { timeout: "120 seconds", excludeTestServices: true })("responses", (it) => {
  it.effect("are one value, which is kept and is a message of the native door too", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* signUp(send)
      const { body, headers, status } = yield* ask(send, person, { instructions: "Be brief.", metadata: { a: "b" } })
      assert.strictEqual(status, 200, JSON.stringify(body))
      const generation = headers.get("x-generation-id") ?? ""
      assert.deepInclude(body, {
        id: `resp_${generation.replaceAll("-", "")}`,
        object: "response",
        status: "completed",
        model: MODEL,
        error: null,
        instructions: "Be brief.",
        metadata: { a: "b" }
      })
      assert.strictEqual(member(body, "usage", "output_tokens"), 5)
      assert.isAtMost(Math.abs(Number(body["created_at"]) - Date.now() / 1000), 60)
      const kept = yield* send("GET", `/v1/responses/${String(body["id"])}`, { token: person.token })
      assert.deepStrictEqual([kept.status, kept.body], [200, body])
      const { body: page } = yield* send("GET", "/messages", { token: person.token })
      assert.deepInclude(member(page, "data", 0), { content: "What is a room?", response: textOf(body) })
    })
  )

  it.effect("are events, numbered without a gap, the same when they are read again after any of them", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const person = yield* signUp(send)
      const reading = yield* open(port, person, {})
      assert.match(reading.headers["content-type"] ?? "", /^text\/event-stream/u)
      const events = eventsOf((yield* reading.end).text)
      assert.deepStrictEqual(numbersOf(events), [...events.keys()])
      assert.strictEqual(events[0]?.type, "response.created")
      const last = events.at(-1)
      if (last?.type !== "response.completed") return assert.fail(JSON.stringify(last))
      const id = String(member(events[0], "response", "id"))
      assert.strictEqual(member(last, "response", "id"), id)
      assert.strictEqual(deltasOf(events), textOf(last["response"]))
      assert.deepStrictEqual(yield* replay(port, person, id), events)
      for (const after of [0, 3, 6, events.length - 2])
        assert.deepStrictEqual(yield* replay(port, person, id, after), events.slice(after + 1))
      const { body } = yield* send("GET", `/v1/responses/${id}`, { token: person.token })
      assert.deepStrictEqual(body, last["response"])
    }).pipe(Effect.scoped)
  )

  it.effect("say which member is wrong, whatever is sent", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* signUp(send)
      const cases: ReadonlyArray<readonly [json: object, param: string]> = [
        [{ model: 7 }, "model"],
        [{ input: 7 }, "input"],
        [{ input: [] }, "input"],
        [{ input: [7] }, "input.0"],
        [{ tools: 7 }, "tools"],
        [{ max_output_tokens: -1 }, "max_output_tokens"],
        [{ background: true, store: false }, "background"],
        [{ conversation: "conv_1" }, "conversation"],
        [{ input: [{ type: "item_reference", id: "msg_1" }] }, "input.0.id"]
      ]
      for (const [json, param] of cases) {
        const refused = yield* ask(send, person, json)
        assert.deepStrictEqual(codeOf(refused), [400, "invalid_request", param])
        assert.strictEqual(refused.headers.get("x-should-retry"), "false")
      }
      assert.deepStrictEqual(codeOf(yield* ask(send, person, { model: "no-such" })), [404, "model_not_found", null])
      assert.strictEqual(
        (yield* ask(send, person, { nobody_knows: { this: 1 }, tools: [{ type: "web_search" }] })).status,
        200
      )
    })
  )

  it.effect("that fail say so by a status before the first event, and by events after it", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const person = yield* signUp(send)
      const failing = (fault: string) => ({ input: `[[mock {"fault": "${fault}"}]]` })
      for (const stream of [true, false])
        assert.strictEqual((yield* ask(send, person, { ...failing("before"), stream })).status, 502)
      assert.strictEqual((yield* ask(send, person, failing("middle"))).status, 502)
      const events = eventsOf((yield* (yield* open(port, person, failing("middle"))).end).text)
      assert.deepStrictEqual(
        events.slice(-2).map(({ type }) => type),
        ["error", "response.failed"]
      )
      assert.deepStrictEqual(numbersOf(events), [...events.keys()])
      const failed = events.at(-1)?.["response"]
      assert.deepInclude(failed, { status: "failed" })
      // It is kept, and to read it is no failure.
      const kept = yield* send("GET", `/v1/responses/${String(member(failed, "id"))}`, { token: person.token })
      assert.strictEqual(kept.status, 200)
      assert.deepStrictEqual(member(kept.body, "error"), member(failed, "error"))
      assert.deepStrictEqual(
        numbersOf(yield* replay(port, person, String(member(failed, "id")), 3)),
        numbersOf(events.slice(4))
      )
      const empty = yield* ask(send, person, { ...failing("before"), background: true })
      assert.strictEqual(empty.status, 200)
      assert.deepStrictEqual(
        (yield* replay(port, person, String(empty.body["id"]))).map(({ type }) => type),
        ["response.created", "response.queued", "response.in_progress", "error", "response.failed"]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("are incomplete where the model had to stop", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* signUp(send)
      const { body } = yield* ask(send, person, { input: '[[mock {"finish": "length"}]]' })
      assert.deepInclude(body, { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } })
    })
  )

  it.effect("continue the response before them, with all that came before it", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* signUp(send)
      const first = yield* ask(send, person, { input: "What is a room?", instructions: "Be brief." })
      const id = first.body["id"]
      const second = yield* ask(send, person, { input: "And a house?", previous_response_id: id })
      const third = yield* ask(send, person, {
        input: [{ role: "user", content: "And a town?" }],
        previous_response_id: second.body["id"]
      })
      assert.strictEqual(third.body["previous_response_id"], second.body["id"])
      // The same as if all had been sent. The instructions were the first one's alone.
      const output = (answer: typeof first) => ({ role: "assistant", content: String(textOf(answer.body)) })
      const whole = yield* ask(send, person, {
        input: [
          { role: "user", content: "What is a room?" },
          output(first),
          { role: "user", content: "And a house?" },
          output(second),
          { role: "user", content: "And a town?" }
        ]
      })
      assert.strictEqual(member(third.body, "usage", "input_tokens"), member(whole.body, "usage", "input_tokens"))
      const referring = yield* ask(send, person, {
        input: [
          { role: "user", content: "What is a room?" },
          { type: "item_reference", id: member(first.body, "output", 0, "id") },
          { role: "user", content: "And a house?" }
        ]
      })
      assert.strictEqual(member(referring.body, "usage", "input_tokens"), member(second.body, "usage", "input_tokens"))
      const { body: items } = yield* send("GET", `/v1/responses/${String(third.body["id"])}/input_items`, {
        token: person.token
      })
      assert.deepInclude(member(items, "data", 0), {
        role: "user",
        content: [{ type: "input_text", text: "And a town?" }]
      })
      assert.isFalse(items["has_more"])
      const counted = yield* send("POST", "/v1/responses/input_tokens", {
        token: person.token,
        json: { model: MODEL, input: "And a house?", previous_response_id: id }
      })
      assert.strictEqual(counted.body["object"], "response.input_tokens", JSON.stringify(counted.body))
      assert.isAbove(Number(counted.body["input_tokens"]), 0)
    })
  )

  it.effect("are gone when they are deleted, and those after them cannot be continued", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* signUp(send)
      const { token } = person
      const first = yield* ask(send, person, {})
      const second = yield* ask(send, person, { previous_response_id: first.body["id"] })
      const path = `/v1/responses/${String(first.body["id"])}`
      const deleted = yield* send("DELETE", path, { token })
      assert.deepStrictEqual(deleted.body, { id: first.body["id"], object: "response", deleted: true })
      for (const [method, more] of [
        ["GET", ""],
        ["GET", "?stream=true"],
        ["GET", "/input_items"],
        ["POST", "/cancel"],
        ["DELETE", ""]
      ] as const)
        assert.strictEqual((yield* send(method, path + more, { token })).status, 404, method + more)
      for (const previous of [first, second])
        assert.deepStrictEqual(codeOf(yield* ask(send, person, { previous_response_id: previous.body["id"] })), [
          404,
          "previous_response_not_found",
          "previous_response_id"
        ])
    })
  )

  it.effect("are not found with store: false", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* signUp(send)
      const { body, headers } = yield* ask(send, person, { store: false })
      assert.deepInclude(body, { status: "completed", store: false })
      const { token } = person
      assert.strictEqual((yield* send("GET", `/v1/responses/${String(body["id"])}`, { token })).status, 404)
      assert.strictEqual((yield* ask(send, person, { previous_response_id: body["id"] })).status, 404)
      const { adminUrl } = yield* TestDatabase
      const sql = `select content, source from app.generations where id = '${headers.get("x-generation-id")}'`
      assert.deepStrictEqual((yield* Databases.execute(adminUrl, sql)).rows, [
        { content: "leaving", source: "responses" }
      ])
    })
  )

  it.effect("do not exist for anybody else, nor do those of other doors", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* signUp(send)
      const stranger = yield* signUp(send)
      const colleague = yield* signUp(send, person.tenant)
      const { body } = yield* ask(send, person, {})
      const chat = yield* send("POST", "/v1/chat/completions", {
        token: person.token,
        json: { model: MODEL, messages: [{ role: "user", content: "What?" }] }
      })
      const foreign = String(chat.body["id"]).replace("chatcmpl-", "resp_")
      const nobody = `resp_${"0".repeat(32)}`
      for (const [reader, id] of [
        [stranger, String(body["id"])],
        [colleague, String(body["id"])],
        [person, foreign],
        [person, nobody],
        [person, "resp_1"],
        [person, "a"]
      ] as const) {
        const { token } = reader
        for (const [method, more] of [
          ["GET", ""],
          ["GET", "?stream=true"],
          ["GET", "/input_items"],
          ["POST", "/cancel"],
          ["DELETE", ""]
        ] as const)
          assert.deepStrictEqual(codeOf(yield* send(method, `/v1/responses/${id}${more}`, { token })), [
            404,
            "generation_not_found",
            null
          ])
        assert.strictEqual((yield* ask(send, reader, { previous_response_id: id })).status, 404)
        const item = id.replace("resp_", "msg_")
        const referring = yield* ask(send, reader, { input: [{ type: "item_reference", id: `${item}00000` }] })
        assert.strictEqual(referring.status, 400)
      }
      assert.strictEqual(
        (yield* send("GET", `/v1/responses/${String(body["id"])}`, { token: person.token })).status,
        200
      )
    })
  )

  it.effect("are taken at the address of chat completions too, where Cursor sends them", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* signUp(send)
      const { body, status } = yield* send("POST", "/v1/chat/completions", {
        token: person.token,
        json: { model: MODEL, input: "What is a room?" }
      })
      assert.deepStrictEqual([status, body["object"]], [200, "response"])
    })
  )

  it.effect("are the same for a repeated request, by its key or as another try of an SDK", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* signUp(send)
      const first = yield* ask(send, person, {}, { "idempotency-key": "a" })
      const again = yield* ask(send, person, {}, { "idempotency-key": "a" })
      assert.deepStrictEqual(again.body, first.body)
      const tried = yield* ask(send, person, { background: true }, { "x-stainless-retry-count": "0" })
      const retried = yield* ask(send, person, { background: true }, { "x-stainless-retry-count": "1" })
      assert.strictEqual(retried.body["id"], tried.body["id"])
    })
  )
})

layer(Running.with({ ...QUICK, V1_MAX_BODY_MEGABYTES: "2" }), { timeout: "120 seconds", excludeTestServices: true })(
  "large responses in the background",
  (it) => {
    it.effect("take their room until they end", () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const person = yield* signUp(send)
        const large = { input: '[[mock {"fault": "hang"}]]', background: true, metadata: { a: "x".repeat(1_900_000) } }
        const ids: Array<string> = []
        let refused = 0
        while (refused === 0 && ids.length < 8) {
          const { body, status } = yield* ask(send, person, large)
          if (status === 429) refused = status
          else ids.push(String(body["id"]))
        }
        // A body takes its room once more while it is asked with.
        assert.deepStrictEqual([refused, ids.length], [429, 3])
        assert.strictEqual((yield* ask(send, person, {})).status, 200)
        for (const id of ids) yield* send("POST", `/v1/responses/${id}/cancel`, { token: person.token })
        assert.strictEqual((yield* ask(send, person, large)).status, 200)
      })
    )
  }
)

layer(Running.with(LONG), { timeout: "120 seconds", excludeTestServices: true })("responses at two processes", (it) => {
  it.effect("go on in the background without a reader, and are read at any process", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const other = yield* running(LONG)
      const person = yield* signUp(send)
      const { body, status } = yield* ask(send, person, { background: true })
      assert.strictEqual(status, 200, JSON.stringify(body))
      assert.include(["queued", "in_progress"], body["status"])
      assert.isTrue(body["background"])
      const id = String(body["id"])
      // A reader that leaves does not end it, although there is no grace here.
      const reading = yield* sendTo(port, "GET", `/v1/responses/${id}?stream=true`, { token: person.token })
      const begun = eventsOf(yield* reading.until((text) => eventsOf(text).length >= 10))
      reading.leave()
      const last = begun.at(-1)?.sequence_number ?? 0
      const there = yield* other.send("GET", `/v1/responses/${id}`, { token: person.token })
      assert.include(["queued", "in_progress"], there.body["status"])
      const rest = yield* replay(other.port, person, id, last)
      const events = [...begun, ...rest]
      assert.deepStrictEqual(numbersOf(events), [...events.keys()])
      assert.strictEqual(events.at(-1)?.type, "response.completed")
      assert.strictEqual(deltasOf(events), textOf(events.at(-1)?.["response"]))
      assert.deepStrictEqual(yield* replay(port, person, id), events)
    }).pipe(Effect.scoped)
  )

  it.effect("are stopped by cancel, once, at whichever process", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const other = yield* running(LONG)
      const person = yield* signUp(send)
      const { token } = person
      for (const [process, ended] of [
        [send, true],
        [other.send, false]
      ] as const) {
        const { body } = yield* ask(send, person, { background: true })
        const path = `/v1/responses/${String(body["id"])}`
        const cancelled = yield* process("POST", `${path}/cancel`, { token })
        assert.strictEqual(cancelled.status, 200)
        if (ended) assert.strictEqual(cancelled.body["status"], "cancelled")
        const events = yield* replay(port, person, String(body["id"]))
        assert.strictEqual(events.at(-1)?.type, ended ? "response.failed" : events.at(-1)?.type)
        const again = yield* send("POST", `${path}/cancel`, { token })
        assert.strictEqual(again.status, 200)
        if (ended) assert.strictEqual(again.body["status"], "cancelled")
      }
    }).pipe(Effect.scoped)
  )

  it.effect("whose process is killed have failed, with what came of them", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const doomed = yield* running(LONG)
      const person = yield* signUp(send)
      const { body, headers } = yield* ask(doomed.send, person, { background: true })
      const id = String(body["id"])
      const reading = yield* sendTo(doomed.port, "GET", `/v1/responses/${id}?stream=true`, { token: person.token })
      yield* reading.until((text) => eventsOf(text).length >= 30)
      doomed.process.child.kill("SIGKILL")
      const begun = eventsOf((yield* reading.end).text)
      // Its lease would run out in half a minute.
      const { adminUrl } = yield* TestDatabase
      const sql = `update app.generations set lease_until = now() where id = '${headers.get("x-generation-id")}'`
      yield* Databases.execute(adminUrl, sql)
      const events = [...begun, ...(yield* replay(port, person, id, begun.at(-1)?.sequence_number))]
      assert.deepStrictEqual(numbersOf(events), [...events.keys()])
      assert.strictEqual(events.at(-1)?.type, "response.failed")
      assert.notInclude(
        events.map(({ type }) => type),
        "response.completed"
      )
      const kept = yield* send("GET", `/v1/responses/${id}`, { token: person.token })
      assert.strictEqual(kept.body["status"], "failed")
      assert.isTrue(deltasOf(events).startsWith(String(textOf(kept.body)).slice(0, 20)))
      // A process that is lost does not keep its response from being continued.
      assert.strictEqual((yield* ask(send, person, { previous_response_id: id })).status, 200)
    }).pipe(Effect.scoped)
  )
})
