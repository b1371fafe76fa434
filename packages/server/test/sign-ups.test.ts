import { assert, layer } from "@effect/vitest"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect } from "effect"
import { Running, running, type Send } from "./Running.ts"

const TOKEN = "kQ2w9Zr1T5xXn4Lb7Vd0Ks3Mj6Hf9Gc2Ya8Pe5Ru"
const SECRET_KEY = "vN3wQm0Zk8JtYx5Lr2PbHs7Dc4Fg9Ua1Ee6Oi0XqRz"
const PROXIES = { TRUSTED_PROXIES: '["127.0.0.1"]' }
const PATIENCE = 60_000

const create = (send: Send, address: string, authorization?: string) =>
  Effect.map(
    send("POST", "/create-tenant", {
      json: { name: "Acme" },
      headers: { "x-forwarded-for": address, ...(authorization === undefined ? {} : { authorization }) }
    }),
    (answer) => ({ ...answer, code: answer.body["code"] })
  )

/** Fifteen minutes for five: 180 seconds for the next, less those that the test took. */
const waits = (headers: Headers) => Number(headers.get("retry-after")) > 60 && Number(headers.get("retry-after")) <= 180

/** The same by RPC: the status of its answer, 200 where a tenant was made. */
const call = Effect.fnUntraced(function* (send: Send, address: string, own?: string) {
  const headers = own === undefined ? [] : [["authorization", own]]
  const request = { _tag: "Request", id: "1", tag: "tenants.create", payload: { name: "Acme" }, headers }
  const { body } = yield* send("POST", "/rpc", {
    body: `${JSON.stringify(request)}\n`,
    headers: { "x-forwarded-for": address, "content-type": "application/x-ndjson" }
  })
  const exit = body["exit"] as { readonly cause?: ReadonlyArray<{ readonly error: { readonly status: number } }> }
  return exit.cause?.[0]?.error.status ?? 200
})

const register = (send: Send, address: string, tenant_id: unknown, email: string) =>
  Effect.map(
    send("POST", "/register", {
      json: { email, password: "password123", tenant_id },
      headers: { "x-forwarded-for": address }
    }),
    ({ headers, status }) => ({ status, headers })
  )

layer(Running.with({ ...PROXIES, TENANTS_PER_ADDRESS: "5", REGISTRATIONS_PER_ADDRESS: "5" }), {
  timeout: "120 seconds"
})("one address", (it) => {
  it.effect(
    "creates so many tenants, by HTTP and RPC together, and then waits; others do not notice",
    () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        for (let n = 0; n < 3; n++) assert.strictEqual((yield* create(send, "198.51.100.1")).status, 201)
        for (let n = 0; n < 2; n++) assert.strictEqual(yield* call(send, "198.51.100.1"), 200)
        const refused = yield* create(send, "198.51.100.1")
        assert.deepStrictEqual([refused.status, refused.code], [429, "too_many_requests"])
        // Fifteen minutes for five.
        assert.isTrue(waits(refused.headers))
        assert.strictEqual(yield* call(send, "198.51.100.1"), 429)
        assert.strictEqual((yield* create(send, "198.51.100.2")).status, 201)
        // An IPv6 /64 is one, and a /48 ten of them.
        const wide = yield* Effect.forEach(Array.from({ length: 60 }), (_, n) => create(send, `2001:db8:1:${n}::1`))
        assert.strictEqual(wide.filter(({ status }) => status === 201).length, 50)
      }),
    PATIENCE
  )

  it.effect(
    "registers so many accounts, whatever comes of it, and then waits; others do not notice",
    () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const tenant = (yield* create(send, "203.0.113.1")).body["id"]
        for (let n = 0; n < 4; n++)
          assert.strictEqual((yield* register(send, "203.0.113.1", tenant, `user${n}@flood.test`)).status, 201)
        assert.strictEqual((yield* register(send, "203.0.113.1", tenant, "user0@flood.test")).status, 403)
        const refused = yield* register(send, "203.0.113.1", tenant, "user5@flood.test")
        assert.strictEqual(refused.status, 429)
        assert.isTrue(waits(refused.headers))
        assert.strictEqual((yield* register(send, "203.0.113.2", tenant, "user5@flood.test")).status, 201)
      }),
    PATIENCE
  )
})

layer(TestDatabase.layer, { timeout: "120 seconds" })("who may create tenants", (it) => {
  it.effect(
    "is every client with the token, where there is one",
    () =>
      Effect.gen(function* () {
        const { process, send } = yield* running({ ...PROXIES, TENANT_CREATION_TOKEN: TOKEN, TENANTS_PER_ADDRESS: "4" })
        assert.match(process.output().stdout, /created with TENANT_CREATION_TOKEN/u)
        for (let n = 0; n < 8; n++)
          assert.strictEqual((yield* create(send, "198.51.100.1", `Bearer ${TOKEN}`)).status, 201)
        assert.strictEqual(yield* call(send, "198.51.100.1", `bearer ${TOKEN}`), 200)
        for (const wrong of [undefined, TOKEN, `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`]) {
          const refused = yield* create(send, "198.51.100.2", wrong)
          assert.deepStrictEqual([refused.status, refused.code], [401, "unauthenticated"])
          assert.isNotNull(refused.headers.get("www-authenticate"))
        }
        // Guesses are counted.
        assert.strictEqual((yield* create(send, "198.51.100.2", `Bearer ${TOKEN}y`)).status, 429)
        assert.strictEqual(yield* call(send, "198.51.100.2"), 429)
        assert.strictEqual(yield* call(send, "198.51.100.3"), 401)
        assert.notInclude(process.output().stdout, TOKEN)
      }),
    PATIENCE
  )

  it.effect(
    "is no client in production, unless it is set",
    () =>
      Effect.gen(function* () {
        const { process, send } = yield* running({ ...PROXIES, APP_ENV: "production", SECRET_KEY })
        const refused = yield* create(send, "198.51.100.1", `Bearer ${TOKEN}`)
        assert.deepStrictEqual([refused.status, refused.code], [403, "tenant_creation_closed"])
        assert.strictEqual(yield* call(send, "198.51.100.1"), 403)
        assert.match(process.output().stdout, /cannot be created from outside/u)
      }),
    PATIENCE
  )
})
