import * as Databases from "@llm-saas/database/backup/Databases"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import Anthropic from "@anthropic-ai/sdk"
import OpenAI from "openai"
import { type Person, signUp } from "./People.ts"
import { caller } from "./rpc/Callers.ts"
import { type Answer, Running, type Send } from "./Running.ts"

// Limits and budgets as clients meet them: refusals in the form of each door, and headers that say what is left.

const SERVER = Running.with({
  MOCK_TOKENS: "3",
  MOCK_TTFT_MS: "0",
  MOCK_DELAY_MS: "0",
  LLM_PRICE_INPUT_PER_MILLION: "1000000",
  LLM_PRICE_OUTPUT_PER_MILLION: "1000000",
  TENANTS_PER_ADDRESS: "10000",
  REGISTRATIONS_PER_ADDRESS: "10000"
})
const OPTIONS = { timeout: "120 seconds", excludeTestServices: true } as const

const TURN = { messages: [{ role: "user", content: "Hello" }] }
/** The addresses where a model is asked, with a body for each. */
const NATIVE = [
  ["/messages", { content: "Hello" }],
  ["/messages/stream", { content: "Hello" }]
] as const
const OPENAI = [
  ["/v1/chat/completions", { model: "mock-1", ...TURN }],
  ["/v1/chat/completions", { model: "mock-1", stream: true, ...TURN }],
  ["/v1/responses", { model: "mock-1", input: "Hello" }],
  ["/v1/responses", { model: "mock-1", input: "Hello", stream: true }]
] as const
const ANTHROPIC = [
  ["/v1/messages", { model: "mock-1", max_tokens: 100, ...TURN }],
  ["/v1/messages", { model: "mock-1", max_tokens: 100, stream: true, ...TURN }]
] as const

const query = Effect.fnUntraced(function* (sql: string) {
  const { adminUrl } = yield* TestDatabase
  return (yield* Databases.execute(adminUrl, sql)).rows
})

/** Sets a limit of the tenant, as a plan has it, and forgets what was used. */
const limit = ({ tenant }: Person, columns: string, values: string) =>
  Effect.gen(function* () {
    yield* query(`delete from app.limits where tenant_id = '${tenant}'`)
    yield* query(`delete from app.rates where tenant_id = '${tenant}'`)
    yield* query(`insert into app.limits (tenant_id, subject, ${columns}) values ('${tenant}', 'tenant', ${values})`)
  })

const post = (send: Send, token: string, path: string, json: object) => send("POST", path, { token, json })

const has = ({ headers }: Answer, ...names: ReadonlyArray<string>) => names.map((name) => headers.get(name))

layer(SERVER, OPTIONS)("a limit of requests", (it) => {
  it.effect("is told in the form of each door, with the time to come back", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const admin = yield* signUp(send)
      yield* limit(admin, "requests_per_minute", "0")
      for (const [path, json] of NATIVE) {
        const answer = yield* post(send, admin.token, path, json)
        assert.deepInclude(answer.body, {
          type: "/problems/limit_reached",
          status: 429,
          code: "limit_reached",
          scope: "tenant",
          resource: "requests",
          limit: 0
        })
        const seconds = Number(answer.body["retry_after"])
        assert.isAtLeast(seconds, 1)
        assert.deepStrictEqual(
          has(answer, "retry-after", "ratelimit-policy", "ratelimit", "x-should-retry", "retry-after-ms"),
          [`${seconds}`, '"requests";q=0;w=60', `"requests";r=0;t=${seconds}`, null, null]
        )
      }
      for (const [path, json] of OPENAI) {
        const answer = yield* post(send, admin.token, path, json)
        const [seconds, milliseconds] = has(answer, "retry-after", "retry-after-ms")
        assert.strictEqual(answer.status, 429, path)
        assert.deepInclude(answer.body["error"], { type: "rate_limit_error", code: "rate_limit_exceeded", param: null })
        assert.strictEqual(milliseconds, `${Number(seconds) * 1000}`)
        assert.isAtLeast(Number(seconds), 1)
        assert.deepStrictEqual(
          has(answer, "x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-should-retry", "ratelimit"),
          ["0", "0", null, null]
        )
      }
      for (const [path, json] of ANTHROPIC) {
        const answer = yield* post(send, admin.token, path, json)
        assert.deepStrictEqual(
          [answer.status, answer.body["type"], Object(answer.body["error"])["type"]],
          [429, "error", "rate_limit_error"]
        )
        assert.deepStrictEqual(
          has(answer, "anthropic-ratelimit-requests-limit", "anthropic-ratelimit-requests-remaining"),
          ["0", "0"]
        )
        assert.isAtLeast(Number(answer.headers.get("retry-after")), 1)
      }
      const client = yield* caller("http", port, admin.token)
      const refused = yield* Effect.flip(client["messages.ask"]({ content: "Hello" }))
      assert.deepInclude(refused, { _tag: "LimitReached", scope: "tenant", resource: "requests", limit: 0 })
    })
  )

  it.effect("is shown with what is left, at every answer of a model and nowhere else", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const admin = yield* signUp(send)
      yield* limit(admin, "requests_per_minute, tokens_per_minute", "3, 600000")
      const first = yield* post(send, admin.token, ...NATIVE[0])
      assert.strictEqual(first.status, 201)
      assert.strictEqual(first.headers.get("ratelimit-policy"), '"requests";q=3;w=60, "tokens";q=600000;w=60')
      assert.match(String(first.headers.get("ratelimit")), /^"requests";r=2;t=20, "tokens";r=5\d{5};t=\d+$/u)
      const streamed = yield* post(send, admin.token, ...NATIVE[1])
      assert.match(String(streamed.headers.get("ratelimit")), /^"requests";r=1;t=(?:39|40), "tokens";r=5\d{5};t=\d+$/u)
      assert.isNull((yield* send("GET", "/messages", { token: admin.token })).headers.get("ratelimit"))
      const last = yield* post(send, admin.token, ...OPENAI[1])
      assert.deepStrictEqual(
        has(last, "x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-limit-tokens"),
        ["3", "0", "600000"]
      )
      assert.match(String(last.headers.get("x-ratelimit-reset-requests")), /^(?:1m0s|5\d(?:\.\d+)?s)$/u)
      assert.match(String(last.headers.get("x-ratelimit-remaining-tokens")), /^5\d{5}$/u)
      const refused = yield* post(send, admin.token, ...OPENAI[0])
      assert.strictEqual(refused.status, 429)
      assert.isAtMost(Number(refused.headers.get("retry-after")), 20)

      yield* limit(admin, "requests_per_minute", "3")
      const message = yield* post(send, admin.token, ...ANTHROPIC[1])
      assert.deepStrictEqual(
        has(message, "anthropic-ratelimit-requests-limit", "anthropic-ratelimit-requests-remaining"),
        ["3", "2"]
      )
      const reset = Date.parse(String(message.headers.get("anthropic-ratelimit-requests-reset"))) - Date.now()
      assert.isTrue(reset > 5000 && reset <= 21_000, `${reset}`)
      assert.isNull(message.headers.get("anthropic-ratelimit-tokens-limit"))

      yield* query(`delete from app.limits where tenant_id = '${admin.tenant}'`)
      for (const [path, json] of [NATIVE[0], OPENAI[0], ANTHROPIC[0]]) {
        const names = [...(yield* post(send, admin.token, path, json)).headers.keys()]
        assert.deepStrictEqual(
          names.filter((name) => name.includes("ratelimit")),
          []
        )
      }
    })
  )
})

/** The platform's `fetch`, and how often it was called. */
const counting = () => {
  let calls = 0
  const counted: typeof fetch = (...asked) => {
    calls++
    return fetch(...asked)
  }
  return { fetch: counted, calls: () => calls }
}

layer(SERVER, OPTIONS)("a budget that is gone", (it) => {
  it.effect("is asked for once by the SDKs, which retry other refusals", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const admin = yield* signUp(send)
      const asked = counting()
      const url = `http://127.0.0.1:${port}`
      const openai = new OpenAI({ apiKey: admin.token, baseURL: `${url}/v1`, fetch: asked.fetch })
      const anthropic = new Anthropic({ authToken: admin.token, apiKey: null, baseURL: url, fetch: asked.fetch })
      const messages = [{ role: "user" as const, content: "Hello" }]
      const chat = Effect.tryPromise(() => openai.chat.completions.create({ model: "mock-1", messages }))
      const message = Effect.tryPromise(() => anthropic.messages.create({ model: "mock-1", max_tokens: 100, messages }))
      yield* limit(admin, "budget, budget_period", "0.50, 'day'")
      const refused = yield* Effect.flip(chat)
      assert.instanceOf(refused.cause, OpenAI.RateLimitError)
      assert.deepInclude(refused.cause, { status: 429, code: "insufficient_quota", type: "insufficient_quota" })
      assert.strictEqual(asked.calls(), 1)
      assert.instanceOf((yield* Effect.flip(message)).cause, Anthropic.RateLimitError)
      assert.strictEqual(asked.calls(), 2)
      // Twenty a minute, of which all but a part of one are used: there is one more within three seconds.
      yield* limit(admin, "requests_per_minute", "20")
      yield* query(
        `insert into app.rates (tenant_id, subject, requests_at) values ('${admin.tenant}', 'tenant', now() + interval '58 seconds')`
      )
      yield* chat
      assert.strictEqual(asked.calls(), 4)
    })
  )

  it.effect("is told in the form of each door, so that no SDK retries", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const admin = yield* signUp(send)
      yield* limit(admin, "budget, budget_period", "0.50, 'day'")
      for (const [path, json] of NATIVE) {
        const answer = yield* post(send, admin.token, path, json)
        assert.deepInclude(answer.body, {
          status: 429,
          code: "budget_exhausted",
          scope: "tenant",
          amount: "0.50",
          period: "day"
        })
        const until = Date.parse(String(answer.body["until"]))
        assert.strictEqual(until, Math.ceil(Date.now() / 86_400_000) * 86_400_000)
        assert.deepStrictEqual(has(answer, "retry-after", "ratelimit"), [null, null])
      }
      for (const [path, json] of OPENAI) {
        const answer = yield* post(send, admin.token, path, json)
        assert.strictEqual(answer.status, 429, path)
        assert.deepInclude(answer.body["error"], { type: "insufficient_quota", code: "insufficient_quota" })
        assert.deepStrictEqual(has(answer, "x-should-retry", "retry-after", "retry-after-ms"), ["false", null, null])
      }
      for (const [path, json] of ANTHROPIC) {
        const answer = yield* post(send, admin.token, path, json)
        assert.deepStrictEqual([answer.status, Object(answer.body["error"])["type"]], [429, "billing_error"])
        assert.deepStrictEqual(has(answer, "x-should-retry", "retry-after"), ["false", null])
      }
      const client = yield* caller("websocket", port, admin.token)
      const refused = yield* Effect.flip(client["messages.ask"]({ content: "Hello" }))
      assert.deepInclude(refused, { _tag: "BudgetExhausted", scope: "tenant", amount: "0.50", period: "day" })
    })
  )
})
