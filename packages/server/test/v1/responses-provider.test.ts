import { assert, layer } from "@effect/vitest"
import * as FakeUpstream from "@llm-saas/testing/FakeUpstream"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Fiber, Layer } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Person, signUp } from "../People.ts"
import { Running, running } from "../Running.ts"
import { sendTo } from "../sse/Reading.ts"

// Responses before a provider that speaks them, through the whole program. The test is the upstream.

const Program = Layer.effect(
  Running,
  Effect.gen(function* () {
    const { url } = yield* FakeUpstream.FakeUpstream
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "providers-"))),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
    )
    const path = join(folder, "providers.json")
    const provider = { type: "openai", base_url: url, responses: true, api_key_env: "UPSTREAM_KEY", retries: 0 }
    const models = { fast: { targets: [{ provider: "up", model: "gpt-x", max_output_tokens: 100 }] } }
    writeFileSync(path, JSON.stringify({ providers: { up: provider }, models }))
    return yield* running({ PROVIDERS_FILE: path, UPSTREAM_KEY: "sk-test-0123456789abcdef" })
  })
).pipe(Layer.provideMerge(Layer.merge(FakeUpstream.layer, TestDatabase.layer)))

type Members = Record<string, unknown>

/** Sends a request, and takes it at the provider. */
const ask = Effect.fnUntraced(function* ({ token }: Person, json: Members) {
  const { port } = yield* Running
  const fiber = yield* Effect.forkScoped(
    sendTo(port, "POST", "/v1/responses", { token, json: { model: "fast", ...json } })
  )
  const upstream = yield* FakeUpstream.FakeUpstream
  const call = yield* upstream.next
  const sent: Members = JSON.parse(call.body)
  const answer = Effect.gen(function* () {
    const reading = yield* Fiber.join(fiber)
    const { text } = yield* reading.end
    return { status: reading.status, text }
  })
  return { call, sent, answer }
})

const part = (text: string) => ({ type: "output_text", text, annotations: [], x: 1 })
const item = (status: string, content: ReadonlyArray<Members>) => ({
  id: "msg_up",
  type: "message",
  status,
  role: "assistant",
  content
})
const address = { item_id: "msg_up", output_index: 0, content_index: 0 }
const USAGE = { input_tokens: 5, output_tokens: 2, total_tokens: 7 }
const EVENTS: ReadonlyArray<Members> = [
  { type: "response.created", response: { id: "resp_up", status: "in_progress" } },
  { type: "response.in_progress", response: { id: "resp_up", status: "in_progress" } },
  { type: "response.output_item.added", output_index: 0, item: item("in_progress", []) },
  { type: "response.content_part.added", ...address, part: part("") },
  { type: "response.output_text.delta", ...address, logprobs: [], delta: "A " },
  { type: "response.unknown", x: [1, { y: "\u2028" }] },
  { type: "response.output_text.delta", ...address, logprobs: [], delta: "room.\r\n" },
  { type: "response.content_part.done", ...address, part: part("A room.\r\n") },
  { type: "response.output_item.done", output_index: 0, item: item("completed", [part("A room.\r\n")]) },
  {
    type: "response.completed",
    response: {
      id: "resp_up",
      object: "response",
      status: "completed",
      model: "gpt-x-2026",
      output: [item("completed", [part("A room.\r\n")])],
      usage: USAGE,
      y: 2
    }
  }
].map((event, index) => ({ ...event, sequence_number: index }))

const frames = EVENTS.map((event) => `event: ${String(event["type"])}\ndata: ${JSON.stringify(event)}\n\n`).join("")

const eventsIn = (text: string): ReadonlyArray<Members> =>
  [...text.matchAll(/^data: (.*)$/gmu)].map(([, data = ""]) => JSON.parse(data))

layer(Program, { timeout: "120 seconds" })("responses before a provider that speaks them", (it) => {
  it.effect("are asked in the client's words, and told in the provider's", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* signUp(send)
      const body = { input: [{ role: "user", content: "What?" }], tools: [{ type: "web_search", z: 1 }], stream: true }
      const { answer, call, sent } = yield* ask(person, { ...body, nobody_knows: { a: [1] }, max_output_tokens: 500 })
      assert.match(call.path, /\/responses$/u)
      const own = { model: "gpt-x", max_output_tokens: 100, store: false }
      assert.deepStrictEqual(sent, { ...body, nobody_knows: { a: [1] }, ...own })
      call.head()
      call.end(frames)
      const events = eventsIn((yield* answer).text)
      assert.deepStrictEqual(events.slice(2, -1), EVENTS.slice(2, -1))
      const last = events.at(-1)?.["response"]
      const id = String(Reflect.get(Object(last), "id"))
      assert.match(id, /^resp_[0-9a-f]{32}$/u)
      assert.deepInclude(last, { model: "gpt-x-2026", y: 2, usage: USAGE, store: true, tools: body.tools })
      const again = yield* send("GET", `/v1/responses/${id}?stream=false`, { token: person.token })
      assert.deepStrictEqual(again.body, last)
      // Its items are sent with what continues it.
      const next = yield* ask(person, { input: "And?", previous_response_id: id })
      assert.notProperty(next.sent, "previous_response_id")
      assert.deepStrictEqual(next.sent["input"], [
        { type: "message", role: "user", content: [{ type: "input_text", text: "What?" }] },
        {
          type: "message",
          role: "assistant",
          content: [{ type: "output_text", text: "A room.\r\n", annotations: [] }]
        },
        { type: "message", role: "user", content: [{ type: "input_text", text: "And?" }] }
      ])
      next.call.head()
      next.call.end(frames)
      const whole: Members = JSON.parse((yield* next.answer).text)
      assert.deepInclude(whole, {
        status: "completed",
        previous_response_id: id,
        output: [item("completed", [part("A room.\r\n")])]
      })
    }).pipe(Effect.scoped)
  )

  it.effect("tell the provider's refusal in its words, and its failure by events", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* signUp(send)
      const error = { message: "No such tool.", type: "invalid_request_error", param: "tools[0]", code: "bad_tool" }
      const refused = yield* ask(person, { input: "What?" })
      refused.call.refuse(400, JSON.stringify({ error }), { "content-type": "application/json" })
      const { status, text } = yield* refused.answer
      assert.strictEqual(status, 400)
      assert.deepInclude(JSON.parse(text).error, { message: "No such tool.", param: "tools[0]", code: "bad_tool" })
      for (const end of [
        `data: ${JSON.stringify({ type: "error", code: "server_error", message: "secret" })}\n\n`,
        `data: ${JSON.stringify({ type: "response.failed", response: { error: { code: "server_error", message: "secret" } } })}\n\n`,
        "",
        "data: <html>\n\n"
      ]) {
        const failing = yield* ask(person, { input: "What?", stream: true })
        failing.call.head()
        failing.call.end(frames.slice(0, frames.indexOf("event: response.unknown")) + end)
        const told = (yield* failing.answer).text
        assert.deepStrictEqual(
          eventsIn(told)
            .slice(-2)
            .map(({ type }) => type),
          ["error", "response.failed"]
        )
        assert.notInclude(told, "secret")
      }
    }).pipe(Effect.scoped)
  )
})
