import * as Databases from "@llm-saas/database/backup/Databases"
import { makeKey } from "@llm-saas/domain/ApiKeyText"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { randomBytes, randomUUID } from "node:crypto"
import { signUp } from "./People.ts"
import { type Answer, Running, type Send } from "./Running.ts"

// Attacks on API keys, on a running server: by another tenant, by guessing, by looking at answers and their time.

const SERVER = Running.with({
  TRUSTED_PROXIES: '["127.0.0.1"]',
  MOCK_TOKENS: "2",
  MOCK_TTFT_MS: "0",
  MOCK_DELAY_MS: "0",
  LOGIN_FAILURES_PER_ADDRESS: "20"
})
const OPTIONS = { timeout: "120 seconds", excludeTestServices: true } as const

const make = Effect.fnUntraced(function* (send: Send, token: string, json: object = {}) {
  const { body } = yield* send("POST", "/keys", { token, json: { name: "a key", scopes: ["chat"], ...json } })
  return { id: String(body["id"]), key: String(body["key"]) }
})

/** A key that nobody has; with the public id of another one. */
const invented = (publicId = "0123456789abcdef") => makeKey(publicId, randomBytes(32)).text
const publicIdOf = (key: string) => key.slice(3, 19)

const says = ({ body, status }: Answer) => [status, body["code"]]
const without = ({ body, headers, status }: Answer) => [
  status,
  { ...body, request_id: undefined },
  headers.get("www-authenticate"),
  [...headers.keys()].toSorted()
]

layer(SERVER, OPTIONS)("another tenant", (it) => {
  it.effect("hears of a key, a service account and an owner what it hears of ids that never existed", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const victim = yield* signUp(send)
      const stranger = yield* signUp(send)
      const account = yield* send("POST", "/service-accounts", { token: victim.token, json: { name: "nightly" } })
      const target = yield* make(send, victim.token)
      const powerful = yield* make(send, stranger.token, { scopes: ["admin", "keys:write", "chat"] })
      for (const token of [stranger.token, powerful.key]) {
        const both = Effect.fnUntraced(function* (
          method: string,
          path: (id: string) => string,
          id: string,
          json?: object
        ) {
          const body = json === undefined ? {} : { json }
          const theirs = yield* send(method, path(id), { token, ...body })
          const none = yield* send(method, path(randomUUID()), { token, ...body })
          assert.strictEqual(theirs.status, 404, `${method} ${path(id)}`)
          assert.deepStrictEqual(without(theirs), without(none))
        })
        const key = (id: string) => `/keys/${id}`
        yield* both("GET", key, target.id)
        yield* both("PATCH", key, target.id, { disabled: true })
        yield* both("DELETE", key, target.id)
        yield* both("POST", (id) => `/keys/${id}/rotate`, target.id, { grace_seconds: 0 })
        yield* both("GET", (id) => `/service-accounts/${id}`, String(account.body["id"]))
        yield* both("DELETE", (id) => `/service-accounts/${id}`, String(account.body["id"]))
        for (const owner of [String(account.body["id"]), victim.id]) {
          const theirs = yield* send("POST", "/keys", { token, json: { name: "x", scopes: ["chat"], owner } })
          assert.deepStrictEqual(says(theirs), [404, "service_account_not_found"])
        }
        for (const path of ["/keys?scope=tenant", "/service-accounts"]) {
          const { body } = yield* send("GET", path, { token })
          assert.notInclude(JSON.stringify(body), victim.tenant)
        }
      }
      const me = yield* send("GET", "/v1/key", { token: target.key })
      assert.deepStrictEqual([me.status, me.body["tenant_id"]], [200, victim.tenant])
      // A key is in its own tenant only.
      const asked = yield* send("POST", "/messages", { token: victim.token, json: { content: "the victim's" } })
      for (const path of [
        `/messages/${String(asked.body["id"])}`,
        `/generations/${String(asked.body["generation_id"])}`
      ])
        assert.include([403, 404], (yield* send("GET", path, { token: powerful.key })).status)
    })
  )
})

layer(SERVER, OPTIONS)("a guess", (it) => {
  const tried = (key: string, address: string, header = "x-api-key") =>
    Effect.flatMap(Running, ({ send }) =>
      send("GET", "/v1/key", { headers: { [header]: key, "x-forwarded-for": address } })
    )

  it.effect("at the secret, the id, the checksum or a key that ended is answered alike, in every byte", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { token } = yield* signUp(send)
      const { id, key } = yield* make(send, token)
      const ended = yield* make(send, token)
      yield* send("DELETE", `/keys/${ended.id}`, { token })
      const guesses = {
        "wrong secret": invented(publicIdOf(key)),
        "unknown id": invented(),
        "wrong checksum": key.replace(/.$/u, (last) => (last === "0" ? "1" : "0")),
        "no key at all": "sk-proj-something",
        "a deleted key": ended.key
      }
      const [first, ...others] = yield* Effect.forEach(Object.values(guesses), (guess, n) =>
        tried(guess, `192.0.2.${n + 1}`)
      )
      assert.deepStrictEqual(first === undefined ? [] : says(first), [401, "unauthenticated"])
      for (const other of others) assert.deepStrictEqual(without(other), first === undefined ? [] : without(first))
      assert.notInclude(JSON.stringify(others), id)
      const { adminUrl } = yield* TestDatabase
      // A guess at a key that there is is no event of its owner: nobody can fill another's audit log.
      const { rows } = yield* Databases.execute(
        adminUrl,
        `select from app.audit_events where target_id = '${id}' and action = 'key.refused'`
      )
      assert.strictEqual(rows.length, 0)
    })
  )

  it.effect(
    "takes as long at the secret of a key that there is as at an unknown id",
    () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const { token } = yield* signUp(send)
        const { key } = yield* make(send, token)
        const time = Effect.fnUntraced(function* (guess: () => string, n: number) {
          const address = `198.51.${n >> 8}.${n & 255}`
          const text = guess()
          const before = performance.now()
          assert.strictEqual((yield* tried(text, address)).status, 401)
          return performance.now() - before
        })
        const median = (times: ReadonlyArray<number>) => times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0
        const difference = Effect.fnUntraced(function* (from: number) {
          const [known, unknown]: [Array<number>, Array<number>] = [[], []]
          for (let n = from; n < from + 200; n++) {
            // Each is as often the second of the two.
            const first = n % 2 === 0
            if (first) known.push(yield* time(() => invented(publicIdOf(key)), 2 * n))
            unknown.push(yield* time(() => invented(), 2 * n + 1))
            if (!first) known.push(yield* time(() => invented(publicIdOf(key)), 2 * n))
          }
          return Math.abs(median(known) - median(unknown)) / median(unknown)
        })
        // The same look into the same index. What differs is the noise of the machine, which is not there every time; a difference of ours is.
        const found: Array<number> = []
        for (let round = 0; round < 4 && Math.min(...found) >= 0.15; round++) found.push(yield* difference(round * 200))
        assert.isBelow(Math.min(...found), 0.15, found.join(" "))
      }),
    60_000
  )

  it.effect(
    "is counted by its client's address, by HTTP and RPC, and stops no key that worked there",
    () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const { token } = yield* signUp(send)
        const { key } = yield* make(send, token)
        const good = Effect.map(tried(key, "203.0.113.1"), ({ status }) => status)
        assert.strictEqual(yield* good, 200)
        for (let n = 0; n < 10; n++) assert.strictEqual((yield* tried(invented(), "203.0.113.1")).status, 401)
        const call = Effect.fnUntraced(function* (guess: string, address: string) {
          const request = {
            _tag: "Request",
            id: "1",
            tag: "accounts.me",
            payload: null,
            headers: [["authorization", `Bearer ${guess}`]]
          }
          const { body } = yield* send("POST", "/rpc", {
            body: `${JSON.stringify(request)}\n`,
            headers: { "x-forwarded-for": address, "content-type": "application/x-ndjson" }
          })
          return Object(body["exit"]).cause?.[0]?.error?.status
        })
        for (let n = 0; n < 10; n++) assert.strictEqual(yield* call(invented(), "203.0.113.1"), 401)
        const refused = yield* tried(invented(), "203.0.113.1")
        assert.deepStrictEqual(says(refused), [429, "too_many_requests"])
        assert.isAbove(Number(refused.headers.get("retry-after")), 10)
        assert.strictEqual(yield* call(invented(), "203.0.113.1"), 429)
        for (const header of ["api-key", "x-api-key"])
          assert.strictEqual((yield* tried("sk-x", "203.0.113.1", header)).status, 429)
        // Whoever works there goes on; and others do not notice.
        assert.strictEqual(yield* good, 200)
        assert.strictEqual((yield* tried(invented(), "203.0.113.2")).status, 401)
        assert.strictEqual((yield* tried(key, "203.0.113.3")).status, 200)
        assert.strictEqual(
          (yield* send("GET", "/me", { token, headers: { "x-forwarded-for": "203.0.113.1" } })).status,
          200
        )
        // An IPv6 /48 is ten addresses.
        for (let n = 0; n < 200; n++) yield* tried(invented(), `2001:db8:1:${n.toString(16)}::1`)
        assert.strictEqual((yield* tried(invented(), "2001:db8:1:ffff::1")).status, 429)
      }),
    60_000
  )

  it.effect("leaves nothing of a key in the log", () =>
    Effect.gen(function* () {
      const { process, send } = yield* Running
      const { token } = yield* signUp(send)
      const { key } = yield* make(send, token)
      const wrong = invented(publicIdOf(key))
      for (const sent of [key, wrong]) {
        for (const header of ["x-api-key", "api-key"]) yield* tried(sent, "192.0.2.99", header)
        yield* send("GET", `/messages/${sent}?key=${sent}`, {
          headers: { "x-api-key": sent, "x-request-id": sent.slice(20) }
        })
        yield* send("POST", "/keys", { token: sent, json: { name: sent, scopes: [sent] } })
        yield* send("POST", "/messages", { token, json: { content: 5, [sent]: sent } })
      }
      const { stderr, stdout } = process.output()
      for (const sent of [key, wrong]) {
        assert.notInclude(stdout + stderr, sent)
        assert.notInclude(stdout + stderr, sent.slice(0, 40))
      }
    })
  )

  it.effect("by a page of another origin may send the headers of keys, where its origin is allowed", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const asked = yield* send("OPTIONS", "/messages", {
        headers: {
          origin: "https://app.acme.test",
          "access-control-request-method": "POST",
          "access-control-request-headers": "x-api-key"
        }
      })
      const allowed = asked.headers.get("access-control-allow-headers")?.split(", ") ?? []
      assert.includeMembers(allowed, ["authorization", "x-api-key", "api-key"])
    })
  )
})
