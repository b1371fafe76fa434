import { assert, layer } from "@effect/vitest"
import { ANSWER_INTERVAL_MS } from "@llm-saas/engine/accounts/RefusalTiming"
import { Effect } from "effect"
import { Running } from "./Running.ts"

const PASSWORD = "password123"

const tenant = Effect.fn(function* (name: string) {
  const { send } = yield* Running
  const made = yield* send("POST", "/create-tenant", { json: { name } })
  assert.strictEqual(made.status, 201)
  return String(made.body["id"])
})

const account = Effect.fn(function* (tenant_id: string, email: string) {
  const { send } = yield* Running
  const made = yield* send("POST", "/register", { json: { email, password: PASSWORD, tenant_id } })
  assert.strictEqual(made.status, 201)
  const login = yield* send("POST", "/login", { form: { username: email, password: PASSWORD, tenant_id } })
  assert.strictEqual(login.status, 200)
  return { id: String(made.body["id"]), role: made.body["role"], token: String(login.body["access_token"]) }
})

layer(Running.layer, { timeout: "120 seconds" })("a stranger", (it) => {
  it.effect("follows the quick start word for word", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const id = yield* tenant("Acme Corp")
      const alice = yield* account(id, "alice@acme.com")
      assert.strictEqual(alice.role, "admin")
      const me = yield* send("GET", "/me", { token: alice.token })
      assert.strictEqual(me.status, 200)
      assert.strictEqual(me.body["email"], "alice@acme.com")
      assert.deepInclude(me.body["tenant"], { id, name: "Acme Corp" })
      const login = yield* send("POST", "/login", {
        json: { username: "alice@acme.com", password: PASSWORD, tenant_id: id }
      })
      assert.strictEqual(login.status, 200)
      assert.strictEqual(login.body["token_type"], "bearer")
      assert.strictEqual(login.headers.get("cache-control"), "no-store")
    })
  )

  it.effect("becomes the admin once, when twelve register at once", () =>
    Effect.gen(function* () {
      const id = yield* tenant("Twelve")
      const all = yield* Effect.forEach(
        Array.from({ length: 12 }, (_, n) => n),
        (n) => account(id, `user${n}@twelve.test`),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(all.map((each) => each.role).toSorted(), [
        "admin",
        ...Array.from({ length: 11 }, () => "user")
      ])
    })
  )

  it.effect("sees nothing of another tenant: its ids answer like ids that never were", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const [ours, theirs] = [yield* tenant("Ours"), yield* tenant("Theirs")]
      const admin = yield* account(ours, "admin@ours.test")
      const victim = yield* account(theirs, "admin@theirs.test")
      const random = "01890000-0000-7000-8000-000000000000"
      for (const [method, path, json] of [
        ["GET", "/admin/users/:id", undefined],
        ["PATCH", "/admin/users/:id", { role: "user" }],
        ["DELETE", "/admin/users/:id", undefined]
      ] as const) {
        const foreign = yield* send(method, path.replace(":id", victim.id), { token: admin.token, json })
        const never = yield* send(method, path.replace(":id", random), { token: admin.token, json })
        assert.deepStrictEqual([foreign.status, foreign.body["code"]], [404, "user_not_found"])
        assert.deepStrictEqual({ ...foreign.body, request_id: "" }, { ...never.body, request_id: "" })
      }
      for (const id of [theirs, random]) {
        assert.strictEqual((yield* send("GET", `/tenants/${id}/users`, { token: admin.token })).status, 404)
        assert.strictEqual(
          (yield* send("PATCH", `/tenants/${id}`, { token: admin.token, json: { registration: "closed" } })).status,
          404
        )
      }
      const still = yield* send("GET", "/me", { token: victim.token })
      assert.strictEqual(still.body["role"], "admin")
    })
  )

  it.effect("decides as an admin what their tenant keeps of content, and no other tenant's", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const [ours, theirs] = [yield* tenant("Keeps"), yield* tenant("Keeps too")]
      const { token } = yield* account(ours, "admin@keeps.test")
      const user = yield* account(ours, "user@keeps.test")
      const at = (id: string) => `/tenants/${id}/retention`
      assert.deepStrictEqual((yield* send("GET", at(ours), { token })).body, { content: "full" })
      for (const json of [{ content: "days", days: 30 }, { content: "none" }, { content: "full" }]) {
        assert.deepStrictEqual((yield* send("PUT", at(ours), { token, json })).body, json)
        assert.deepStrictEqual((yield* send("GET", at(ours), { token })).body, json)
      }
      for (const json of [{ content: "days" }, { content: "days", days: 0 }, { content: "some" }, {}])
        assert.strictEqual((yield* send("PUT", at(ours), { token, json })).status, 400)
      assert.strictEqual((yield* send("PUT", at(theirs), { token, json: { content: "none" } })).status, 404)
      assert.strictEqual((yield* send("GET", at(theirs), { token })).status, 404)
      assert.strictEqual((yield* send("PUT", at(ours), { token: user.token, json: { content: "none" } })).status, 403)
    })
  )

  it.effect("is refused alike whatever the reason, and registration can be closed", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const id = yield* tenant("Closed")
      const admin = yield* account(id, "admin@closed.test")
      const register = (tenant_id: string, email: string) =>
        send("POST", "/register", { json: { email, password: PASSWORD, tenant_id } })
      const taken = yield* register(id, "admin@closed.test")
      const unknown = yield* register("01890000-0000-7000-8000-000000000000", "x@closed.test")
      const closing = yield* send("PATCH", `/tenants/${id}`, { token: admin.token, json: { registration: "closed" } })
      assert.strictEqual(closing.body["registration"], "closed")
      const closed = yield* register(id, "new@closed.test")
      for (const refused of [taken, unknown, closed]) {
        assert.deepStrictEqual({ ...refused.body, request_id: "" }, { ...taken.body, request_id: "" })
        assert.strictEqual(refused.status, 403)
      }
    })
  )
})

layer(Running.layer, { timeout: "120 seconds" })("a tenant", (it) => {
  it.effect("is named by its admins, and nothing else of it changes by that", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const id = yield* tenant("First name")
      const other = yield* tenant("Another")
      const admin = yield* account(id, "admin@named.test")
      const user = yield* account(id, "user@named.test")
      const change = (token: string, of: string, json: object) => send("PATCH", `/tenants/${of}`, { token, json })
      const named = yield* change(admin.token, id, { name: "Second name" })
      assert.deepInclude(named.body, { id, name: "Second name", registration: "open" })
      assert.deepInclude(Object((yield* send("GET", "/me", { token: user.token })).body["tenant"]), {
        name: "Second name"
      })
      for (const json of [{}, { name: "" }, { name: "two\nlines" }, { name: "x".repeat(201) }, { name: null }])
        assert.strictEqual((yield* change(admin.token, id, json)).status, 400, JSON.stringify(json))
      const foreign = yield* change(admin.token, other, { name: "Ours" })
      const unknown = yield* change(admin.token, "01890000-0000-7000-8000-000000000000", { name: "Ours" })
      assert.deepStrictEqual(
        [foreign.status, { ...foreign.body, request_id: "" }],
        [404, { ...unknown.body, request_id: "" }]
      )
      assert.strictEqual((yield* change(user.token, id, { name: "Mine" })).status, 403)
      const log = yield* send("GET", `/tenants/${id}/audit?type=tenant.changed`, { token: admin.token })
      assert.deepStrictEqual(
        Array.from(Object(log.body["data"]), ({ details }: { details: unknown }) => details),
        [{ name: "Second name" }]
      )
    })
  )
})

layer(Running.layer, { timeout: "120 seconds" })("the database decides, on the very next request", (it) => {
  it.effect("a demoted admin is a user, a disabled or deleted user has no access, the last admin stays", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const id = yield* tenant("Roles")
      const first = yield* account(id, "first@roles.test")
      const second = yield* account(id, "second@roles.test")
      const change = (token: string, user: string, json: object) =>
        send("PATCH", `/admin/users/${user}`, { token, json })

      assert.strictEqual((yield* change(second.token, first.id, { role: "user" })).status, 403)
      assert.strictEqual((yield* change(first.token, first.id, { role: "user" })).body["code"], "last_admin")
      assert.strictEqual(
        (yield* send("DELETE", `/admin/users/${first.id}`, { token: first.token })).body["code"],
        "last_admin"
      )

      assert.strictEqual((yield* change(first.token, second.id, { role: "admin" })).body["role"], "admin")
      assert.strictEqual((yield* change(second.token, first.id, { role: "user" })).status, 200)
      assert.strictEqual((yield* send("GET", `/tenants/${id}/users`, { token: first.token })).status, 403)

      assert.strictEqual((yield* change(second.token, first.id, { status: "disabled" })).body["status"], "disabled")
      assert.strictEqual((yield* send("GET", "/me", { token: first.token })).status, 401)
      assert.strictEqual((yield* send("DELETE", `/admin/users/${first.id}`, { token: second.token })).status, 204)
      assert.strictEqual((yield* send("GET", "/me", { token: first.token })).status, 401)
    })
  )

  it.effect("pages through all users, newest first, while more are added", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const id = yield* tenant("Pages")
      const admin = yield* account(id, "admin@pages.test")
      const add = (n: number) =>
        send("POST", "/admin/users", { token: admin.token, json: { email: `u${n}@pages.test`, password: PASSWORD } })
      yield* Effect.forEach([1, 2, 3, 4], add, { discard: true })
      const seen: Array<unknown> = []
      let cursor = ""
      for (let page = 0; page < 5; page++) {
        const answer = yield* send("GET", `/tenants/${id}/users?limit=2${cursor}`, { token: admin.token })
        assert.strictEqual(answer.status, 200)
        const { data, next_cursor } = answer.body
        assert.isTrue(Array.isArray(data))
        if (Array.isArray(data)) seen.push(...data.map((user: { email: string }) => user.email))
        if (typeof next_cursor !== "string") break
        cursor = `&cursor=${next_cursor}`
        yield* add(10 + page)
      }
      assert.deepStrictEqual(seen, [
        "u4@pages.test",
        "u3@pages.test",
        "u2@pages.test",
        "u1@pages.test",
        "admin@pages.test"
      ])
    })
  )
})

layer(Running.layer, { timeout: "120 seconds" })("bad input", (it) => {
  it.effect("gets a clear problem with a stable code, and nothing of the inside", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const json = { "content-type": "application/json" }
      const bytes = new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d])
      const cases: ReadonlyArray<readonly [string, string, Parameters<typeof send>[2], number]> = [
        ["POST", "/create-tenant", { headers: json, body: "{" }, 400],
        ["POST", "/create-tenant", { headers: json, body: "[".repeat(100_000) + "]".repeat(100_000) }, 400],
        ["POST", "/create-tenant", { headers: json, body: bytes }, 400],
        ["POST", "/create-tenant", { json: { name: "a\0b" } }, 400],
        ["POST", "/create-tenant", { headers: { "content-type": "text/plain" }, body: "x" }, 415],
        ["POST", "/create-tenant", { headers: json, body: "x".repeat(2_000_000) }, 413],
        ["DELETE", "/me", {}, 405],
        ["GET", "/nothing", {}, 404],
        ["GET", "//me", {}, 404],
        ["GET", "/me/", {}, 404],
        ["GET", "/tenants/not-a-uuid/users", {}, 401],
        ["GET", "/tenants/%ff/users", {}, 400],
        ["GET", "/me", { token: "x".repeat(5000) }, 401],
        ["GET", "/me", { token: "a.b.c" }, 401]
      ]
      for (const [method, path, options, status] of cases) {
        const answer = yield* send(method, path, options)
        assert.strictEqual(answer.status, status, `${method} ${path}`)
        assert.strictEqual(answer.headers.get("content-type"), "application/problem+json", `${method} ${path}`)
        assert.isString(answer.body["code"])
        assert.strictEqual(answer.body["request_id"], answer.headers.get("x-request-id"))
        assert.notMatch(JSON.stringify(answer.body), /\bat \/|node_modules|select |effect|argon/i)
      }
    })
  )

  it.effect(
    "is refused before it costs anything: query numbers, repeated keys, failed logins",
    () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const id = yield* tenant("Guess")
        const admin = yield* account(id, "admin@guess.test")
        for (const query of ["limit=0x10", "limit=1&limit=2", "limit=0", "cursor=zzz"]) {
          assert.strictEqual(
            (yield* send("GET", `/tenants/${id}/users?${query}`, { token: admin.token })).status,
            400,
            query
          )
        }
        const guess = (username: string) =>
          send("POST", "/login", {
            form: { username, password: "wrong-password" },
            headers: { "x-forwarded-for": `10.0.0.${Math.floor(Math.random() * 250)}` }
          })
        const wrong = yield* guess("admin@guess.test")
        const unknown = yield* guess("nobody@guess.test")
        assert.deepStrictEqual({ ...wrong.body, request_id: "" }, { ...unknown.body, request_id: "" })
        let last = wrong
        for (let n = 0; n < 12 && last.status !== 429; n++) last = yield* guess("admin@guess.test")
        assert.strictEqual(last.status, 429)
        assert.isAtLeast(Number(last.headers.get("retry-after")), 1)
      }),
    // A dozen logins that wait for their moment, on a machine that may be busy.
    120_000
  )

  it.effect(
    "as a login tells nothing by its words or its time: no account, one, or one in each of three tenants",
    () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const tenants = [yield* tenant("One"), yield* tenant("Two"), yield* tenant("Three")]
        for (const id of tenants) yield* account(id, "everywhere@login.test")
        yield* account(tenants[0] ?? "", "once@login.test")
        const timed = Effect.fn(function* (form: Record<string, string>) {
          const from = performance.now()
          const answer = yield* send("POST", "/login", { form })
          return { answer, took: performance.now() - from }
        })
        const wrong = { password: "wrong-password" }
        const refusals = [
          yield* timed({ username: "never@login.test", ...wrong }),
          yield* timed({ username: "not an email", ...wrong }),
          yield* timed({ username: "once@login.test", ...wrong }),
          yield* timed({ username: "everywhere@login.test", ...wrong })
        ]
        for (const { answer, took } of refusals) {
          assert.deepStrictEqual({ ...answer.body, request_id: "" }, { ...refusals[0]?.answer.body, request_id: "" })
          assert.strictEqual(answer.status, 401)
          // Sent at the end of the interval: what each of them took is shorter, and different. A timer may be early by one.
          assert.isAtLeast(took, ANSWER_INTERVAL_MS - 2)
        }
        const right = { username: "everywhere@login.test", password: PASSWORD }
        const several = yield* timed(right)
        assert.deepStrictEqual([several.answer.status, several.answer.body["code"]], [409, "tenant_required"])
        const chosen = yield* timed({ ...right, tenant_id: tenants[1] ?? "" })
        assert.strictEqual(chosen.answer.status, 200)
      }),
    120_000
  )

  it.effect("from another origin is answered only where that origin is allowed", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const allowed = yield* send("GET", "/health", { headers: { origin: "https://app.acme.test" } })
      assert.strictEqual(allowed.headers.get("access-control-allow-origin"), "https://app.acme.test")
      for (const origin of ["https://app.acme.test.evil.test", "http://app.acme.test", "null"]) {
        const refused = yield* send("GET", "/health", { headers: { origin } })
        assert.isNull(refused.headers.get("access-control-allow-origin"), origin)
        assert.strictEqual(refused.headers.get("x-content-type-options"), "nosniff")
      }
    })
  )
})
