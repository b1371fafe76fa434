import { createOperatorToken, revokeOperatorToken } from "@llm-saas/database/logins/OperatorTokens"
import * as Databases from "@llm-saas/database/backup/Databases"
import { makeOperatorToken } from "@llm-saas/domain/OperatorTokenText"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { assert, layer } from "@effect/vitest"
import { Duration, Effect, Redacted } from "effect"
import { randomBytes, randomUUID } from "node:crypto"
import { signUp } from "./People.ts"
import { sendTo } from "./sse/Reading.ts"
import { type Answer, Running, running, type Send } from "./Running.ts"

// The operator of the installation, over HTTP.

const token = Effect.fnUntraced(function* (lifetime?: Duration.Duration) {
  const { adminUrl } = yield* TestDatabase
  const made = yield* createOperatorToken(adminUrl, { name: "test", lifetime })
  return { id: made.token.id, text: Redacted.value(made.text) }
})

const query = Effect.fnUntraced(function* (sql: string) {
  const { adminUrl } = yield* TestDatabase
  return (yield* Databases.execute(adminUrl, sql)).rows
})

/** Calls with a new token. */
const desk = Effect.gen(function* () {
  const { send } = yield* Running
  const { text } = yield* token()
  const call = (method: string, path: string, json?: unknown) =>
    send(method, `/operator${path}`, { token: text, ...(json === undefined ? {} : { json }) })
  return { send, call }
})

const codeOf = ({ body, status }: Answer) => [status, body["code"]]

const ENDPOINTS: ReadonlyArray<readonly [string, string, unknown?]> = [
  ["GET", "/token"],
  ["GET", "/tenants"],
  ["POST", "/tenants", { name: "x" }],
  ["GET", `/tenants/${randomUUID()}`],
  ["POST", `/tenants/${randomUUID()}/suspend`],
  ["POST", `/tenants/${randomUUID()}/resume`],
  ["POST", `/tenants/${randomUUID()}/sso-optional`],
  ["PUT", `/tenants/${randomUUID()}/plan`, { plan_id: null }],
  ["POST", `/tenants/${randomUUID()}/erase`, { name: "x" }],
  ["GET", `/tenants/${randomUUID()}/erasure`],
  ["POST", `/tenants/${randomUUID()}/corrections`, { amount: "1", note: "x" }],
  ["GET", "/plans"],
  ["POST", "/plans", { name: "x" }],
  ["GET", `/plans/${randomUUID()}`],
  ["PUT", `/plans/${randomUUID()}`, { name: "x" }],
  ["DELETE", `/plans/${randomUUID()}`],
  ["GET", "/prices"],
  ["POST", "/prices", { provider: "p", model: "m", unit: "input", amount: "1" }],
  ["DELETE", `/prices/${randomUUID()}`],
  ["GET", "/health"],
  ["GET", "/usage"],
  ["GET", "/events"]
]

const ask = (send: Send, who: string) => send("POST", "/messages", { token: who, json: { content: "Why?" } })

layer(Running.layer, { timeout: "120 seconds" })("the operator", (it) => {
  it.effect("is let in by a token that holds, and by nothing else", () =>
    Effect.gen(function* () {
      const { adminUrl } = yield* TestDatabase
      const { send } = yield* Running
      const admin = yield* signUp(send)
      const key = yield* send("POST", "/keys", { token: admin.token, json: { name: "k", scopes: ["admin"] } })
      const gone = yield* token()
      yield* revokeOperatorToken(adminUrl, gone.id)
      const old = yield* token(Duration.millis(1))
      yield* query("select pg_sleep(0.002)")
      const bad = [
        undefined,
        admin.token,
        String(key.body["key"]),
        "op-x",
        makeOperatorToken(randomBytes(32)),
        gone.text,
        old.text
      ]
      for (const credential of bad)
        for (const [method, path, json] of ENDPOINTS) {
          const answer = yield* send(method, `/operator${path}`, {
            ...(credential === undefined ? {} : { token: credential }),
            ...(json === undefined ? {} : { json })
          })
          assert.deepStrictEqual(codeOf(answer), [401, "unauthenticated"], `${method} ${path} ${credential}`)
          assert.notInclude(JSON.stringify(answer.body), admin.tenant)
        }
      const good = yield* token()
      const answer = yield* send("GET", "/operator/token", { token: good.text })
      assert.deepStrictEqual([answer.status, answer.body["name"], answer.body["id"]], [200, "test", good.id])
      // And it is no user of any tenant.
      assert.deepStrictEqual(codeOf(yield* send("GET", "/me", { token: good.text })), [401, "unauthenticated"])
    })
  )

  it.effect("makes plans, gives them to tenants, and changes them for all of their tenants", () =>
    Effect.gen(function* () {
      const { call, send } = yield* desk
      const limits = { user: { limits: { requests_per_minute: 1 } } }
      const made = yield* call("POST", "/plans", { name: "Small", limits, markup: "1.5", content_days_at_most: 30 })
      assert.deepInclude(made.body, {
        name: "Small",
        limits,
        models: null,
        markup: "1.5",
        content_days_at_most: 30,
        tenants: 0
      })
      assert.strictEqual(made.status, 201)
      assert.deepStrictEqual(codeOf(yield* call("POST", "/plans", { name: "Small" })), [409, "plan_name_taken"])
      const plan = String(made.body["id"])
      const tenant = yield* call("POST", "/tenants", { name: "Ordered", plan_id: plan })
      assert.deepInclude(tenant.body, { status: "active", plan_id: plan, plan: "Small", markup: "1.5", users: 0 })
      assert.strictEqual(tenant.status, 201)
      const user = yield* signUp(send, String(tenant.body["id"]))
      assert.strictEqual((yield* ask(send, user.token)).status, 201)
      assert.strictEqual((yield* ask(send, user.token)).status, 429)
      const changed = yield* call("PUT", `/plans/${plan}`, { name: "Small", markup: "2" })
      assert.deepInclude(changed.body, { limits: {}, markup: "2", content_days_at_most: null, tenants: 1 })
      assert.strictEqual((yield* ask(send, user.token)).status, 201)
      assert.deepStrictEqual(codeOf(yield* call("DELETE", `/plans/${plan}`)), [409, "plan_in_use"])
      const path = `/tenants/${String(tenant.body["id"])}`
      assert.deepInclude((yield* call("PUT", `${path}/plan`, { plan_id: null })).body, {
        plan_id: null,
        plan: null,
        markup: "1",
        users: 1
      })
      assert.strictEqual((yield* call("DELETE", `/plans/${plan}`)).status, 204)
      assert.deepStrictEqual(codeOf(yield* call("PUT", `${path}/plan`, { plan_id: plan })), [404, "plan_not_found"])
      assert.deepStrictEqual(codeOf(yield* call("GET", `/plans/${plan}`)), [404, "plan_not_found"])
      const events = yield* call("GET", `/events?tenant_id=${String(tenant.body["id"])}`)
      assert.deepStrictEqual(
        (events.body["data"] as ReadonlyArray<{ readonly action: string }>).map(({ action }) => action),
        ["tenant.plan", "tenant.plan", "tenant.plan", "tenant.created"]
      )
    })
  )

  it.effect("names the models that a plan has: questions to others are refused, by login and by key", () =>
    Effect.gen(function* () {
      const { call, send } = yield* desk
      const user = yield* signUp(send)
      const plan = yield* call("POST", "/plans", { name: "Other models", models: ["another"] })
      const path = `/tenants/${user.tenant}/plan`
      yield* call("PUT", path, { plan_id: plan.body["id"] })
      const made = yield* send("POST", "/keys", { token: user.token, json: { name: "k", scopes: ["chat"] } })
      const refused = [yield* ask(send, user.token), yield* ask(send, String(made.body["key"]))]
      for (const answer of refused) assert.deepStrictEqual(codeOf(answer), [403, "model_not_allowed"])
      assert.match(String(refused[0]?.body["detail"]), /plan/u)
      yield* call("PUT", path, { plan_id: null })
      assert.strictEqual((yield* ask(send, user.token)).status, 201)

      const keeping = yield* call("POST", "/plans", { name: "A week", content_days_at_most: 7 })
      yield* call("PUT", path, { plan_id: keeping.body["id"] })
      const keep = (json: unknown) => send("PUT", `/tenants/${user.tenant}/retention`, { token: user.token, json })
      const beyond = yield* keep({ content: "days", days: 8 })
      assert.deepStrictEqual(codeOf(beyond), [403, "forbidden"])
      assert.match(String(beyond.body["detail"]), /plan/u)
      assert.strictEqual((yield* keep({ content: "days", days: 3 })).status, 200)
    })
  )

  it.effect("sets prices of its own, which end the ones before and stay what they were", () =>
    Effect.gen(function* () {
      const { call } = yield* desk
      const list = (query: string) =>
        Effect.map(
          call("GET", `/prices?${query}`),
          ({ body }) => body["data"] as ReadonlyArray<Record<string, unknown>>
        )
      const seeded = yield* list("provider=openai&model=gpt-4o")
      assert.isNotEmpty(seeded)
      for (const price of seeded) assert.deepInclude(price, { provider: "openai", model: "gpt-4o", own: false })
      const price = { provider: "house", model: "gpt-4o", unit: "input" }
      const first = yield* call("POST", "/prices", { ...price, amount: "2.50" })
      assert.strictEqual(first.status, 201)
      assert.deepInclude(first.body, { ...price, amount: "2.5", per: 1_000_000, tier_start: 0, until: null, own: true })
      const second = yield* call("POST", "/prices", { ...price, amount: "3" })
      assert.deepStrictEqual(
        (yield* list("provider=house")).map(({ id }) => id),
        [second.body["id"]]
      )
      const all = yield* list("provider=house&own=true&ended=true")
      assert.deepStrictEqual(
        all.map(({ amount, until }) => [amount, until]),
        [
          ["2.5", second.body["since"]],
          ["3", null]
        ]
      )
      const later = yield* call("POST", "/prices", { ...price, amount: "4", since: "2999-01-01T00:00:00Z" })
      assert.deepInclude((yield* list("provider=house"))[0], { amount: "3", until: "2999-01-01T00:00:00.000Z" })
      assert.strictEqual((yield* call("DELETE", `/prices/${String(later.body["id"])}`)).status, 204)
      assert.strictEqual((yield* call("DELETE", `/prices/${String(second.body["id"])}`)).status, 204)
      assert.deepStrictEqual(yield* list("provider=house"), [])
      for (const id of [second.body["id"], seeded[0]?.["id"]])
        assert.deepStrictEqual(codeOf(yield* call("DELETE", `/prices/${String(id)}`)), [404, "price_not_found"])
      assert.strictEqual((yield* call("POST", "/prices", { ...price, amount: "-1" })).status, 400)
    })
  )

  it.effect("sees how providers are, and how far tracking and mail are behind", () =>
    Effect.gen(function* () {
      const { call, send } = yield* desk
      const { body } = yield* call("GET", "/health")
      assert.deepInclude(body["targets"], {
        provider: "mock",
        model: "mock-1",
        breaker: "closed",
        retry_seconds: null,
        tenants_waiting: 0
      })
      assert.hasAllKeys(body["tracking"], ["pending", "parked", "oldest_seconds"])
      yield* query("update app.mails set ended_at = now() where ended_at is null")
      const mail = Effect.map(call("GET", "/health"), (answer) => answer.body["mail"])
      assert.deepStrictEqual(yield* mail, { waiting: 0, oldest_seconds: 0 })
      const { tenant } = yield* signUp(send)
      const waits = (seconds: number) =>
        query(
          `insert into app.mails (tenant_id, id, address, template, created_at)
           values ('${tenant}', gen_random_uuid(), 'x@acme.test', 'notice', now() - make_interval(secs => ${seconds}))`
        )
      yield* waits(90)
      yield* waits(3600)
      const { oldest_seconds, waiting } = Object(yield* mail)
      assert.isAtLeast(waiting, 2)
      assert.isTrue(oldest_seconds >= 3600 && oldest_seconds < 3700, `${oldest_seconds} s`)
    })
  )

  it.effect("corrects what a tenant owes by an entry of its own, which usage and the books count", () =>
    Effect.gen(function* () {
      const { call, send } = yield* desk
      const admin = yield* signUp(send)
      const path = `/tenants/${admin.tenant}/corrections`
      const asked = yield* ask(send, admin.token)
      const made = yield* call("POST", path, {
        amount: "-0.500000000000000001",
        provider_amount: "-0.25",
        generation_id: asked.body["generation_id"],
        note: "twice answered"
      })
      assert.strictEqual(made.status, 201)
      assert.deepStrictEqual(
        yield* query(
          `select kind, tenant_amount::text, provider_amount::text, margin_amount::text, user_id is not null as of_user, note
           from app.ledger where id = '${String(made.body["id"])}'`
        ),
        [
          {
            kind: "correction",
            tenant_amount: "-0.500000000000000001",
            provider_amount: "0.25",
            margin_amount: "0.250000000000000001",
            of_user: true,
            note: "twice answered"
          }
        ]
      )
      const usage = yield* send("GET", "/usage?scope=tenant&group_by=day", { token: admin.token })
      assert.include(JSON.stringify(usage.body), '"cost_usd":"-0.500000000000000001"')
      const wrong = { amount: "1", note: "x", generation_id: randomUUID() }
      assert.deepStrictEqual(codeOf(yield* call("POST", path, wrong)), [404, "generation_not_found"])
      assert.strictEqual((yield* call("POST", path, { amount: "1e3", note: "x" })).status, 400)
      const unknown = `/tenants/${randomUUID()}/corrections`
      assert.deepStrictEqual(codeOf(yield* call("POST", unknown, { amount: "1", note: "x" })), [
        404,
        "tenant_not_found"
      ])
    })
  )

  it.effect("erases a tenant for good, and gives a receipt", () =>
    Effect.gen(function* () {
      const { call, send } = yield* desk
      const user = yield* signUp(send)
      yield* ask(send, user.token)
      const path = `/tenants/${user.tenant}`
      assert.deepStrictEqual(codeOf(yield* call("POST", `${path}/erase`, { name: "Acme" })), [404, "tenant_not_found"])
      const begun = yield* call("POST", `${path}/erase`, { name: "Acme Corp" })
      assert.deepInclude(begun.body, { tenant_id: user.tenant, status: "running", ended_at: null })
      assert.strictEqual(begun.status, 202)
      assert.deepInclude(begun.body["counts"], { users: 1, messages: 1, credentials: 1 })
      assert.deepStrictEqual(codeOf(yield* send("GET", "/me", { token: user.token })), [401, "unauthenticated"])
      for (const deed of ["suspend", "resume", "sso-optional"])
        assert.deepStrictEqual(codeOf(yield* call("POST", `${path}/${deed}`)), [409, "tenant_erased"])
      // What every process does, here by the test itself.
      const round = Effect.andThen(
        query("select work.purge(1000), operator.carry_on(1000)"),
        call("GET", `${path}/erasure`)
      )
      const done = yield* Effect.repeat(round, { until: ({ body }) => body["status"] === "done", times: 20 })
      assert.strictEqual(done.body["status"], "done")
      const [left] = yield* query(`select count(*)::int as n from app.messages where tenant_id = '${user.tenant}'`)
      assert.deepStrictEqual(left, { n: 0 })
      const [kept] = yield* query(`select count(*)::int as n from app.ledger where tenant_id = '${user.tenant}'`)
      assert.deepStrictEqual(kept, { n: 1 })
    })
  )

  it.effect("sees what all tenants used, and nothing of what was written", () =>
    Effect.gen(function* () {
      const { call, send } = yield* desk
      const user = yield* signUp(send)
      yield* send("POST", "/messages", { token: user.token, json: { content: "xyzzy" } })
      const usage = yield* call("GET", `/usage?tenant_id=${user.tenant}&group_by=tenant,model,day`)
      const [row] = usage.body["data"] as ReadonlyArray<Record<string, unknown>>
      assert.deepInclude(row, {
        tenant_id: user.tenant,
        requests: 1,
        errors: 0,
        tenant_amount: "0",
        margin_amount: "0"
      })
      const everything = [
        ...(yield* Effect.forEach(["/tenants", "/plans", "/usage", "/events"], (path) => call("GET", path))),
        yield* call("GET", `/tenants/${user.tenant}`)
      ]
      assert.notMatch(JSON.stringify(everything.map(({ body }) => body)), /xyzzy|@acme/u)
      for (const wrong of ["from=2026-02-30", "to=tomorrow", "group_by=user", "limit=0"])
        assert.strictEqual((yield* call("GET", `/usage?${wrong}`)).status, 400, wrong)
    })
  )
})

layer(TestDatabase.layer, { timeout: "120 seconds" })("where OPERATOR is off", (it) => {
  it.effect("there is nothing at the operator's addresses", () =>
    Effect.gen(function* () {
      const { send } = yield* running({ OPERATOR: "off" })
      const { text } = yield* token()
      for (const [method, path, json] of ENDPOINTS)
        assert.deepStrictEqual(
          codeOf(yield* send(method, `/operator${path}`, { token: text, ...(json === undefined ? {} : { json }) })),
          [404, "not_found"],
          path
        )
    }).pipe(Effect.scoped)
  )
})

layer(TestDatabase.layer, { timeout: "120 seconds" })("a suspended tenant", (it) => {
  it.effect("is let out at once, its answers under way stop and are paid for, and it comes back as it was", () =>
    Effect.gen(function* () {
      const { port, send } = yield* running({ MOCK_TOKENS: "5000", MOCK_DELAY_MS: "40", MOCK_TTFT_MS: "1" })
      const { text } = yield* token()
      const call = (method: string, path: string) => send(method, `/operator${path}`, { token: text })
      const user = yield* signUp(send)
      const path = `/tenants/${user.tenant}`
      const answer = yield* sendTo(port, "POST", "/messages/stream", { token: user.token, json: { content: "Why?" } })
      yield* answer.until((text) => text.split("data:").length > 3)
      assert.deepInclude((yield* call("POST", `${path}/suspend`)).body, { status: "suspended" })
      assert.deepStrictEqual(codeOf(yield* send("GET", "/me", { token: user.token })), [401, "unauthenticated"])
      assert.match((yield* answer.end).text, /event: error/u)
      const [ended] = yield* query(
        `select g.status, l.kind from app.generations g join app.ledger l on l.tenant_id = g.tenant_id and l.id = g.id where g.tenant_id = '${user.tenant}'`
      )
      assert.deepStrictEqual(ended, { status: "cancelled", kind: "usage" })
      assert.deepInclude((yield* call("POST", `${path}/resume`)).body, { status: "active" })
      assert.strictEqual((yield* send("GET", "/me", { token: user.token })).status, 200)
      assert.deepStrictEqual(codeOf(yield* call("POST", `/tenants/${randomUUID()}/suspend`)), [404, "tenant_not_found"])
      const [log] = yield* query(
        `select array_agg(action order by id) as events from app.audit_events where tenant_id = '${user.tenant}' and action like 'operator.%'`
      )
      assert.deepStrictEqual(log?.["events"], ["operator.tenant.suspended", "operator.tenant.resumed"])
    }).pipe(Effect.scoped)
  )
})
