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

// Embeddings and what a provider says of a request, with models of a file. The test is the provider.

const providersFile = (url: string) => ({
  providers: {
    ours: { type: "openai", base_url: url, api_key: "sk-upstream", retries: 0 },
    made_up: { type: "mock" }
  },
  models: {
    chat: { targets: [{ provider: "ours", model: "gpt-x" }] },
    vectors: { kind: "embeddings", targets: [{ provider: "ours", model: "embed-x" }] },
    "made-up": { kind: "embeddings", targets: [{ provider: "made_up" }] }
  },
  default_model: "chat"
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
    return yield* running({ PROVIDERS_FILE: path, STREAM_GRACE_SECONDS: "0" })
  })
).pipe(Layer.provideMerge(Layer.merge(FakeUpstream.layer, TestDatabase.layer)))

const ask = Effect.fnUntraced(function* (path: string, token: string, json: object) {
  const { port } = yield* Running
  const fiber = yield* Effect.forkScoped(sendTo(port, "POST", path, { token, json }))
  const upstream = yield* FakeUpstream.FakeUpstream
  const call = yield* upstream.next
  const answer = Effect.gen(function* () {
    const reading = yield* Fiber.join(fiber)
    const { text } = yield* reading.end
    return { status: reading.status, headers: reading.headers, text }
  })
  return { call, answer }
})

const JSON_TYPE = { "content-type": "application/json" }

layer(Program, { timeout: "120 seconds" })("with models of a file", (it) => {
  it.effect(
    "goes to the provider as it came, and its answer comes back as it was, with the model's own name there",
    () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const { token } = yield* signUp(send)
        const body = {
          model: "vectors",
          input: ["one", "two"],
          encoding_format: "base64",
          dimensions: 2,
          user: "u",
          new_member: [1]
        }
        const { answer, call } = yield* ask("/v1/embeddings", token, body)
        assert.match(call.path, /\/embeddings$/u)
        assert.deepStrictEqual(JSON.parse(call.body), { ...body, model: "embed-x" })
        const vectors = {
          object: "list",
          data: ["AACAPwAAAEA=", "AAAAQAAAgD8="].map((embedding, index) => ({ object: "embedding", index, embedding })),
          model: "embed-x-2026",
          usage: { prompt_tokens: 2, total_tokens: 2 },
          more: true
        }
        call.head(200, JSON_TYPE)
        call.end(JSON.stringify(vectors))
        const { headers, status, text } = yield* answer
        assert.strictEqual(status, 200, text)
        assert.deepStrictEqual(JSON.parse(text), vectors)
        const { body: kept } = yield* send("GET", `/generations/${String(headers["x-generation-id"])}`, { token })
        assert.deepInclude(kept, { status: "completed", text: "" })
      }).pipe(Effect.scoped)
  )

  it.effect("the door for embeddings says what is wrong, and who may not", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { token } = yield* signUp(send)
      const embed = (json: unknown, headers: Record<string, string> = { authorization: `Bearer ${token}` }) =>
        Effect.map(send("POST", "/v1/embeddings", { json, headers }), ({ body, status }) => [
          status,
          Reflect.get(Object(body["error"]), "code")
        ])
      assert.deepStrictEqual(yield* embed({ model: "made-up", input: "one" }), [200, undefined])
      assert.deepStrictEqual(yield* embed({ model: "chat", input: "one" }), [404, "model_not_found"])
      for (const json of [
        {},
        { model: "made-up" },
        { model: "made-up", input: [] },
        { model: "made-up", input: [[], "a"] },
        { model: "made-up", input: { a: 1 } },
        { model: "made-up", input: "a", dimensions: 0 }
      ])
        assert.deepStrictEqual(yield* embed(json), [400, "invalid_request"], JSON.stringify(json))
      const key = Effect.fnUntraced(function* (scopes: ReadonlyArray<string>) {
        const { body } = yield* send("POST", "/keys", { token, json: { name: "a key", scopes } })
        return { "x-api-key": String(body["key"]) }
      })
      assert.deepStrictEqual(yield* embed({ model: "made-up", input: "a" }, yield* key(["embeddings"])), [
        200,
        undefined
      ])
      assert.deepStrictEqual(yield* embed({ model: "made-up", input: "a" }, yield* key(["chat"])), [
        403,
        "insufficient_scope"
      ])
      const listed = yield* send("GET", "/v1/models", { headers: yield* key(["embeddings"]) })
      const ids = JSON.stringify(listed.body)
      assert.include(ids, '"vectors"')
      assert.notInclude(ids, '"chat"')
    })
  )

  it.effect("what a provider says of a request is passed on where the request is at fault, and nowhere else", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { token } = yield* signUp(send)
      const said = {
        error: {
          message: "Unknown tool type 'x'.",
          type: "invalid_request_error",
          param: "tools[0].type",
          code: "unknown_tool"
        }
      }
      const messages = [{ role: "user", content: "What?" }]
      const bodies = {
        "/v1/chat/completions": { model: "chat", messages },
        "/v1/messages": { model: "chat", max_tokens: 10, messages },
        "/v1/embeddings": { model: "vectors", input: "a" }
      }
      for (const [path, body] of Object.entries(bodies)) {
        for (const stream of path === "/v1/embeddings" ? [false] : [false, true]) {
          const fault = yield* ask(path, token, { ...body, stream })
          fault.call.refuse(400, JSON.stringify(said), JSON_TYPE)
          const { headers, status, text } = yield* fault.answer
          assert.strictEqual(status, 400, text)
          assert.strictEqual(headers["x-should-retry"], "false")
          assert.include(text, "Unknown tool type 'x'.")
          if (path !== "/v1/messages")
            assert.deepInclude(JSON.parse(text).error, { param: "tools[0].type", code: "unknown_tool" })
          const other = yield* ask(path, token, { ...body, stream })
          other.call.refuse(401, JSON.stringify(said), JSON_TYPE)
          const refused = yield* other.answer
          assert.strictEqual(refused.status, 502)
          assert.notInclude(refused.text, "Unknown tool")
        }
      }
      // Our own door never says it.
      const native = yield* ask("/messages", token, { content: "What?" })
      native.call.refuse(400, JSON.stringify(said), JSON_TYPE)
      assert.notInclude((yield* native.answer).text, "Unknown tool")
    }).pipe(Effect.scoped)
  )
})
