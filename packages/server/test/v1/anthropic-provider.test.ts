import { assert, layer } from "@effect/vitest"
import * as FakeUpstream from "@llm-saas/testing/FakeUpstream"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Fiber, Layer } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { signUp } from "../People.ts"
import { Running, running } from "../Running.ts"
import { sendTo } from "../sse/Reading.ts"

// Both ways between the doors and Anthropic's dialect, through the whole program. The test is the upstream.

const KEY = "sk-ant-0123456789abcdef"

const providersFile = (url: string) => ({
  providers: {
    claude: { type: "anthropic", base_url: url, api_key_env: "CLAUDE_KEY", retries: 0 },
    other: { type: "openai", base_url: url, api_key_env: "CLAUDE_KEY", retries: 0 }
  },
  models: {
    "claude-alias": { targets: [{ provider: "claude", model: "claude-sonnet-5" }] },
    "other-alias": { targets: [{ provider: "other", model: "gpt-x" }] }
  },
  default_model: "claude-alias"
})

const Program = Layer.effect(
  Running,
  Effect.gen(function* () {
    const { url } = yield* FakeUpstream.FakeUpstream
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "providers-"))),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
    )
    const path = join(folder, "providers.json")
    writeFileSync(path, JSON.stringify(providersFile(url)))
    return yield* running({
      PROVIDERS_FILE: path,
      CLAUDE_KEY: KEY,
      STREAM_GRACE_SECONDS: "0",
      TENANTS_PER_ADDRESS: "10000",
      REGISTRATIONS_PER_ADDRESS: "10000"
    })
  })
).pipe(Layer.provideMerge(Layer.merge(FakeUpstream.layer, TestDatabase.layer)))

/** Sends a request, and takes it at the provider. */
const ask = Effect.fnUntraced(function* (path: string, json: unknown, headers: Record<string, string> = {}) {
  const { port, send } = yield* Running
  const { token } = yield* signUp(send)
  const fiber = yield* Effect.forkScoped(sendTo(port, "POST", path, { token, json, headers }))
  const upstream = yield* FakeUpstream.FakeUpstream
  const call = yield* upstream.next
  const answer = Effect.gen(function* () {
    const reading = yield* Fiber.join(fiber)
    const { text } = yield* reading.end
    return { status: reading.status, headers: reading.headers, text }
  })
  return { call, sent: objectIn(call.body), answer }
})

const objectIn = (text: string): Record<string, unknown> => JSON.parse(text)

const frame = (event: { readonly type: string }): string => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`

/** The names and data of the events. */
const eventsIn = (text: string): ReadonlyArray<Record<string, unknown>> =>
  [...text.matchAll(/^(?:event: (.*)\n)?data: (\{.*)$/gmu)].map(([, name, data = ""]) => {
    const event = objectIn(data)
    if (name !== undefined) assert.strictEqual(name, event["type"])
    return event
  })

const start = {
  type: "message_start",
  message: {
    id: "msg_up",
    type: "message",
    role: "assistant",
    model: "claude-sonnet-5-x",
    content: [],
    stop_reason: null,
    x_new: { a: 1 },
    usage: { input_tokens: 5, output_tokens: 1 }
  }
}
const block = (index: number, content_block: object, ...deltas: ReadonlyArray<object>) => [
  { type: "content_block_start", index, content_block },
  ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
  { type: "content_block_stop", index }
]
const stop = (stop_reason: string) => [
  { type: "message_delta", delta: { stop_reason, stop_sequence: null, x_new: null }, usage: { output_tokens: 7 } },
  { type: "message_stop" }
]
const text = (value: string) => ({ type: "text_delta", text: value })
const json = (value: string) => ({ type: "input_json_delta", partial_json: value })

const ANSWER = [
  start,
  ...block(
    0,
    { type: "thinking", thinking: "", signature: "" },
    { type: "thinking_delta", thinking: "Hm\u2028" },
    { type: "signature_delta", signature: "c2ln" }
  ),
  ...block(
    1,
    { type: "text", text: "" },
    text("A 🏠"),
    text(" is"),
    text(" a\n\nroom"),
    text("\0\r\u2028\u0085 [DONE]"),
    text("."),
    text(" \ud83c"),
    text("\udfe0"),
    text("!"),
    { type: "x_new_delta", x: [1, null] }
  ),
  ...block(
    2,
    { type: "tool_use", id: "toolu_1", name: "look", input: {} },
    json(""),
    json('{"at":'),
    json('"\\u0000 door"}')
  ),
  { type: "x_new_event", x: "y" },
  ...stop("tool_use")
]

const BODY = {
  model: "claude-alias",
  max_tokens: 500,
  stream: true,
  system: [{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral", ttl: "1h" } }],
  messages: [{ role: "user", content: [{ type: "text", text: "What is a 🏠?", x_new: 1 }] }],
  tools: [
    { name: "look", input_schema: { type: "object" }, eager_input_streaming: true },
    { type: "web_search_20250305", name: "web_search" }
  ],
  metadata: { user_id: "their own" },
  x_new: { deep: [1.5, "two", null] }
}

layer(Program, { timeout: "120 seconds", excludeTestServices: true })("with Anthropic as a provider", (it) => {
  it.effect("/v1/messages: the upstream gets what the client sent, and the client what the upstream sent", () =>
    Effect.gen(function* () {
      const headers = { "anthropic-version": "2026-10-21", "anthropic-beta": "x-1,y-2" }
      const { answer, call, sent } = yield* ask("/v1/messages", BODY, headers)
      assert.deepStrictEqual(sent, { ...BODY, model: "claude-sonnet-5" })
      assert.strictEqual(call.path, "/v1/messages")
      assert.deepInclude(call.headers, { ...headers, "x-api-key": KEY })
      call.head()
      for (const event of ANSWER) call.write(frame(event))
      call.end()
      const { headers: got, status, text } = yield* answer
      assert.strictEqual(status, 200)
      const id = `msg_${String(got["x-generation-id"]).replaceAll("-", "")}`
      assert.deepStrictEqual(eventsIn(text), [{ ...start, message: { ...start.message, id } }, ...ANSWER.slice(1)])
    }).pipe(Effect.scoped)
  )

  it.effect("/v1/messages: whole, too", () =>
    Effect.gen(function* () {
      const { answer, call, sent } = yield* ask("/v1/messages", { ...BODY, stream: false })
      assert.deepStrictEqual(sent, { ...BODY, stream: false, model: "claude-sonnet-5" })
      const message = {
        ...start.message,
        content: [{ type: "text", text: "A\0\u2028 room", x_new: 1 }],
        stop_reason: "end_turn",
        container: { id: "c" }
      }
      call.head(200, { "content-type": "application/json" })
      call.end(JSON.stringify(message))
      const { headers, text } = yield* answer
      assert.deepStrictEqual(objectIn(text), {
        ...message,
        id: `msg_${String(headers["x-generation-id"]).replaceAll("-", "")}`
      })
    }).pipe(Effect.scoped)
  )

  it.effect("/v1/messages: a failure after the first byte has no good end, and a refusal says why", () =>
    Effect.gen(function* () {
      const cut = yield* ask("/v1/messages", BODY)
      cut.call.head()
      cut.call.end(ANSWER.slice(0, 8).map(frame).join(""))
      const { text } = yield* cut.answer
      const events = eventsIn(text)
      assert.deepStrictEqual(events.slice(1, -1), ANSWER.slice(1, 8))
      assert.deepInclude(events.at(-1), { type: "error" })
      const refused = yield* ask("/v1/messages", { ...BODY, temperature: 9 })
      refused.call.refuse(
        400,
        JSON.stringify({
          type: "error",
          error: { type: "invalid_request_error", message: "temperature: range: 0..1" },
          request_id: "theirs"
        })
      )
      const { status, text: body } = yield* refused.answer
      assert.strictEqual(status, 400)
      const error = objectIn(body)
      assert.deepInclude(error, { type: "error" })
      assert.include(JSON.stringify(error["error"]), "temperature: range: 0..1")
      assert.notInclude(body, "theirs")
    }).pipe(Effect.scoped)
  )

  it.effect("/v1/messages/count_tokens: the upstream counts", () =>
    Effect.gen(function* () {
      const body = { model: BODY.model, system: BODY.system, messages: BODY.messages, tools: BODY.tools, x_new: 1 }
      const { answer, call, sent } = yield* ask("/v1/messages/count_tokens", body)
      assert.deepStrictEqual([call.path, sent], ["/v1/messages/count_tokens", { ...body, model: "claude-sonnet-5" }])
      call.head(200, { "content-type": "application/json" })
      call.end('{"input_tokens":42}')
      assert.deepStrictEqual(objectIn((yield* answer).text), { input_tokens: 42 })
    }).pipe(Effect.scoped)
  )

  it.effect("/v1/chat/completions: is asked in Anthropic's dialect, and answered in OpenAI's", () =>
    Effect.gen(function* () {
      for (const stream of [true, false]) {
        const { answer, call, sent } = yield* ask("/v1/chat/completions", {
          model: "claude-alias",
          stream,
          messages: [
            { role: "system", content: "Be brief." },
            { role: "user", content: "What is a room?" }
          ],
          tools: [{ type: "function", function: { name: "look", parameters: { type: "object" } } }],
          ...(stream ? { stream_options: { include_usage: true } } : {})
        })
        assert.deepStrictEqual(sent, {
          model: "claude-sonnet-5",
          max_tokens: 4096,
          stream: true,
          system: "Be brief.",
          messages: [{ role: "user", content: [{ type: "text", text: "What is a room?" }] }],
          tools: [{ name: "look", input_schema: { type: "object" } }]
        })
        call.head()
        call.end(
          [
            start,
            ...block(0, { type: "text", text: "" }, text("A room"), text(".")),
            ...block(1, { type: "tool_use", id: "toolu_1", name: "look", input: {} }, json('{"a"'), json(":1}")),
            ...stop("tool_use")
          ]
            .map(frame)
            .join("")
        )
        const { text: got } = yield* answer
        const chunks = stream ? eventsIn(got) : [objectIn(got)]
        const all = JSON.stringify(chunks)
        assert.include(all, '"finish_reason":"tool_calls"')
        assert.include(all, "toolu_1")
        assert.include(all, '"prompt_tokens":5')
        assert.include(all, '"completion_tokens":7')
        if (!stream) {
          assert.include(all, '"content":"A room."')
          assert.include(all, JSON.stringify('{"a":1}'))
        } else assert.isTrue(got.trimEnd().endsWith("data: [DONE]"))
      }
    }).pipe(Effect.scoped)
  )

  it.effect("/v1/messages: is asked in OpenAI's dialect of another provider, and answered in Anthropic's", () =>
    Effect.gen(function* () {
      for (const stream of [true, false]) {
        const { answer, call, sent } = yield* ask("/v1/messages", { ...BODY, stream, model: "other-alias" })
        assert.strictEqual(call.path, "/v1/chat/completions")
        assert.deepInclude(sent, { model: "gpt-x", stream: true })
        assert.include(JSON.stringify(sent["messages"]), "What is a 🏠?")
        assert.notInclude(call.body, "cache_control")
        call.head()
        call.say("A", " room.")
        call.write(
          FakeUpstream.chunk({
            delta: {
              tool_calls: [{ index: 0, id: "call_1", type: "function", function: { name: "look", arguments: "" } }]
            },
            finish_reason: null
          })
        )
        call.write(
          FakeUpstream.chunk({
            delta: { tool_calls: [{ index: 0, function: { arguments: '{"a":1}' } }] },
            finish_reason: null
          })
        )
        call.finish("tool_calls", { input: 12, output: 3 })
        const { headers, text: got } = yield* answer
        const id = `msg_${String(headers["x-generation-id"]).replaceAll("-", "")}`
        const usage = { input_tokens: 12, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 3 }
        if (stream) {
          const events = eventsIn(got)
          assert.deepStrictEqual(events.slice(1), [
            ...block(0, { type: "text", text: "" }, text("A"), text(" room.")),
            ...block(1, { type: "tool_use", id: "call_1", name: "look", input: {} }, json('{"a":1}')),
            { type: "message_delta", delta: { stop_reason: "tool_use", stop_sequence: null }, usage },
            { type: "message_stop" }
          ])
          assert.include(JSON.stringify(events[0]), id)
        } else
          assert.deepStrictEqual(objectIn(got), {
            id,
            type: "message",
            role: "assistant",
            model: "fake-1-2026-01-01",
            content: [
              { type: "text", text: "A room." },
              { type: "tool_use", id: "call_1", name: "look", input: { a: 1 } }
            ],
            stop_reason: "tool_use",
            stop_sequence: null,
            usage
          })
      }
    }).pipe(Effect.scoped)
  )
})
