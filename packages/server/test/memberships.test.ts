import * as Databases from "@llm-saas/database/backup/Databases"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { type Answer, Running, type Send } from "./Running.ts"
import { codeAt } from "./Totp.ts"

// One person with accounts of one address in several tenants, over HTTP.

const SERVER = Running.with({
  TENANTS_PER_ADDRESS: "10000",
  REGISTRATIONS_PER_ADDRESS: "10000",
  LOGIN_FAILURES_PER_ADDRESS: "1000"
})
const OPTIONS = { timeout: "120 seconds", excludeTestServices: true } as const

interface Account {
  readonly id: string
  readonly tenant: string
  readonly email: string
  readonly password: string
}

/** The admin of a new tenant. */
const account = Effect.fnUntraced(function* (send: Send, name: string, email: string): Effect.fn.Return<Account> {
  const tenant = String((yield* send("POST", "/create-tenant", { json: { name } })).body["id"])
  const password = `a long one ${randomUUID()}`
  const made = yield* send("POST", "/register", { json: { email, password, tenant_id: tenant } })
  return { id: String(made.body["id"]), tenant, email, password }
})

/** A person in two tenants, logged in to the first. */
const setting = Effect.fnUntraced(function* (send: Send) {
  const email = `${randomUUID()}@both.test`
  const [here, there] = [yield* account(send, "Here", email), yield* account(send, "There", email)]
  return { here, there, token: yield* login(send, here) }
})

const login = (send: Send, { email, password, tenant }: Account, session = true) =>
  Effect.map(send("POST", "/login", { json: { username: email, password, tenant_id: tenant, session } }), ({ body }) =>
    String(body["access_token"])
  )

const says = ({ body, status }: Answer) => [status, body["code"]]

const add = (send: Send, token: string, { password, tenant }: Account) =>
  send("POST", "/me/tenants", { token, json: { tenant_id: tenant, password } })

const open = (send: Send, token: string, { tenant }: Account) =>
  send("POST", `/me/tenants/${tenant}/session`, { token })

const listed = Effect.fnUntraced(function* (send: Send, token: string): Effect.fn.Return<ReadonlyArray<unknown>> {
  const { body } = yield* send("GET", "/me/tenants", { token })
  const { data } = body
  return Array.isArray(data) ? data.map(({ name, tenant_id, current }) => [name, tenant_id, current]) : []
})

const query = Effect.fnUntraced(function* (sql: string) {
  const { adminUrl } = yield* TestDatabase
  return (yield* Databases.execute(adminUrl, sql)).rows
})

layer(SERVER, OPTIONS)("one person's tenants", (it) => {
  it.effect("are those whose password was given in the session; an equal address opens nothing", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { here, there, token } = yield* setting(send)
      assert.deepStrictEqual(yield* listed(send, token), [["Here", here.tenant, true]])
      assert.deepStrictEqual(says(yield* open(send, token, there)), [404, "tenant_not_found"])
      assert.deepStrictEqual(says(yield* add(send, token, { ...there, password: here.password })), [
        401,
        "invalid_credentials"
      ])
      assert.deepStrictEqual(says(yield* add(send, token, { ...there, tenant: randomUUID() })), [
        401,
        "invalid_credentials"
      ])
      assert.deepStrictEqual(yield* listed(send, token), [["Here", here.tenant, true]])
      assert.strictEqual((yield* add(send, token, there)).status, 200)
      assert.deepStrictEqual(yield* listed(send, token), [
        ["Here", here.tenant, true],
        ["There", there.tenant, false]
      ])
      // Another session of the same person has proven nothing.
      assert.deepStrictEqual(yield* listed(send, yield* login(send, here)), [["Here", here.tenant, true]])
    })
  )

  it.effect("are switched without another password, and each token is for its own tenant alone", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { here, there, token } = yield* setting(send)
      yield* add(send, token, there)
      const opened = yield* open(send, token, there)
      assert.deepStrictEqual(says(opened), [200, undefined])
      const other = String(opened.body["access_token"])
      for (const [each, { id, tenant }] of [
        [token, here],
        [other, there]
      ] as const) {
        const { body } = yield* send("GET", "/me", { token: each })
        assert.deepStrictEqual([body["id"], body["tenant_id"]], [id, tenant])
      }
      assert.deepStrictEqual(says(yield* send("GET", `/tenants/${here.tenant}/users`, { token: other })), [
        404,
        "tenant_not_found"
      ])
      const sessions = yield* send("GET", "/me/sessions", { token: other })
      assert.deepInclude(sessions.body["data"], { ...Reflect.get(Object(sessions.body["data"]), 0), method: "switch" })
      // And back.
      assert.deepStrictEqual(yield* listed(send, other), [
        ["There", there.tenant, true],
        ["Here", here.tenant, false]
      ])
      const back = yield* open(send, other, here)
      assert.strictEqual((yield* send("GET", "/me", { token: String(back.body["access_token"]) })).body["id"], here.id)
      // Neither tenant's log tells of the other.
      for (const [one, another] of [
        [here, there],
        [there, here]
      ] as const)
        assert.deepStrictEqual(
          yield* query(
            `select action from app.audit_events e where tenant_id = '${one.tenant}' and to_jsonb(e)::text like '%${another.tenant}%'`
          ),
          []
        )
    })
  )

  it.effect("end with the account there: another password, its tenant suspended or against it", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { there, token } = yield* setting(send)
      yield* add(send, token, there)
      yield* query(`update app.tenants set status = 'suspended' where id = '${there.tenant}' returning id`)
      assert.deepStrictEqual(says(yield* open(send, token, there)), [404, "tenant_not_found"])
      yield* query(`update app.tenants set status = 'active' where id = '${there.tenant}' returning id`)
      assert.deepStrictEqual(says(yield* open(send, token, there)), [200, undefined])
      const policy = { second_factor: "optional", second_factor_after_sso: false, tenant_switch: false }
      const boss = yield* login(send, there)
      const path = `/tenants/${there.tenant}/login-policy`
      assert.strictEqual((yield* send("PUT", path, { token: boss, json: policy })).status, 200)
      assert.deepStrictEqual(says(yield* open(send, token, there)), [404, "tenant_not_found"])
      yield* send("PUT", path, { token: boss, json: { ...policy, tenant_switch: true } })
      const next = `another long one ${randomUUID()}`
      const json = { current_password: there.password, new_password: next }
      yield* send("POST", "/me/password", { token: yield* login(send, there), json })
      assert.deepStrictEqual(says(yield* open(send, token, there)), [404, "tenant_not_found"])
      assert.strictEqual((yield* add(send, token, { ...there, password: next })).status, 200)
      assert.deepStrictEqual(says(yield* open(send, token, there)), [200, undefined])
    })
  )

  it.effect("end with the session, and what is opened ends no later than it", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { here, there, token } = yield* setting(send)
      yield* add(send, token, there)
      yield* query(
        `update app.sessions set ends_at = now() + interval '90 seconds', idle_until = now() + interval '90 seconds' where tenant_id = '${here.tenant}' returning id`
      )
      const { body } = yield* open(send, token, there)
      assert.approximately(Number(body["refresh_expires_in"]), 87, 3)
      assert.approximately(Number(body["expires_in"]), 87, 3)
      yield* send("POST", "/logout", { token })
      for (const answer of [yield* open(send, token, there), yield* send("GET", "/me/tenants", { token })])
        assert.deepStrictEqual(says(answer), [401, "unauthenticated"])
    })
  )

  it.effect("are of a session: a login without one, and a key, lead nowhere", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { here, there, token } = yield* setting(send)
      yield* add(send, token, there)
      const plain = yield* login(send, here, false)
      assert.deepStrictEqual(yield* listed(send, plain), [["Here", here.tenant, true]])
      assert.deepStrictEqual(says(yield* add(send, plain, there)), [409, "session_required"])
      assert.deepStrictEqual(says(yield* open(send, plain, there)), [409, "session_required"])
      const key = yield* send("POST", "/keys", { token, json: { name: "k", scopes: ["admin"] } })
      assert.deepStrictEqual(says(yield* open(send, String(key.body["key"]), there)), [403, "forbidden"])
    })
  )

  it.effect("whose account must have a second factor are opened with it, as by a login", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { here, there, token } = yield* setting(send)
      const third = yield* account(send, "Third", here.email)
      for (const other of [there, third]) yield* add(send, token, other)
      const policy = { second_factor: "everybody", second_factor_after_sso: false, tenant_switch: true }
      yield* send("PUT", `/tenants/${there.tenant}/login-policy`, { token: yield* login(send, there), json: policy })
      const stopped = yield* open(send, token, there)
      assert.deepStrictEqual(says(stopped), [401, "second_factor_required"])
      assert.notProperty(stopped.body, "access_token")

      // The second step comes later: what is left of the session then.
      yield* query(
        `update app.sessions set ends_at = now() + interval '90 seconds', idle_until = now() + interval '90 seconds' where tenant_id = '${here.tenant}'`
      )
      const { challenge } = stopped.body
      const { body } = yield* send("POST", "/login/second-factor/totp", { json: { challenge } })
      const opened = yield* send("POST", "/login/second-factor", {
        json: { challenge, code: codeAt(String(body["secret"])) }
      })
      assert.strictEqual(opened.status, 200, JSON.stringify(opened.body))
      assert.approximately(Number(opened.body["refresh_expires_in"]), 87, 3)
      const next = String(opened.body["access_token"])
      assert.deepStrictEqual(yield* listed(send, next), [
        ["There", there.tenant, true],
        ["Here", here.tenant, false],
        ["Third", third.tenant, false]
      ])
      assert.deepStrictEqual(says(yield* open(send, next, third)), [200, undefined])

      // A session that ended between the steps leads nowhere.
      const again = yield* open(send, token, there)
      assert.deepStrictEqual(says(again), [401, "second_factor_required"])
      yield* send("POST", "/logout", { token })
      const [recovery_code]: ReadonlyArray<string> = Object(opened.body["recovery_codes"])
      const late = yield* send("POST", "/login/second-factor", {
        json: { challenge: again.body["challenge"], recovery_code }
      })
      assert.deepStrictEqual(says(late), [401, "challenge_ended"])
    })
  )

  it.effect("are opened so often in a while, and no more", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { there, token } = yield* setting(send)
      yield* add(send, token, there)
      const answers = yield* Effect.all(
        Array.from({ length: 64 }, () => open(send, token, there)),
        { concurrency: 8 }
      )
      assert.isAbove(answers.filter(({ status }) => status === 429).length, 0)
      assert.isAtLeast(answers.filter(({ status }) => status === 200).length, 60)
    })
  )
})
