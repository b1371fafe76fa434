import * as Databases from "@llm-saas/database/backup/Databases"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { type Person, signUp } from "./People.ts"
import { caller } from "./rpc/Callers.ts"
import { type Answer, Running, type Send } from "./Running.ts"

// Limits and budgets of keys, users and service accounts, as they are set over HTTP and RPC.

const SERVER = Running.with({
  MOCK_TOKENS: "3",
  MOCK_TTFT_MS: "0",
  MOCK_DELAY_MS: "0",
  // A dollar for each token.
  LLM_PRICE_INPUT_PER_MILLION: "1000000",
  LLM_PRICE_OUTPUT_PER_MILLION: "1000000",
  TENANTS_PER_ADDRESS: "10000",
  REGISTRATIONS_PER_ADDRESS: "10000"
})
const OPTIONS = { timeout: "120 seconds", excludeTestServices: true } as const

const UNLIMITED = { requests_per_minute: null, tokens_per_minute: null, concurrent: null }
const BUDGET = { amount: "0.50", period: "day" }
const ALERTS = [50, 80, 100]

const query = Effect.fnUntraced(function* (sql: string) {
  const { adminUrl } = yield* TestDatabase
  return (yield* Databases.execute(adminUrl, sql)).rows
})

const office = Effect.fnUntraced(function* (send: Send) {
  const admin = yield* signUp(send)
  return { admin, member: yield* signUp(send, admin.tenant) }
})

/** Waits until there are no rows any more. */
const gone = Effect.fnUntraced(function* (rows: ReturnType<typeof query>) {
  for (let tries = 0; tries < 100; tries++) {
    if ((yield* rows).length === 0) return
    yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 200)))
  }
  assert.deepStrictEqual(yield* rows, [])
})

const makeKey = (send: Send, token: string, json: object = {}, headers: Record<string, string> = {}) =>
  send("POST", "/keys", { token, headers, json: { name: "a key", scopes: ["chat", "keys:write"], ...json } })

const says = ({ body, status }: Answer) => [status, body["code"]]
const shown = ({ body }: Answer) => ({ limits: body["limits"], budget: body["budget"] })
const OK = [200, undefined]
const CREATED = [201, undefined]
const BEYOND = [422, "limit_beyond_plan"]

/** The plan's limits for each key and each user, as the operator sets them. */
const plan = ({ tenant }: Person) =>
  query(
    `insert into app.limits (tenant_id, subject, requests_per_minute, budget, budget_period)
     values ('${tenant}', 'key', 60, 1.00, 'day'), ('${tenant}', 'user', 100, 5, 'month')`
  )

/** What GET /limits says, by scope. */
const inForce = Effect.fnUntraced(function* (send: Send, token: string) {
  const { body, status } = yield* send("GET", "/limits", { token })
  assert.strictEqual(status, 200, JSON.stringify(body))
  const data: ReadonlyArray<Answer["body"]> = Array.isArray(body["data"]) ? body["data"] : []
  return { scopes: data.map(({ scope }) => scope), of: (scope: string) => data.find((each) => each["scope"] === scope) }
})

const of = (value: unknown, ...path: ReadonlyArray<string | number>): unknown =>
  path.reduce<unknown>((found, name) => Reflect.get(Object(found), name), value)

layer(SERVER, OPTIONS)("limits and budgets", (it) => {
  it.effect("of a key are set when it is made, changed one by one, shown, and taken away", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { member } = yield* office(send)
      const plain = yield* makeKey(send, member.token)
      assert.deepStrictEqual(shown(plain), { limits: UNLIMITED, budget: null })
      const made = yield* makeKey(send, member.token, { limits: { requests_per_minute: 60 }, budget: BUDGET })
      assert.deepStrictEqual(says(made), CREATED)
      const first = {
        limits: { ...UNLIMITED, requests_per_minute: 60 },
        budget: { ...BUDGET, alert_at: ALERTS }
      }
      assert.deepStrictEqual(shown(made), first)
      const path = `/keys/${String(made.body["id"])}`
      const { token } = member
      assert.deepStrictEqual(shown(yield* send("GET", path, { token })), first)
      const listed = (yield* send("GET", "/keys", { token })).body["data"]
      assert.deepStrictEqual(Array.isArray(listed) ? listed.map((key: Answer["body"]) => key["budget"]) : [], [
        first.budget,
        null
      ])

      const more = yield* send("PATCH", path, { token, json: { limits: { concurrent: 2 } } })
      assert.deepStrictEqual(shown(more), { ...first, limits: { ...first.limits, concurrent: 2 } })
      const other = { amount: "12.340", period: "total", alert_at: [90] }
      const less = yield* send("PATCH", path, { token, json: { limits: { requests_per_minute: null }, budget: other } })
      assert.deepStrictEqual(shown(less), { limits: { ...UNLIMITED, concurrent: 2 }, budget: other })
      // The rest of the key is changed without touching them.
      const renamed = yield* send("PATCH", path, { token, json: { name: "another" } })
      assert.deepStrictEqual([renamed.body["name"], shown(renamed)], ["another", shown(less)])
      const rotated = yield* send("POST", `${path}/rotate`, { token, json: {} })
      assert.deepStrictEqual(shown(rotated), shown(less))
      const current = yield* send("GET", "/v1/key", { token: String(rotated.body["key"]) })
      assert.deepStrictEqual(shown(current), shown(less))

      const none = yield* send("PATCH", path, { token, json: { limits: { concurrent: null }, budget: null } })
      assert.deepStrictEqual(shown(none), { limits: UNLIMITED, budget: null })
      assert.deepStrictEqual(yield* query(`select from app.limits where tenant_id = '${member.tenant}'`), [])
      const events = yield* query(
        `select detail from app.audit_events where tenant_id = '${member.tenant}' and target_id = '${String(made.body["id"])}'
         order by id`
      )
      const details = events.map((row) => Object(row)["detail"])
      assert.deepInclude(details[0], { limits: { requests_per_minute: 60 }, budget: BUDGET })
      assert.deepInclude(details[1], { members: ["limits"], limits: { concurrent: 2 } })
      assert.deepInclude(details.at(-1), { members: ["limits", "budget"], limits: { concurrent: null }, budget: null })
    })
  )

  it.effect("are amounts and whole numbers, and nothing else", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { member } = yield* office(send)
      for (const json of [
        { budget: { amount: 0.5, period: "day" } },
        { budget: { amount: "-1", period: "day" } },
        { budget: { amount: "1e3", period: "day" } },
        { budget: { amount: "0.50" } },
        { budget: { amount: "0.50", period: "year" } },
        { limits: { requests_per_minute: "60" } },
        { limits: { requests_per_minute: -1 } },
        { limits: { concurrent: 1.5 } },
        { limits: null }
      ])
        assert.deepStrictEqual(
          says(yield* makeKey(send, member.token, json)),
          [400, "invalid_request"],
          JSON.stringify(json)
        )
      assert.deepStrictEqual(yield* query(`select from app.limits where tenant_id = '${member.tenant}'`), [])
    })
  )

  it.effect("are within the plan, which says what it allows", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { admin, member } = yield* office(send)
      yield* plan(admin)
      const made = yield* makeKey(send, member.token, {
        limits: { requests_per_minute: 60, tokens_per_minute: 1_000_000 },
        budget: { amount: "1", period: "day" }
      })
      assert.deepStrictEqual(says(made), CREATED)
      const above = yield* makeKey(send, member.token, {
        limits: { requests_per_minute: 61 },
        budget: { amount: "1.000000000000000001", period: "day" }
      })
      assert.deepStrictEqual(says(above), BEYOND)
      assert.deepStrictEqual(above.body["members"], ["requests_per_minute", "budget"])
      assert.deepStrictEqual(above.body["plan"], {
        limits: { ...UNLIMITED, requests_per_minute: 60 },
        budget: { amount: "1.00", period: "day", alert_at: ALERTS }
      })
      const path = `/keys/${String(made.body["id"])}`
      for (const json of [{ limits: { requests_per_minute: 61 } }, { budget: { amount: "1.01", period: "day" } }])
        assert.deepStrictEqual(says(yield* send("PATCH", path, { token: member.token, json })), BEYOND)
      assert.deepStrictEqual(shown(yield* send("GET", path, { token: member.token })), shown(made))
      // The plan's budget holds beside one of another period.
      const monthly = { json: { budget: { amount: "20", period: "month" } }, token: member.token }
      assert.deepStrictEqual(says(yield* send("PATCH", path, monthly)), OK)
      // Nor does an admin give more. Nothing at all is no more than the plan: it holds in any case.
      const user = `/admin/users/${member.id}`
      const much = { json: { limits: { requests_per_minute: 101 } }, token: admin.token }
      assert.deepStrictEqual(says(yield* send("PATCH", user, much)), BEYOND)
      const none = { json: { limits: { requests_per_minute: null }, budget: null }, token: admin.token }
      assert.deepStrictEqual(says(yield* send("PATCH", path, none)), OK)
      assert.lengthOf(yield* query(`select from app.limits where subject = 'key' and tenant_id = '${admin.tenant}'`), 1)
    })
  )

  it.effect("that an admin set only admins change, of users and of keys", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { admin, member } = yield* office(send)
      const stranger = yield* signUp(send)
      const made = yield* makeKey(send, member.token, { limits: { concurrent: 5 } })
      const path = `/keys/${String(made.body["id"])}`
      const limits = (concurrent: number | null) => ({ json: { limits: { concurrent } } })
      assert.deepStrictEqual(says(yield* send("PATCH", path, { token: member.token, ...limits(6) })), OK)
      assert.deepStrictEqual(says(yield* send("PATCH", path, { token: admin.token, ...limits(2) })), OK)
      for (const more of [limits(3), limits(null), { json: { budget: null } }]) {
        const refused = yield* send("PATCH", path, { token: member.token, ...more })
        assert.deepStrictEqual(says(refused), [403, "forbidden"])
      }
      assert.deepStrictEqual(says(yield* send("PATCH", path, { token: member.token, json: { name: "mine" } })), OK)
      assert.deepStrictEqual(says(yield* send("PATCH", path, { token: stranger.token, ...limits(9) })), [
        404,
        "key_not_found"
      ])
      assert.deepStrictEqual(says(yield* send("PATCH", path, { token: admin.token, ...limits(null) })), OK)
      assert.deepStrictEqual(says(yield* send("PATCH", path, { token: member.token, ...limits(7) })), OK)

      const user = `/admin/users/${member.id}`
      assert.deepStrictEqual(says(yield* send("PATCH", user, { token: member.token, ...limits(9) })), [
        403,
        "forbidden"
      ])
      assert.deepStrictEqual(says(yield* send("PATCH", user, { token: stranger.token, ...limits(9) })), [
        404,
        "user_not_found"
      ])
      const json = { role: "admin", limits: { tokens_per_minute: 1_000_000_000_000 }, budget: BUDGET }
      const changed = yield* send("PATCH", user, { token: admin.token, json })
      const expected = {
        limits: { ...UNLIMITED, tokens_per_minute: 1_000_000_000_000 },
        budget: { ...BUDGET, alert_at: ALERTS }
      }
      assert.deepStrictEqual([changed.body["role"], shown(changed)], ["admin", expected])
      const users = (yield* send("GET", `/tenants/${admin.tenant}/users`, { token: admin.token })).body["data"]
      assert.deepStrictEqual(Array.isArray(users) ? users.map((each: Answer["body"]) => each["limits"]) : [], [
        expected.limits,
        UNLIMITED
      ])
    })
  )

  it.effect("bind a key that manages keys: it cannot give itself or another more", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { member } = yield* office(send)
      const other = String((yield* makeKey(send, member.token)).body["id"])
      const made = yield* makeKey(send, member.token, { budget: BUDGET })
      const key = String(made.body["key"])
      const id = String(made.body["id"])
      const refused = [403, "insufficient_scope"]
      assert.deepStrictEqual(says(yield* makeKey(send, key, { scopes: ["chat"] })), refused)
      for (const path of [`/keys/${id}`, `/keys/${other}`]) {
        assert.deepStrictEqual(says(yield* send("PATCH", path, { token: key, json: { budget: null } })), refused)
        assert.deepStrictEqual(says(yield* send("POST", `${path}/rotate`, { token: key, json: {} })), refused)
      }
      assert.deepStrictEqual(says(yield* send("GET", `/keys/${id}`, { token: key })), OK)
      assert.deepStrictEqual(
        says(yield* send("PATCH", `/keys/${id}`, { token: member.token, json: { budget: null } })),
        OK
      )
      assert.deepStrictEqual(says(yield* makeKey(send, key, { scopes: ["chat"] })), CREATED)
    })
  )

  it.effect("are a part of what makes a request another one", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { member } = yield* office(send)
      const headers = { "idempotency-key": randomUUID() }
      const first = yield* makeKey(send, member.token, { budget: BUDGET }, headers)
      const again = yield* makeKey(send, member.token, { budget: BUDGET }, headers)
      assert.deepStrictEqual([again.body["id"], shown(again)], [first.body["id"], shown(first)])
      for (const json of [{}, { budget: { ...BUDGET, amount: "0.5" } }, { budget: BUDGET, limits: { concurrent: 1 } }])
        assert.deepStrictEqual(says(yield* makeKey(send, member.token, json, headers)), [422, "idempotency_mismatch"])
      // An answer that an earlier version kept has no limits.
      yield* query(
        `update app.idempotent_answers set answer = answer - 'limits' - 'budget' where tenant_id = '${member.tenant}'`
      )
      const kept = yield* makeKey(send, member.token, { budget: BUDGET }, headers)
      assert.deepStrictEqual([kept.body["id"], shown(kept)], [first.body["id"], { limits: UNLIMITED, budget: null }])
    })
  )

  it.effect("of service accounts hold for its keys together; by RPC it is the same", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const { admin, member } = yield* office(send)
      const { token } = admin
      const made = yield* send("POST", "/service-accounts", { token, json: { name: "nightly", budget: BUDGET } })
      assert.deepStrictEqual(
        [says(made), shown(made)],
        [CREATED, { limits: UNLIMITED, budget: { ...BUDGET, alert_at: ALERTS } }]
      )
      const path = `/service-accounts/${String(made.body["id"])}`
      const changed = yield* send("PATCH", path, { token, json: { limits: { concurrent: 1 } } })
      assert.deepStrictEqual(shown(changed), { ...shown(made), limits: { ...UNLIMITED, concurrent: 1 } })
      assert.deepStrictEqual(says(yield* send("PATCH", path, { token: member.token, json: {} })), [403, "forbidden"])
      assert.deepStrictEqual(says(yield* send("PATCH", `/service-accounts/${member.id}`, { token, json: {} })), [
        404,
        "service_account_not_found"
      ])

      const client = yield* caller("http", port, token)
      const listed = yield* client["serviceAccounts.list"]({})
      assert.deepStrictEqual(listed.data[0]?.limits, { ...UNLIMITED, concurrent: 1 })
      const id = listed.data[0]?.id
      if (id === undefined) return yield* Effect.die("no service account")
      const free = yield* client["serviceAccounts.change"]({ id, budget: null, limits: { concurrent: null } })
      assert.deepStrictEqual([free.budget, free.limits], [null, UNLIMITED])
      const key = yield* client["keys.create"]({ name: "k", scopes: ["chat"], owner: id, limits: { concurrent: 3 } })
      assert.strictEqual(key.limits.concurrent, 3)
      yield* plan(admin)
      const failed = yield* Effect.flip(client["keys.change"]({ id: key.id, limits: { requests_per_minute: 61 } }))
      assert.strictEqual(failed._tag, "LimitBeyondPlan")
    })
  )

  it.effect("are gone with the user or the key that they were for", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { admin, member } = yield* office(send)
      const rows = (where: string) =>
        query(
          `select subject from app.limits where ${where} union all select subject from app.rates where ${where}
           union all select subject from app.budget_periods where ${where}`
        )
      const json = { limits: { requests_per_minute: 60 }, budget: { amount: "50000", period: "day" } }
      assert.deepStrictEqual(says(yield* send("PATCH", `/admin/users/${member.id}`, { token: admin.token, json })), OK)
      const key = String((yield* makeKey(send, member.token, json)).body["key"])
      const own = String((yield* makeKey(send, admin.token, json)).body["id"])
      assert.strictEqual((yield* send("POST", "/messages", { token: key, json: { content: "one" } })).status, 201)
      const theirs = `tenant_id = '${member.tenant}' and subject <> 'key:${own}'`
      assert.isAtLeast((yield* rows(theirs)).length, 6)
      assert.strictEqual((yield* send("DELETE", `/admin/users/${member.id}`, { token: admin.token })).status, 204)
      yield* gone(rows(theirs))
      assert.strictEqual((yield* send("DELETE", `/keys/${own}`, { token: admin.token })).status, 204)
      yield* query(`update app.api_keys set revoked_at = now() - interval '31 days' where id = '${own}'`)
      yield* gone(rows(`tenant_id = '${member.tenant}'`))
    })
  )

  it.effect("in force are shown with what is left: those of tenant, user, key and model that hold for the caller", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const { admin, member } = yield* office(send)
      const stranger = yield* signUp(send)
      assert.deepStrictEqual((yield* inForce(send, member.token)).scopes, [])
      yield* query(
        `insert into app.limits (tenant_id, subject, requests_per_minute, tokens_per_minute, concurrent, budget, budget_period)
         values ('${admin.tenant}', 'tenant', 1000, 1000000000000, null, null, null),
           ('${admin.tenant}', 'user', 9, null, 7, 100000, 'month'),
           ('${admin.tenant}', 'key', 5, 600000, null, 100000, 'day'),
           ('${admin.tenant}', 'model:other', null, null, 0, null, null)`
      )
      const made = yield* makeKey(send, member.token, {
        limits: { requests_per_minute: 4 },
        budget: { amount: "70000", period: "total" }
      })
      const key = String(made.body["key"])
      const fresh = yield* inForce(send, key)
      assert.deepStrictEqual(fresh.scopes, ["tenant", "user", "key", "model"])
      assert.deepInclude(fresh.of("key")?.["requests"], { limit: 4, remaining: 4 })
      assert.deepInclude(fresh.of("key")?.["tokens"], { limit: 600_000, remaining: 600_000 })

      for (const content of ["one", "two"])
        assert.strictEqual((yield* send("POST", "/messages", { token: key, json: { content } })).status, 201)
      const used = yield* inForce(send, key)
      const [ledger] = yield* query(
        `select trim_scale(sum(tenant_amount))::text as spent, sum(tenant_amount)::integer as tokens,
           trim_scale(50000.50 - sum(tenant_amount))::text as left from app.ledger where tenant_id = '${admin.tenant}'`
      )
      assert.deepInclude(of(used.of("key"), "requests"), { limit: 4, remaining: 2 })
      assert.deepInclude(of(used.of("user"), "requests"), { limit: 9, remaining: 7 })
      assert.deepInclude(of(used.of("tenant"), "requests"), { limit: 1000 })
      // As many as were used, give or take what a moment brings.
      const tokens = Number(of(used.of("key"), "tokens", "remaining"))
      assert.isAtLeast(tokens, 600_000 - Number(of(ledger, "tokens")))
      assert.isAtMost(tokens, 600_000)
      assert.deepStrictEqual(of(used.of("user"), "concurrent"), { limit: 7, running: 0, remaining: 7 })
      assert.deepStrictEqual(of(used.of("model"), "concurrent"), { limit: 0, running: 0, remaining: 0 })
      assert.strictEqual(used.of("model")?.["model"], "other")
      // A budget of another period holds beside the plan's.
      const beside = of(used.of("key"), "budgets")
      assert.deepStrictEqual(
        Array.isArray(beside) ? beside.map((each) => [of(each, "amount"), of(each, "period"), of(each, "spent")]) : [],
        [
          ["100000", "day", of(ledger, "spent")],
          ["70000", "total", of(ledger, "spent")]
        ]
      )
      assert.isNull(of(beside, 1, "until"))
      // Of two budgets of one period, the lower.
      const path = `/keys/${String(made.body["id"])}`
      const daily = { token: member.token, json: { budget: { amount: "50000.50", period: "day" } } }
      assert.deepStrictEqual(says(yield* send("PATCH", path, daily)), OK)
      const current = yield* send("GET", "/v1/key", { token: key })
      const budget = of(current.body, "left", "budgets")
      assert.deepInclude(of(budget, 0), {
        amount: "50000.50",
        period: "day",
        spent: of(ledger, "spent"),
        reserved: "0",
        left: of(ledger, "left")
      })
      assert.lengthOf(Array.isArray(budget) ? budget : [], 1)
      assert.strictEqual(of(used.of("user"), "budgets", 0, "spent"), of(ledger, "spent"))
      // Both are asked, and what is spent is counted once.
      assert.strictEqual((yield* send("POST", "/messages", { token: key, json: { content: "three" } })).status, 201)
      const [total] = yield* query(
        `select trim_scale(sum(tenant_amount))::text as spent from app.ledger where tenant_id = '${admin.tenant}'`
      )
      const after = yield* inForce(send, key)
      assert.deepInclude(of(after.of("key"), "budgets", 0), { spent: of(total, "spent"), reserved: "0" })
      assert.deepInclude(of(after.of("tenant"), "tokens"), { limit: 1_000_000_000_000 })
      const until = new Date(String(of(budget, 0, "until"))).getTime()
      assert.strictEqual(until, Math.ceil(Date.now() / 86_400_000) * 86_400_000)

      // By login no key's; and nobody else's.
      assert.deepStrictEqual((yield* inForce(send, member.token)).scopes, ["tenant", "user", "model"])
      const other = yield* inForce(send, admin.token)
      assert.deepInclude(of(other.of("user"), "requests"), { limit: 9, remaining: 9 })
      assert.strictEqual(of(other.of("user"), "budgets", 0, "spent"), "0")
      assert.deepStrictEqual((yield* inForce(send, stranger.token)).scopes, [])
      const client = yield* caller("websocket", port, key)
      const called = yield* client["limits.mine"]({})
      assert.deepStrictEqual(
        called.data.map(({ scope }) => scope),
        ["tenant", "user", "key", "model"]
      )
      const foreign = yield* query(
        `select s.scope from app.enter('${admin.tenant}', '${admin.id}', 0, 'user') e
         cross join lateral work.standing('${admin.tenant}', case when e is not null then '${String(made.body["id"])}'::uuid end) s`
      )
      assert.deepStrictEqual(foreign, [])

      // What is left for others: the same that they see themselves.
      const ofKey = `/limits?key=${String(made.body["id"])}`
      const ofMember = `/limits?user=${member.id}`
      // But for what the clock gives back meanwhile.
      const steady = (said: unknown): unknown =>
        JSON.parse(JSON.stringify(said), (name, value) =>
          ["remaining", "reset_at"].includes(name) ? undefined : value
        )
      const seenBy = (path: string, token: string) =>
        Effect.map(send("GET", path, { token }), ({ body, status }) => ({
          status,
          said: status === 200 ? steady(body["data"]) : body["code"]
        }))
      const own = { key: yield* seenBy("/limits", key), member: yield* seenBy("/limits", member.token) }
      for (const who of [admin, member]) {
        assert.deepStrictEqual(yield* seenBy(ofKey, who.token), own.key)
        assert.deepStrictEqual(yield* seenBy(ofMember, who.token), own.member)
        assert.deepStrictEqual(yield* seenBy(`${ofKey}&user=${member.id.toUpperCase()}`, who.token), own.key)
      }
      assert.deepStrictEqual(yield* seenBy(ofKey, key), own.key)
      assert.deepStrictEqual(yield* seenBy(ofMember, key), { status: 403, said: "insufficient_scope" })
      assert.deepStrictEqual(yield* seenBy(`${ofKey}&user=${admin.id}`, admin.token), {
        status: 404,
        said: "key_not_found"
      })
      const colleague = yield* signUp(send, admin.tenant)
      const nobody = randomUUID()
      for (const who of [stranger, colleague]) {
        assert.deepStrictEqual(yield* seenBy(ofKey, who.token), { status: 404, said: "key_not_found" })
        assert.deepStrictEqual(yield* seenBy(ofMember, who.token), { status: 404, said: "user_not_found" })
        assert.deepStrictEqual(yield* seenBy(`/limits?key=${nobody}`, who.token), {
          status: 404,
          said: "key_not_found"
        })
        assert.deepStrictEqual(yield* seenBy(`/limits?user=${nobody}`, who.token), {
          status: 404,
          said: "user_not_found"
        })
      }
      const past = (who: { readonly id: string; readonly tenant: string }) =>
        query(
          `select s.scope from app.enter('${who.tenant}', '${who.id}', 0, 'user') e
           cross join lateral work.standing('${who.tenant}', null, case when e is not null then '${member.id}'::uuid end) s`
        )
      assert.deepStrictEqual(yield* past(colleague), [])
      assert.isNotEmpty(yield* past(admin))
    })
  )
})
