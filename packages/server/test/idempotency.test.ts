import * as Databases from "@llm-saas/database/backup/Databases"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { signUp } from "./People.ts"
import { type Answer, Running, running, type Send } from "./Running.ts"

/** A POST that creates something: its body, a different body, and the number of rows it has created. */
interface Creating {
  readonly path: string
  readonly token?: string
  readonly json: Readonly<Record<string, unknown>>
  readonly other: Readonly<Record<string, unknown>>
  readonly count: string
}

const creatings = Effect.fnUntraced(function* (send: Send): Effect.fn.Return<ReadonlyArray<Creating>> {
  const { tenant, token } = yield* signUp(send)
  const asked = yield* send("POST", "/messages", { token, json: { content: "What is a room?" } })
  const email = () => `${randomUUID()}@acme.test`
  const one = email()
  const name = randomUUID()
  const register = { email: one, password: "password123", tenant_id: tenant }
  const user = { email: email(), password: "password123" }
  const title = randomUUID()
  return [
    {
      path: "/create-tenant",
      json: { name },
      other: { name: `${name}!` },
      count: `select count(*)::int as n from app.tenants where name = '${name}'`
    },
    {
      path: "/register",
      json: register,
      other: { ...register, password: "password124" },
      count: `select count(*)::int as n from app.users where email = '${one}'`
    },
    {
      path: "/admin/users",
      token,
      json: user,
      other: { ...user, role: "admin" },
      count: `select count(*)::int as n from app.users where email = '${user.email}'`
    },
    {
      path: "/service-accounts",
      token,
      json: { name: title },
      other: { name: title, role: "admin" },
      count: `select count(*)::int as n from app.users where name = '${title}'`
    },
    {
      path: "/conversations",
      token,
      json: { title },
      other: {},
      count: `select count(*)::int as n from app.conversations where title = '${title}'`
    },
    {
      path: `/messages/${String(asked.body["id"])}/feedback`,
      token,
      json: { rating: 1, comment: "Good." },
      other: { rating: -1 },
      count: `select count(*)::int as n from app.feedback where message_id = '${String(asked.body["id"])}'`
    }
  ]
})

/** Queries as the administrator, who sees every row. */
const query = Effect.fnUntraced(function* (sql: string) {
  const { adminUrl } = yield* TestDatabase
  return (yield* Databases.execute(adminUrl, sql)).rows
})

const countOf = (sql: string) => Effect.map(query(sql), (rows) => Reflect.get(Object(rows[0]), "n"))
const without = (body: Answer["body"]) => JSON.stringify({ ...body, request_id: undefined })

layer(
  Running.with({
    MOCK_TOKENS: "2",
    MOCK_TTFT_MS: "0",
    MOCK_DELAY_MS: "0",
    TENANTS_PER_ADDRESS: "10000",
    REGISTRATIONS_PER_ADDRESS: "10000"
  }),
  { timeout: "120 seconds", excludeTestServices: true }
)("a POST that creates, sent again with its Idempotency-Key", (it) => {
  it.effect("gets its first answer, says so, and creates nothing", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      for (const { count, json, other, path, ...who } of yield* creatings(send)) {
        const headers = { "idempotency-key": randomUUID() }
        const first = yield* send("POST", path, { ...who, json, headers })
        assert.isTrue(first.status === 201 || first.status === 200, `${path} ${JSON.stringify(first.body)}`)
        assert.isNull(first.headers.get("idempotency-replayed"))
        for (let again = 0; again < 2; again++) {
          const second = yield* send("POST", path, { ...who, json, headers })
          assert.deepStrictEqual([second.status, second.body], [first.status, first.body], path)
          assert.strictEqual(second.headers.get("idempotency-replayed"), "true", path)
        }
        const mismatch = yield* send("POST", path, { ...who, json: other, headers })
        assert.deepStrictEqual([mismatch.status, mismatch.body["code"]], [422, "idempotency_mismatch"], path)
        assert.strictEqual(yield* countOf(count), 1, path)
        // Fields that are not read make no other request; nor does a header that is empty name one.
        const more = yield* send("POST", path, { ...who, json: { ...json, more: 1 }, headers })
        assert.strictEqual(more.headers.get("idempotency-replayed"), "true", path)
        const none = yield* send("POST", path, { ...who, json: other, headers: { "idempotency-key": "" } })
        assert.isNull(none.headers.get("idempotency-replayed"), path)
      }
    })
  )

  it.effect("twenty times at once, at two processes, creates one, and all get its answer", () =>
    Effect.gen(function* () {
      const here = yield* Running
      const there = yield* running({ TENANTS_PER_ADDRESS: "10000", REGISTRATIONS_PER_ADDRESS: "10000" })
      for (const { count, json, path, ...who } of yield* creatings(here.send)) {
        const headers = { "idempotency-key": randomUUID() }
        const answers = yield* Effect.forEach(
          Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? here : there)),
          ({ send }) => send("POST", path, { ...who, json, headers }),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(new Set(answers.map(({ body, status }) => `${status}${without(body)}`)).size, 1, path)
        assert.isTrue([200, 201].includes(answers[0]?.status ?? 0), `${path} ${JSON.stringify(answers[0]?.body)}`)
        const fresh = answers.filter(({ headers: sent }) => sent.get("idempotency-replayed") === null)
        assert.strictEqual(fresh.length, 1, path)
        assert.strictEqual(yield* countOf(count), 1, path)
      }
    }).pipe(Effect.scoped)
  )

  it.effect("belongs to who sent it: another user's, tenant's or network's key is another one", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const headers = { "idempotency-key": "the-same-for-everybody" }
      const admin = yield* signUp(send)
      const colleague = yield* signUp(send, admin.tenant)
      const stranger = yield* signUp(send)
      const made = yield* Effect.forEach([admin, colleague, stranger], ({ token }) =>
        send("POST", "/conversations", { token, headers, json: { title: "mine" } })
      )
      assert.strictEqual(new Set(made.map(({ body }) => body["id"])).size, 3)
      for (const each of made) assert.isNull(each.headers.get("idempotency-replayed"))
    })
  )

  it.effect("may be used again after a refusal, which is no answer to keep", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { tenant, token } = yield* signUp(send)
      const headers = { "idempotency-key": randomUUID() }
      const json = { email: `${randomUUID()}@acme.test`, password: "password123", tenant_id: tenant }
      yield* send("PATCH", `/tenants/${tenant}`, { token, json: { registration: "closed" } })
      assert.strictEqual((yield* send("POST", "/register", { json, headers })).status, 403)
      yield* send("PATCH", `/tenants/${tenant}`, { token, json: { registration: "open" } })
      const made = yield* send("POST", "/register", { json, headers })
      assert.deepStrictEqual([made.status, made.headers.get("idempotency-replayed")], [201, null])
      const taken = { email: json.email, password: "password123" }
      const key = { "idempotency-key": randomUUID() }
      assert.strictEqual((yield* send("POST", "/admin/users", { token, json: taken, headers: key })).status, 409)
      const free = { ...taken, email: `${randomUUID()}@acme.test` }
      assert.strictEqual((yield* send("POST", "/admin/users", { token, json: free, headers: key })).status, 201)
    })
  )

  it.effect("is a question as well, whole or streamed, and says so", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { token } = yield* signUp(send)
      const headers = { "idempotency-key": randomUUID() }
      const json = { content: "What is a room?" }
      const first = yield* send("POST", "/messages", { token, json, headers })
      const second = yield* send("POST", "/messages", { token, json, headers })
      assert.deepStrictEqual(second.body, first.body)
      const streamed = yield* send("POST", "/messages/stream", { token, json, headers })
      assert.deepStrictEqual(
        [first, second, streamed].map(({ headers: sent }) => sent.get("idempotency-replayed")),
        [null, "true", "true"]
      )
    })
  )

  it.effect("is kept for a day, without a secret in it", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { tenant, token } = yield* signUp(send)
      const headers = { "idempotency-key": randomUUID() }
      const json = { email: `${randomUUID()}@acme.test`, password: "a password to look for" }
      const made = yield* send("POST", "/admin/users", { token, json, headers })
      const rows = JSON.stringify(yield* query(`select * from app.idempotent_answers where tenant_id = '${tenant}'`))
      assert.include(rows, String(made.body["id"]))
      assert.notInclude(rows, json.password)
      yield* query(
        `update app.idempotent_answers set created_at = now() - interval '25 hours' where tenant_id = '${tenant}'`
      )
      yield* query("select work.sweep(10)")
      assert.deepStrictEqual(yield* query(`select 1 from app.idempotent_answers where tenant_id = '${tenant}'`), [])
    })
  )
})
