import * as Databases from "@llm-saas/database/backup/Databases"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Running } from "./Running.ts"

// Attacks on passwords, on a running server. Each test has an email and addresses of its own.

const PASSWORD = "correct horse battery"
const GUESS = "wrong guess at it"
const SERVER = Running.with({ TRUSTED_PROXIES: '["127.0.0.1"]', REGISTRATIONS_PER_ADDRESS: "1000" })

const from = (address: string) => ({ headers: { "x-forwarded-for": address } })

const tenant = Effect.gen(function* () {
  const { send } = yield* Running
  return String((yield* send("POST", "/create-tenant", { json: { name: "Acme" } })).body["id"])
})

/** An account, of a tenant of its own. */
const account = Effect.fnUntraced(function* (email: string, password: string, address: string) {
  const { send } = yield* Running
  const tenant_id = yield* tenant
  const made = yield* send("POST", "/register", { json: { email, password, tenant_id }, ...from(address) })
  assert.strictEqual(made.status, 201)
  return { tenant: tenant_id, id: String(made.body["id"]) }
})

const login = Effect.fnUntraced(function* (username: string, password: string, address: string, tenant_id?: string) {
  const { send } = yield* Running
  const json = { username, password, ...(tenant_id === undefined ? {} : { tenant_id }) }
  const { body, status } = yield* send("POST", "/login", { json, ...from(address) })
  return { status, code: body["code"], token: String(body["access_token"]) }
})

/** Whose a token is. */
const owner = Effect.fnUntraced(function* (token: string) {
  const { send } = yield* Running
  return (yield* send("GET", "/me", { token })).body["tenant_id"]
})

const events = Effect.fnUntraced(function* (tenantId: string, action: string) {
  const { adminUrl } = yield* TestDatabase
  const found = yield* Databases.execute(
    adminUrl,
    `select count(*)::int as n from app.audit_events where tenant_id = '${tenantId}' and action = '${action}'`
  )
  return found.rows[0]?.["n"]
})

const all = <A, E, R>(n: number, each: Effect.Effect<A, E, R>) =>
  Effect.all(
    Array.from({ length: n }, () => each),
    { concurrency: 8 }
  )

layer(SERVER, { timeout: "120 seconds" })("an attacker", (it) => {
  it.effect(
    "with a tenant of their own has no free guesses: each is the victim's failure, and then nothing is told",
    () =>
      Effect.gen(function* () {
        const email = "victim@guess.test"
        const victim = yield* account(email, PASSWORD, "192.0.2.1")
        const own = yield* account(email, GUESS, "198.51.100.1")
        // As good as a wrong guess: the attacker is in their own tenant, and the victim's log says that it was tried.
        const guesses = yield* all(40, login(email, GUESS, "198.51.100.1"))
        assert.isTrue(guesses.every(({ status }) => status === 200))
        assert.strictEqual(yield* events(victim.tenant, "login.failed"), 10)
        // The right one now, as the attacker's own password: they are in their own tenant again, and hear nothing.
        const { send } = yield* Running
        const json = { current_password: GUESS, new_password: PASSWORD }
        const changed = yield* send("POST", "/me/password", {
          json,
          token: guesses[0]?.token ?? "",
          ...from("198.51.100.1")
        })
        assert.strictEqual(changed.status, 200)
        const right = yield* login(email, PASSWORD, "198.51.100.1")
        assert.deepStrictEqual([right.status, yield* owner(right.token)], [200, own.tenant])
        assert.strictEqual(yield* events(victim.tenant, "login.failed"), 10)
        assert.strictEqual(yield* events(victim.tenant, "login.succeeded"), 0)
        // The victim is asked which of the two, as long as the attacker keeps the password, and says it.
        assert.strictEqual((yield* login(email, PASSWORD, "192.0.2.1")).code, "tenant_required")
        const said = yield* login(email, PASSWORD, "192.0.2.1", victim.tenant)
        assert.deepStrictEqual([said.status, yield* owner(said.token)], [200, victim.tenant])
      }),
    120_000
  )

  it.effect(
    "has none by RPC, by guessing at a changed password, or by saying the tenant either: all count together",
    () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const email = "caller@guess.test"
        const victim = yield* account(email, PASSWORD, "192.0.2.1")
        yield* account(email, GUESS, "198.51.100.2")
        const { token } = yield* login(email, PASSWORD, "192.0.2.1")
        const call = {
          _tag: "Request",
          id: "1",
          tag: "accounts.login",
          payload: { username: email, password: GUESS },
          headers: []
        }
        const headers = { "x-forwarded-for": "198.51.100.2", "content-type": "application/x-ndjson" }
        for (let n = 0; n < 3; n++) yield* send("POST", "/rpc", { body: `${JSON.stringify(call)}\n`, headers })
        for (let n = 0; n < 3; n++) yield* login(email, "neither of them", "198.51.100.2", victim.tenant)
        const json = { current_password: "not this one", new_password: PASSWORD }
        for (let n = 0; n < 3; n++) yield* send("POST", "/me/password", { json, token, ...from("198.51.100.2") })
        assert.strictEqual(yield* events(victim.tenant, "login.failed"), 9)
        yield* all(5, login(email, GUESS, "198.51.100.2"))
        assert.strictEqual(yield* events(victim.tenant, "login.failed"), 10)
      }),
    120_000
  )

  it.effect(
    "with thirty tenants that know an email neither locks its owner out nor makes them wait",
    () =>
      Effect.gen(function* () {
        const email = "crowded@guess.test"
        yield* all(15, account(email, GUESS, "198.51.100.3"))
        const victim = yield* account(email, PASSWORD, "192.0.2.1")
        yield* all(15, account(email, GUESS, "198.51.100.3"))
        for (const address of ["192.0.2.1", "203.0.113.7", "203.0.113.8"]) {
          const logins = [yield* login(email, PASSWORD, address), ...(yield* all(11, login(email, PASSWORD, address)))]
          for (const { status, token } of logins)
            assert.deepStrictEqual([status, yield* owner(token)], [200, victim.tenant])
        }
      }),
    120_000
  )

  it.effect(
    "is not told by a 429 that an email is known elsewhere",
    () =>
      Effect.gen(function* () {
        for (const known of [true, false]) {
          const email = `maybe${String(known)}@guess.test`
          if (known) yield* account(email, PASSWORD, "192.0.2.1")
          yield* account(email, GUESS, "198.51.100.4")
          const statuses = (yield* all(30, login(email, GUESS, "198.51.100.4"))).map(({ status }) => status)
          assert.isTrue(
            statuses.every((status) => status === 200),
            String(known)
          )
        }
      }),
    120_000
  )
})

layer(Running.layer, { timeout: "120 seconds" })("a changed password", (it) => {
  it.effect(
    "ends every token from before in that very moment, and no later one",
    () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const email = "changing@guess.test"
        const { tenant: tenantId } = yield* account(email, PASSWORD, "192.0.2.1")
        const tokens = [(yield* login(email, PASSWORD, "192.0.2.1")).token]
        for (let n = 0; n < 4; n++) {
          const json = { current_password: `${PASSWORD}${n === 0 ? "" : n}`, new_password: `${PASSWORD}${n + 1}` }
          const { body, status } = yield* send("POST", "/me/password", { json, token: tokens.at(-1) ?? "" })
          assert.strictEqual(status, 200)
          tokens.push(String(body["access_token"]))
          const answers = yield* Effect.forEach(tokens, (token) => send("GET", "/me", { token }))
          assert.deepStrictEqual(
            answers.map((answer) => answer.status),
            [...tokens.slice(0, -1).map(() => 401), 200]
          )
        }
        const again = yield* login(email, `${PASSWORD}4`, "192.0.2.1", tenantId)
        assert.strictEqual(yield* owner(again.token), tenantId)
      }),
    120_000
  )
})
