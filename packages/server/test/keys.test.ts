import * as Databases from "@llm-saas/database/backup/Databases"
import { parseKey } from "@llm-saas/domain/ApiKeyText"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { assert, layer } from "@effect/vitest"
import { Effect, Result } from "effect"
import { createHash, randomUUID } from "node:crypto"
import { type Person, signUp } from "./People.ts"
import { type Answer, Running, type Send } from "./Running.ts"

// API keys over HTTP, on a running server with a database of its own.

const SERVER = Running.with({
  MOCK_TOKENS: "3",
  MOCK_TTFT_MS: "0",
  MOCK_DELAY_MS: "0",
  TENANTS_PER_ADDRESS: "10000",
  REGISTRATIONS_PER_ADDRESS: "10000",
  LOGIN_FAILURES_PER_ADDRESS: "1000"
})
const OPTIONS = { timeout: "120 seconds", excludeTestServices: true } as const

const query = Effect.fnUntraced(function* (sql: string) {
  const { adminUrl } = yield* TestDatabase
  return (yield* Databases.execute(adminUrl, sql)).rows
})

/** Waits until a query has rows: what is written behind a request is there within some seconds. */
const until = (sql: string) =>
  Effect.gen(function* () {
    for (let tries = 0; tries < 100; tries++) {
      const rows = yield* query(sql)
      if (rows.length > 0) return rows
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 100)))
    }
    return yield* Effect.die(new Error(`never: ${sql}`))
  })

interface Key {
  readonly id: string
  readonly key: string
  readonly body: Answer["body"]
}

const make = Effect.fnUntraced(function* (send: Send, token: string, json: object): Effect.fn.Return<Key> {
  const { body, status } = yield* send("POST", "/keys", {
    token,
    json: { name: "a key", scopes: ["chat", "messages:read"], ...json }
  })
  if (status !== 201) return yield* Effect.die(new Error(JSON.stringify(body)))
  return { id: String(body["id"]), key: String(body["key"]), body }
})

const says = ({ body, status }: Answer) => [status, body["code"]]
const OK = [200, undefined]
const UNAUTHENTICATED = [401, "unauthenticated"]
const INSUFFICIENT = [403, "insufficient_scope"]

/** Whether a key works, at an endpoint that every key may call. */
const works = (send: Send, key: string) => Effect.map(send("GET", "/v1/key", { token: key }), says)

/** A tenant with an admin and a member. */
const office = Effect.fnUntraced(function* (send: Send) {
  const admin = yield* signUp(send)
  return { admin, member: yield* signUp(send, admin.tenant) }
})

const serviceAccount = (send: Send, { token }: Person, json: object = {}) =>
  Effect.map(send("POST", "/service-accounts", { token, json: { name: "nightly", ...json } }), ({ body }) =>
    String(body["id"])
  )

layer(SERVER, OPTIONS)("an API key", (it) => {
  it.effect("is shown once, stored as a hash, and works in three headers as its owner", () =>
    Effect.gen(function* () {
      const { process, send } = yield* Running
      const { member } = yield* office(send)
      const { body, id, key } = yield* make(send, member.token, { name: "bot", metadata: { team: "a" } })
      assert.isTrue(Result.isSuccess(parseKey(key)))
      assert.deepInclude(body, {
        tenant_id: member.tenant,
        owner: { kind: "user", id: member.id },
        name: "bot",
        begins_with: key.slice(0, 19),
        scopes: ["chat", "messages:read"],
        models: null,
        metadata: { team: "a" },
        status: "active",
        expires_at: null
      })

      for (const headers of [
        { authorization: `Bearer ${key}` },
        { authorization: `bearer ${key}` },
        { "x-api-key": key },
        { "api-key": key },
        { "x-api-key": "", "api-key": key },
        { authorization: "Basic abc", "x-api-key": key }
      ]) {
        const me = yield* send("GET", "/me", { headers })
        assert.deepStrictEqual([me.status, me.body["id"]], [200, member.id], JSON.stringify(Object.keys(headers)))
      }
      // The first that is there counts, and no other is tried.
      for (const headers of [
        { authorization: "Bearer sk-nothing", "x-api-key": key },
        { "x-api-key": "nothing", "api-key": key },
        { "x-api-key": member.token },
        {}
      ])
        assert.deepStrictEqual(says(yield* send("GET", "/me", { headers })), UNAUTHENTICATED)
      // A login still works beside a key that does not.
      assert.strictEqual(
        (yield* send("GET", "/me", { token: member.token, headers: { "x-api-key": "nothing" } })).status,
        200
      )

      const [row] = yield* query(
        `select k.*, encode(secret_hash, 'hex') as hash from app.api_keys k where id = '${id}'`
      )
      assert.strictEqual(Reflect.get(Object(row), "hash"), createHash("sha256").update(key).digest("hex"))
      const stored = yield* query(
        `select (select json_agg(a) from app.audit_events a)::text || (select json_agg(i) from app.idempotent_answers i)::text
           || (select json_agg(k) from app.api_keys k)::text as everything`
      )
      assert.notInclude(JSON.stringify(stored), key.slice(20))
      assert.notInclude(
        JSON.stringify((yield* send("GET", `/keys/${id}`, { token: member.token })).body),
        key.slice(20)
      )
      assert.notInclude(process.output().stdout + process.output().stderr, key.slice(20))
    })
  )

  it.effect("asks, reads and streams within its scopes, and nothing beyond, by HTTP and RPC", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { admin } = yield* office(send)
      const asked = yield* send("POST", "/messages", { token: admin.token, json: { content: "mine" } })
      const message = String(asked.body["id"])
      const chat = (yield* make(send, admin.token, { scopes: ["chat"] })).key
      const read = (yield* make(send, admin.token, { scopes: ["messages:read"] })).key
      const write = (yield* make(send, admin.token, { scopes: ["messages:write"] })).key
      const usage = (yield* make(send, admin.token, { scopes: ["usage:read", "embeddings"] })).key

      const tries: ReadonlyArray<
        readonly [string, string, object | undefined, ReadonlyArray<string>, ReadonlyArray<string>]
      > = [
        ["POST", "/messages", { content: "hello" }, [chat], ["chat"]],
        ["POST", "/messages/stream", { content: "hello" }, [chat], ["chat"]],
        ["GET", "/messages", undefined, [read], ["messages:read"]],
        ["GET", `/messages/${message}`, undefined, [read], ["messages:read"]],
        ["POST", `/messages/${message}/feedback`, { rating: 1 }, [write], ["messages:write"]],
        ["POST", "/conversations", {}, [write], ["messages:write"]],
        ["GET", "/conversations", undefined, [read], ["messages:read"]],
        [
          "GET",
          `/generations/${String(asked.body["generation_id"])}`,
          undefined,
          [chat, read],
          ["chat", "messages:read"]
        ],
        [
          "POST",
          `/generations/${String(asked.body["generation_id"])}/cancel`,
          undefined,
          [chat, write],
          ["chat", "messages:write"]
        ],
        ["GET", "/keys", undefined, [], ["keys:write"]],
        ["POST", "/keys", { name: "x", scopes: ["chat"] }, [], ["keys:write"]],
        ["GET", "/service-accounts", undefined, [], ["admin"]],
        ["GET", `/tenants/${admin.tenant}/users`, undefined, [], ["admin"]],
        ["GET", `/tenants/${admin.tenant}/isolation-report`, undefined, [], ["admin"]],
        ["POST", "/admin/users", { email: "x@acme.test", password: "password123" }, [], ["admin"]],
        ["GET", "/v1/key", undefined, [chat, read, write, usage], []],
        ["GET", "/me", undefined, [chat, read, write, usage], []]
      ]
      for (const [method, path, json, allowed, scopes] of tries) {
        for (const key of [chat, read, write, usage]) {
          const answer = yield* send(method, path, {
            headers: { "x-api-key": key },
            ...(json === undefined ? {} : { json })
          })
          const what = `${method} ${path} ${answer.status}`
          if (allowed.includes(key)) assert.isBelow(answer.status, 300, what)
          else assert.deepStrictEqual([...says(answer), answer.body["scopes"]], [...INSUFFICIENT, scopes], what)
        }
      }
      // No key, whatever it may, is enough to take over an account.
      const all = (yield* make(send, admin.token, {
        scopes: ["chat", "embeddings", "messages:read", "messages:write", "usage:read", "keys:write", "admin"]
      })).key
      const change = { current_password: "password123", new_password: "password124" }
      assert.deepStrictEqual(says(yield* send("POST", "/me/password", { token: all, json: change })), [
        403,
        "forbidden"
      ])

      const call = Effect.fnUntraced(function* (key: string, tag: string, payload: unknown, header: string) {
        const request = {
          _tag: "Request",
          id: "1",
          tag,
          payload,
          headers: header === "call" ? [["authorization", `Bearer ${key}`]] : []
        }
        const { body } = yield* send("POST", "/rpc", {
          body: `${JSON.stringify(request)}\n`,
          headers: { "content-type": "application/x-ndjson", ...(header === "call" ? {} : { [header]: key }) }
        })
        const exit = Object(body["exit"])
        return exit._tag === "Success" ? "ok" : String(exit.cause?.[0]?.error?.code)
      })
      for (const header of ["call", "x-api-key", "api-key"]) {
        assert.strictEqual(yield* call(read, "messages.list", {}, header), "ok")
        assert.strictEqual(yield* call(read, "messages.list", { scope: "tenant" }, header), "insufficient_scope")
        assert.strictEqual(yield* call(read, "messages.ask", { content: "x" }, header), "insufficient_scope")
        assert.strictEqual(yield* call(chat, "messages.ask", { content: "x" }, header), "ok")
        assert.strictEqual(yield* call(chat, "keys.current", null, header), "ok")
        assert.strictEqual(yield* call(all, "serviceAccounts.list", {}, header), "ok")
        assert.strictEqual(yield* call(`${chat}x`, "accounts.me", null, header), "unauthenticated")
      }
    })
  )

  it.effect("without the scope `admin` sees only what is its owner's, also an admin's", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { admin, member } = yield* office(send)
      const { body } = yield* send("POST", "/messages", { token: member.token, json: { content: "the member's" } })
      const path = `/messages/${String(body["id"])}`
      const plain = (yield* make(send, admin.token, {
        scopes: ["messages:read", "messages:write", "chat", "keys:write"]
      })).key
      const powerful = (yield* make(send, admin.token, { scopes: ["messages:read", "admin"] })).key
      const other = yield* make(send, member.token, {})

      assert.strictEqual((yield* send("GET", path, { token: admin.token })).status, 200)
      assert.strictEqual((yield* send("GET", path, { token: powerful })).status, 200)
      assert.strictEqual((yield* send("GET", "/messages?scope=tenant", { token: powerful })).status, 200)
      assert.strictEqual((yield* send("GET", path, { token: plain })).status, 404)
      assert.strictEqual(
        (yield* send("GET", `/generations/${String(body["generation_id"])}`, { token: plain })).status,
        404
      )
      assert.strictEqual((yield* send("DELETE", path, { token: plain })).status, 404)
      assert.strictEqual((yield* send("GET", `/keys/${other.id}`, { token: plain })).status, 404)
      for (const list of ["/messages?scope=tenant", "/keys?scope=tenant"])
        assert.deepStrictEqual(says(yield* send("GET", list, { token: plain })), INSUFFICIENT)
      // The database's role counts: an admin who becomes a user has a key for nothing.
      const deputy = yield* signUp(send, admin.tenant)
      const role = (role: string) => send("PATCH", `/admin/users/${deputy.id}`, { token: admin.token, json: { role } })
      yield* role("admin")
      const key = (yield* make(send, deputy.token, { scopes: ["admin", "messages:read"] })).key
      const users = `/tenants/${admin.tenant}/users`
      assert.strictEqual((yield* send("GET", users, { token: key })).status, 200)
      yield* role("user")
      assert.deepStrictEqual(says(yield* send("GET", users, { token: key })), [403, "forbidden"])
      assert.strictEqual((yield* send("GET", path, { token: key })).status, 404)
    })
  )

  it.effect("says what it may and what was asked with it", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { member } = yield* office(send)
      const { id, key } = yield* make(send, member.token, {})
      const other = (yield* make(send, member.token, {})).key
      yield* send("POST", "/messages", { token: member.token, json: { content: "by login" } })
      yield* send("POST", "/messages", { token: other, json: { content: "by another key" } })
      for (let n = 0; n < 2; n++) yield* send("POST", "/messages", { token: key, json: { content: "by this key" } })
      const { body } = yield* send("GET", "/v1/key", { token: key })
      const spent = { requests: 2, tokens_out: 6 }
      assert.deepInclude(Object(body["usage"]).today, spent)
      assert.deepInclude(Object(body["usage"]).this_month, spent)
      assert.strictEqual(body["id"], id)
      assert.isUndefined(body["key"])
      assert.deepStrictEqual(says(yield* send("GET", "/v1/key", { token: member.token })), [404, "key_not_found"])
      // Written behind the requests.
      yield* until(`select from app.api_keys where id = '${id}' and last_used_at > now() - interval '1 minute'`)
    })
  )

  it.effect("asks only the models it names", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { member } = yield* office(send)
      const { id, key } = yield* make(send, member.token, { models: ["another-model"] })
      const ask = send("POST", "/messages", { token: key, json: { content: "hello" } })
      const stream = send("POST", "/messages/stream", { token: key, json: { content: "hello" } })
      for (const asking of [ask, stream]) {
        const refused = yield* asking
        assert.deepStrictEqual([...says(refused), refused.body["model"]], [403, "model_not_allowed", "mock-1"])
      }
      yield* send("PATCH", `/keys/${id}`, { token: member.token, json: { models: ["another-model", "mock-1"] } })
      assert.strictEqual((yield* ask).status, 201)
      yield* send("PATCH", `/keys/${id}`, { token: member.token, json: { models: [] } })
      assert.strictEqual((yield* ask).status, 403)
      yield* send("PATCH", `/keys/${id}`, { token: member.token, json: { models: null } })
      assert.strictEqual((yield* ask).status, 201)
    })
  )

  it.effect(
    "is refused from the next request on, however it ends, and a use of it is an event, once a minute",
    () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const { admin, member } = yield* office(send)
        const patch = (id: string, json: object) => send("PATCH", `/keys/${id}`, { token: member.token, json })
        const ends: ReadonlyArray<
          readonly [
            reason: string,
            end: (id: string) => Effect.Effect<unknown, unknown, TestDatabase>,
            back?: (id: string) => Effect.Effect<unknown, unknown, TestDatabase>
          ]
        > = [
          ["disabled", (id) => patch(id, { disabled: true }), (id) => patch(id, { disabled: false })],
          [
            "expired",
            (id) => patch(id, { expires_at: "2020-01-01T00:00:00Z" }),
            (id) => patch(id, { expires_at: null })
          ],
          [
            "tenant",
            () => query(`update app.tenants set status = 'suspended' where id = '${admin.tenant}'`),
            () => query(`update app.tenants set status = 'active' where id = '${admin.tenant}'`)
          ],
          ["deleted", (id) => send("DELETE", `/keys/${id}`, { token: member.token })],
          ["rotated", (id) => send("POST", `/keys/${id}/rotate`, { token: member.token, json: {} })],
          [
            "owner",
            () => send("PATCH", `/admin/users/${member.id}`, { token: admin.token, json: { status: "disabled" } }),
            () => send("PATCH", `/admin/users/${member.id}`, { token: admin.token, json: { status: "active" } })
          ]
        ]
        for (const [reason, end, back] of ends) {
          const { id, key } = yield* make(send, member.token, {})
          assert.deepStrictEqual(yield* works(send, key), OK, reason)
          yield* end(id)
          for (let n = 0; n < 3; n++) assert.deepStrictEqual(yield* works(send, key), UNAUTHENTICATED, reason)
          const events = `select detail ->> 'reason' as reason, actor_user_id, request_id from app.audit_events
          where action = 'key.refused' and target_id = '${id}'`
          const found = yield* until(events)
          assert.deepInclude(found[0], { reason, actor_user_id: null })
          if (back !== undefined) {
            yield* back(id)
            assert.deepStrictEqual(yield* works(send, key), OK, reason)
          }
          assert.strictEqual((yield* query(events)).length, 1)
        }
      }),
    60_000
  )

  it.effect("expires by the database's clock, at the moment", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { member } = yield* office(send)
      const { id, key } = yield* make(send, member.token, { expires_at: "2100-01-01T00:00:00+02:00" })
      assert.strictEqual(
        (yield* send("GET", `/keys/${id}`, { token: member.token })).body["expires_at"],
        "2099-12-31T22:00:00.000Z"
      )
      yield* query(`update app.api_keys set expires_at = now() + interval '5 minutes' where id = '${id}'`)
      assert.deepStrictEqual(yield* works(send, key), OK)
      yield* query(`update app.api_keys set expires_at = now() where id = '${id}'`)
      assert.deepStrictEqual(yield* works(send, key), UNAUTHENTICATED)
      assert.strictEqual((yield* send("GET", `/keys/${id}`, { token: member.token })).body["status"], "expired")
      for (const expires_at of [
        "tomorrow",
        "2027-01-31",
        "2027-01-31T12:00:00",
        "0000-01-01T00:00:00Z",
        "2027-13-01T00:00:00Z",
        5
      ])
        assert.strictEqual(
          (yield* send("POST", "/keys", { token: member.token, json: { name: "x", scopes: ["chat"], expires_at } }))
            .status,
          400,
          String(expires_at)
        )
    })
  )

  it.effect("dies with its user, and a service account's keys with that, and their rows go", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { admin, member } = yield* office(send)
      const account = yield* serviceAccount(send, admin)
      const mine = yield* make(send, member.token, {})
      const its = yield* make(send, admin.token, { owner: account })
      const asked = yield* send("POST", "/messages", { token: its.key, json: { content: "by a program" } })
      assert.strictEqual(asked.body["user_id"], account)
      yield* send("DELETE", `/admin/users/${member.id}`, { token: admin.token })
      assert.deepStrictEqual(yield* works(send, mine.key), UNAUTHENTICATED)
      assert.deepStrictEqual(yield* works(send, its.key), OK)
      assert.strictEqual((yield* send("DELETE", `/service-accounts/${account}`, { token: admin.token })).status, 204)
      assert.deepStrictEqual(yield* works(send, its.key), UNAUTHENTICATED)
      assert.strictEqual((yield* send("DELETE", `/service-accounts/${account}`, { token: admin.token })).status, 404)
      // What is deleted cannot be read, also before its rows are gone.
      assert.strictEqual((yield* send("GET", `/service-accounts/${account}`, { token: admin.token })).status, 404)
      assert.strictEqual((yield* send("GET", `/admin/users/${member.id}`, { token: admin.token })).status, 404)
      yield* until(`select where not exists (select from app.api_keys where tenant_id = '${admin.tenant}')
        and not exists (select from app.users where tenant_id = '${admin.tenant}' and kind = 'service')`)
      // The account of what was asked stays, with the key it was asked with.
      const [row] = yield* query(
        `select key_id, user_id from app.generations where id = '${String(asked.body["generation_id"])}'`
      )
      assert.deepInclude(row, { key_id: its.id, user_id: account })
    })
  )
})

layer(SERVER, OPTIONS)("a rotation", (it) => {
  it.effect("keeps the id, and lets the old secret live for its grace", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { member } = yield* office(send)
      const old = yield* make(send, member.token, {})
      const rotate = (grace_seconds?: number, headers: Record<string, string> = {}) =>
        send("POST", `/keys/${old.id}/rotate`, {
          token: member.token,
          json: grace_seconds === undefined ? {} : { grace_seconds },
          headers
        })
      const first = yield* rotate(3600)
      assert.deepStrictEqual(
        [first.status, first.body["id"], first.body["begins_with"]],
        [200, old.id, old.body["begins_with"]]
      )
      const second = String(first.body["key"])
      assert.deepStrictEqual([yield* works(send, old.key), yield* works(send, second)], [OK, OK])
      // One old secret at a time: the next rotation ends it.
      const third = String((yield* rotate(600)).body["key"])
      assert.deepStrictEqual(
        [yield* works(send, old.key), yield* works(send, second), yield* works(send, third)],
        [UNAUTHENTICATED, OK, OK]
      )
      yield* query(`update app.api_keys set previous_until = now() where id = '${old.id}'`)
      assert.deepStrictEqual([yield* works(send, second), yield* works(send, third)], [UNAUTHENTICATED, OK])
      const fourth = String((yield* rotate()).body["key"])
      assert.deepStrictEqual([yield* works(send, third), yield* works(send, fourth)], [UNAUTHENTICATED, OK])
      for (const grace of [-1, 0.5, 30 * 86_400 + 1]) assert.strictEqual((yield* rotate(grace)).status, 400)

      // Sent again with its Idempotency-Key it rotates once, and shows no secret again.
      const headers = { "idempotency-key": randomUUID() }
      const fifth = yield* rotate(0, headers)
      const again = yield* rotate(0, headers)
      assert.deepStrictEqual(
        [again.status, again.headers.get("idempotency-replayed"), again.body["key"]],
        [200, "true", null]
      )
      assert.deepStrictEqual(yield* works(send, String(fifth.body["key"])), OK)
      assert.deepStrictEqual(says(yield* rotate(1, headers)), [422, "idempotency_mismatch"])
    })
  )

  it.effect(
    "at the same moment as another gives two secrets, of which the last stays and the first has its grace",
    () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const { member } = yield* office(send)
        for (let round = 0; round < 5; round++) {
          const { id, key } = yield* make(send, member.token, {})
          const both = yield* Effect.all(
            Array.from({ length: 2 }, () =>
              send("POST", `/keys/${id}/rotate`, { token: member.token, json: { grace_seconds: 60 } })
            ),
            { concurrency: 2 }
          )
          const secrets = both.map(({ body, status }) => (assert.strictEqual(status, 200), String(body["key"])))
          assert.notStrictEqual(secrets[0], secrets[1])
          assert.deepStrictEqual(yield* works(send, key), UNAUTHENTICATED)
          for (const secret of secrets) assert.deepStrictEqual(yield* works(send, secret), OK)
        }
        // Without grace only one works.
        const { id } = yield* make(send, member.token, {})
        const many = yield* Effect.all(
          Array.from({ length: 4 }, () => send("POST", `/keys/${id}/rotate`, { token: member.token, json: {} })),
          { concurrency: 4 }
        )
        const answers = yield* Effect.forEach(many, ({ body }) => works(send, String(body["key"])))
        assert.strictEqual(answers.filter(([status]) => status === 200).length, 1)
      })
  )

  it.effect("and a deletion at the same moment leave no secret that works", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { member } = yield* office(send)
      for (let round = 0; round < 5; round++) {
        const { id } = yield* make(send, member.token, {})
        const [rotated, removed] = yield* Effect.all(
          [
            send("POST", `/keys/${id}/rotate`, { token: member.token, json: { grace_seconds: 60 } }),
            send("DELETE", `/keys/${id}`, { token: member.token })
          ],
          { concurrency: 2 }
        )
        assert.strictEqual(removed.status, 204)
        assert.include([200, 404], rotated.status)
        if (rotated.status === 200)
          assert.deepStrictEqual(yield* works(send, String(rotated.body["key"])), UNAUTHENTICATED)
      }
    })
  )
})

layer(SERVER, OPTIONS)("who manages keys", (it) => {
  it.effect("is their owner; an admin sees, changes and deletes all of the tenant's, and rotates no person's", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { admin, member } = yield* office(send)
      const colleague = yield* signUp(send, admin.tenant)
      const { id, key } = yield* make(send, member.token, {})
      const path = `/keys/${id}`
      for (const [method, at, json] of [
        ["GET", path, undefined],
        ["PATCH", path, { name: "x" }],
        ["DELETE", path, undefined],
        ["POST", `${path}/rotate`, {}]
      ] as const)
        assert.deepStrictEqual(
          says(yield* send(method, at, { token: colleague.token, ...(json === undefined ? {} : { json }) })),
          [404, "key_not_found"],
          method
        )
      const ids = ({ body }: Answer) => (body["data"] as ReadonlyArray<{ readonly id: string }>).map((each) => each.id)
      assert.deepStrictEqual(ids(yield* send("GET", "/keys", { token: colleague.token })), [])
      assert.deepStrictEqual(says(yield* send("GET", "/keys?scope=tenant", { token: colleague.token })), [
        403,
        "forbidden"
      ])
      assert.deepStrictEqual(ids(yield* send("GET", "/keys", { token: admin.token })), [])
      assert.deepStrictEqual(ids(yield* send("GET", "/keys?scope=tenant", { token: admin.token })), [id])
      assert.strictEqual(
        (yield* send("PATCH", path, { token: admin.token, json: { name: "seen" } })).body["name"],
        "seen"
      )
      assert.deepStrictEqual(says(yield* send("POST", `${path}/rotate`, { token: admin.token, json: {} })), [
        403,
        "forbidden"
      ])
      assert.deepStrictEqual(yield* works(send, key), OK)
      assert.strictEqual((yield* send("DELETE", path, { token: admin.token })).status, 204)
      assert.deepStrictEqual(yield* works(send, key), UNAUTHENTICATED)
      for (const method of ["GET", "DELETE"])
        assert.strictEqual((yield* send(method, path, { token: member.token })).status, 404)
      assert.deepStrictEqual(ids(yield* send("GET", "/keys", { token: member.token })), [])
      const actions = yield* query(
        `select action, actor_user_id from app.audit_events where target_id = '${id}' and action <> 'key.refused' order by at`
      )
      assert.deepStrictEqual(
        actions.map((row) => Object.values(Object(row))),
        [
          ["key.created", member.id],
          ["key.changed", admin.id],
          ["key.deleted", admin.id]
        ]
      )
    })
  )

  it.effect("pages through many, newest first, without the deleted ones", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { member } = yield* office(send)
      const made: Array<string> = []
      for (let n = 0; n < 7; n++) made.unshift((yield* make(send, member.token, { name: `key ${n}` })).id)
      yield* send("DELETE", `/keys/${made[3]}`, { token: member.token })
      const seen: Array<string> = []
      for (let cursor = ""; ;) {
        const { body } = yield* send("GET", `/keys?limit=2${cursor}`, { token: member.token })
        seen.push(...(body["data"] as ReadonlyArray<{ readonly id: string }>).map(({ id }) => id))
        if (body["next_cursor"] === null) break
        cursor = `&cursor=${String(body["next_cursor"])}`
      }
      assert.deepStrictEqual(seen, made.toSpliced(3, 1))
    })
  )

  it.effect("is for service accounts an admin: members neither see nor have them", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { admin, member } = yield* office(send)
      const account = yield* serviceAccount(send, admin)
      const its = yield* make(send, admin.token, { owner: account, scopes: ["chat", "keys:write"] })
      assert.deepInclude(its.body, { owner: { kind: "service_account", id: account } })
      const path = `/keys/${its.id}`
      for (const [method, at, json] of [
        ["GET", path, undefined],
        ["PATCH", path, { name: "x" }],
        ["DELETE", path, undefined],
        ["POST", `${path}/rotate`, {}]
      ] as const)
        assert.strictEqual(
          (yield* send(method, at, { token: member.token, ...(json === undefined ? {} : { json }) })).status,
          404,
          method
        )
      const forbidden = [403, "forbidden"]
      for (const method of ["GET", "POST"])
        assert.deepStrictEqual(
          says(
            yield* send(method, "/service-accounts", {
              token: member.token,
              ...(method === "POST" ? { json: { name: "x" } } : {})
            })
          ),
          forbidden
        )
      assert.deepStrictEqual(
        says(yield* send("DELETE", `/service-accounts/${account}`, { token: member.token })),
        forbidden
      )
      for (const owner of [account, member.id, admin.id])
        assert.deepStrictEqual(
          says(yield* send("POST", "/keys", { token: member.token, json: { name: "x", scopes: ["chat"], owner } })),
          forbidden
        )
      // Not even an admin has a key that acts as another person.
      for (const owner of [member.id, admin.id, randomUUID()])
        assert.deepStrictEqual(
          says(yield* send("POST", "/keys", { token: admin.token, json: { name: "x", scopes: ["chat"], owner } })),
          [404, "service_account_not_found"]
        )
      const rotated = yield* send("POST", `${path}/rotate`, { token: admin.token, json: {} })
      assert.deepStrictEqual(yield* works(send, String(rotated.body["key"])), OK)
      // It rotates its own key too, as programs do.
      const own = yield* send("POST", `${path}/rotate`, { token: String(rotated.body["key"]), json: {} })
      assert.strictEqual(own.status, 200)

      // A service account is not one of the users.
      const users = yield* send("GET", `/tenants/${admin.tenant}/users`, { token: admin.token })
      assert.notInclude(JSON.stringify(users.body), account)
      for (const method of ["GET", "PATCH", "DELETE"])
        assert.deepStrictEqual(
          says(
            yield* send(method, `/admin/users/${account}`, {
              token: admin.token,
              ...(method === "PATCH" ? { json: { role: "admin" } } : {})
            })
          ),
          [404, "user_not_found"]
        )
      for (const method of ["GET", "DELETE"])
        assert.deepStrictEqual(says(yield* send(method, `/service-accounts/${member.id}`, { token: admin.token })), [
          404,
          "service_account_not_found"
        ])
      const login = yield* send("POST", "/login", {
        json: { username: `${account}@service.invalid`, password: "password123", tenant_id: admin.tenant }
      })
      assert.strictEqual(login.status, 401)
    })
  )

  it.effect("an admin among service accounts is not the admin who must stay", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { admin } = yield* office(send)
      const account = yield* serviceAccount(send, admin, { role: "admin" })
      const { key } = yield* make(send, admin.token, { owner: account, scopes: ["admin"] })
      assert.strictEqual((yield* send("GET", `/tenants/${admin.tenant}/users`, { token: key })).status, 200)
      assert.deepStrictEqual(says(yield* send("DELETE", `/admin/users/${admin.id}`, { token: key })), [
        409,
        "last_admin"
      ])
      assert.deepStrictEqual(
        says(yield* send("PATCH", `/admin/users/${admin.id}`, { token: key, json: { role: "user" } })),
        [409, "last_admin"]
      )
      assert.strictEqual((yield* send("DELETE", `/service-accounts/${account}`, { token: key })).status, 204)
      assert.deepStrictEqual(yield* works(send, key), UNAUTHENTICATED)
    })
  )

  it.effect("with a key manages only keys that may no more, by any way there is", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { admin, member } = yield* office(send)
      const strong = yield* make(send, member.token, { scopes: ["chat", "messages:read", "keys:write"] })
      const weak = yield* make(send, member.token, {
        scopes: ["chat", "keys:write"],
        models: ["mock-1"],
        expires_at: "2090-01-01T00:00:00Z"
      })
      const post = (json: object) =>
        send("POST", "/keys", {
          token: weak.key,
          json: { name: "x", scopes: ["chat"], models: ["mock-1"], expires_at: "2090-01-01T00:00:00Z", ...json }
        })
      assert.strictEqual((yield* post({})).status, 201)
      for (const more of [
        { scopes: ["chat", "messages:read"] },
        { scopes: ["admin"] },
        { models: null },
        { models: ["mock-1", "other"] },
        { expires_at: null },
        { expires_at: "2090-01-01T00:00:01Z" }
      ])
        assert.deepStrictEqual(says(yield* post(more)), INSUFFICIENT, JSON.stringify(more))
      for (const more of [
        { scopes: ["chat", "messages:read"] },
        { models: null },
        { expires_at: null },
        { scopes: ["admin"] }
      ])
        assert.deepStrictEqual(
          says(yield* send("PATCH", `/keys/${weak.id}`, { token: weak.key, json: more })),
          INSUFFICIENT,
          JSON.stringify(more)
        )
      for (const [method, path, json] of [
        ["POST", `/keys/${strong.id}/rotate`, {}],
        ["PATCH", `/keys/${strong.id}`, { scopes: ["chat"], models: ["mock-1"], expires_at: "2080-01-01T00:00:00Z" }],
        ["DELETE", `/keys/${strong.id}`, undefined]
      ] as const)
        assert.deepStrictEqual(
          says(yield* send(method, path, { token: weak.key, ...(json === undefined ? {} : { json }) })),
          INSUFFICIENT,
          method
        )
      assert.deepStrictEqual(yield* works(send, strong.key), OK)
      // Members give no key the scope `admin`, and a key of an admin without it neither.
      for (const token of [member.token, strong.key])
        assert.strictEqual(
          (yield* send("POST", "/keys", { token, json: { name: "x", scopes: ["admin"] } })).status,
          403
        )
      assert.deepStrictEqual(
        says(yield* send("PATCH", `/keys/${strong.id}`, { token: member.token, json: { scopes: ["admin"] } })),
        [403, "forbidden"]
      )
      const managing = yield* make(send, admin.token, { scopes: ["keys:write", "chat"] })
      const account = yield* serviceAccount(send, admin)
      assert.deepStrictEqual(
        says(
          yield* send("POST", "/keys", { token: managing.key, json: { name: "x", scopes: ["chat"], owner: account } })
        ),
        INSUFFICIENT
      )
      assert.strictEqual((yield* send("DELETE", `/keys/${weak.id}`, { token: managing.key })).status, 404)
      // It is recorded which key did it.
      const made = yield* send("POST", "/keys", { token: managing.key, json: { name: "x", scopes: ["chat"] } })
      const [event] = yield* query(
        `select detail ->> 'key_id' as key from app.audit_events where target_id = '${String(made.body["id"])}'`
      )
      assert.deepInclude(event, { key: managing.id })
    })
  )

  it.effect("sends a creation again and gets one key, whose secret was in the first answer", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { member } = yield* office(send)
      const headers = { "idempotency-key": randomUUID() }
      const json = { name: "once", scopes: ["chat"], metadata: { b: "1", a: "2" } }
      const [first, ...rest] = yield* Effect.all(
        Array.from({ length: 4 }, () => send("POST", "/keys", { token: member.token, json, headers })),
        { concurrency: 4 }
      )
      const all = [first, ...rest].flatMap((each) => (each === undefined ? [] : [each]))
      assert.strictEqual(new Set(all.map(({ body }) => body["id"])).size, 1)
      assert.strictEqual(all.filter(({ body }) => body["key"] !== null).length, 1)
      assert.strictEqual(all.filter(({ headers }) => headers.get("idempotency-replayed") === "true").length, 3)
      assert.deepStrictEqual(
        says(
          yield* send("POST", "/keys", {
            token: member.token,
            json: { ...json, scopes: ["chat", "usage:read"] },
            headers
          })
        ),
        [422, "idempotency_mismatch"]
      )
      const [row] = yield* query(`select count(*)::int as n from app.api_keys where tenant_id = '${member.tenant}'`)
      assert.deepInclude(row, { n: 1 })
    })
  )

  it.effect("is told what is wrong with a request", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { member } = yield* office(send)
      const many = Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`m${n}`, "x"]))
      for (const json of [
        {},
        { name: "", scopes: ["chat"] },
        { name: "x", scopes: [] },
        { name: "x", scopes: ["chat", "chat"] },
        { name: "x", scopes: ["root"] },
        { name: "x", scopes: ["chat"], owner: "you" },
        { name: "x", scopes: ["chat"], models: Array.from({ length: 101 }, (_, n) => `m${n}`) },
        { name: "x", scopes: ["chat"], metadata: many },
        { name: "x", scopes: ["chat"], metadata: { a: "x".repeat(513) } },
        { name: "x", scopes: ["chat"], metadata: { "a b": "x" } },
        { name: "x", scopes: ["chat"], metadata: { a: "\u0000" } },
        { name: "x", scopes: ["chat"], metadata: { a: 1 } },
        { name: "x", scopes: ["chat"], expires_at: "9999-12-31T23:59:59-12:00" }
      ])
        assert.deepStrictEqual(
          says(yield* send("POST", "/keys", { token: member.token, json })),
          [400, "invalid_request"],
          JSON.stringify(json).slice(0, 80)
        )
      const { id } = yield* make(send, member.token, {})
      for (const json of [{}, { owner: "me" }, { scopes: [] }, { disabled: "yes" }])
        assert.strictEqual(
          (yield* send("PATCH", `/keys/${id}`, { token: member.token, json })).status,
          400,
          JSON.stringify(json)
        )
      assert.strictEqual((yield* send("GET", "/keys/nothing", { token: member.token })).status, 404)
    })
  )
})
