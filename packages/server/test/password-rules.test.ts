import * as Databases from "@llm-saas/database/backup/Databases"
import { assert, it, layer } from "@effect/vitest"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect } from "effect"
import { commonPasswords } from "../src/auth/CommonPasswords.ts"
import { signUp } from "./People.ts"
import { type Answer, Running, running, type Send } from "./Running.ts"

const GOOD = "jjkwmqzz"
let people = 0
const email = () => `someone${++people}@acme.test`

const create = (send: Send, name: string) =>
  Effect.map(send("POST", "/create-tenant", { json: { name } }), ({ body }) => String(body["id"]))
const register = (send: Send, tenant_id: string, password: string, address = email()) =>
  send("POST", "/register", { json: { email: address, password, tenant_id } })
const said = ({ body, status }: Answer) => [status, body["code"], body["reason"]]
const refused = (reason: string) => [422, "password_refused", reason]

layer(Running.layer, { timeout: "120 seconds" })("a password that is easy to guess", (it) => {
  it.effect("is refused at registration, and it is said why", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const tenant = yield* create(send, "Initech Ltd")
      const answer = yield* register(send, tenant, "iloveyou1")
      assert.deepStrictEqual(said(answer), refused("common"))
      assert.strictEqual(answer.body["min_characters"], 8)
      assert.notInclude(JSON.stringify(answer.body), "iloveyou1")
      assert.deepStrictEqual(said(yield* register(send, tenant, "llm-saas1")), refused("personal"))
      assert.deepStrictEqual(said(yield* register(send, tenant, "aaaaaaaaaaaaaaaa")), refused("simple"))
      assert.deepStrictEqual(said(yield* register(send, tenant, "initech ltd")), refused("personal"))
      assert.strictEqual((yield* register(send, tenant, GOOD)).status, 201)
    })
  )

  it.effect("tells no stranger the name of a tenant in which they cannot register", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { tenant, token } = yield* signUp(send)
      yield* send("PATCH", `/tenants/${tenant}`, { token, json: { registration: "closed" } })
      const [named, another] = [yield* register(send, tenant, "acme corp"), yield* register(send, tenant, GOOD)]
      for (const answer of [named, another])
        assert.deepStrictEqual(said(answer), [403, "registration_refused", undefined])
      const nowhere = "0190a6f0-0000-7000-8000-000000000000"
      assert.deepStrictEqual(said(yield* register(send, nowhere, GOOD)), [403, "registration_refused", undefined])
    })
  )

  it.effect("is refused at a change, which keeps the old one, and by an admin who creates a user", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { token } = yield* signUp(send)
      const change = (next: string) =>
        send("POST", "/me/password", { token, json: { current_password: "password123", new_password: next } })
      for (const [bad, reason] of [
        ["iloveyou1", "common"],
        ["Acme Corp", "personal"]
      ] as const)
        assert.deepStrictEqual(said(yield* change(bad)), refused(reason))
      const address = email()
      const add = (password: string) => send("POST", "/admin/users", { token, json: { email: address, password } })
      for (const bad of ["acmecorp2026", address]) assert.deepStrictEqual(said(yield* add(bad)), refused("personal"))
      assert.strictEqual((yield* add(GOOD)).status, 201)
      assert.strictEqual((yield* change(GOOD)).status, 200)
    })
  )
})

layer(Running.layer, { timeout: "120 seconds" })("a password that was chosen", (it) => {
  it.effect("stays, however old it is", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { adminUrl } = yield* TestDatabase
      const { tenant } = yield* signUp(send)
      const address = email()
      yield* register(send, tenant, GOOD, address)
      yield* Databases.execute(adminUrl, "update app.credentials set updated_at = now() - interval '20 years'")
      yield* Databases.execute(adminUrl, "update app.users set created_at = now() - interval '20 years'")
      const login = yield* send("POST", "/login", { json: { username: address, password: GOOD } })
      assert.deepStrictEqual(
        [login.status, Object.keys(login.body).toSorted()],
        [200, ["access_token", "expires_in", "token_type"]]
      )
    })
  )

  it.effect("is not an admin's to change", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { tenant, token } = yield* signUp(send)
      const address = email()
      const { body } = yield* register(send, tenant, GOOD, address)
      for (const json of [
        { password: "correct horse battery staple" },
        { status: "active", password: "correct horse" }
      ])
        yield* send("PATCH", `/admin/users/${String(body["id"])}`, { token, json })
      assert.strictEqual((yield* send("POST", "/login", { json: { username: address, password: GOOD } })).status, 200)
    })
  )
})

layer(TestDatabase.layer, { timeout: "120 seconds" })("an installation", (it) => {
  it.effect(
    "may ask for longer ones; those chosen before still log in",
    () =>
      Effect.gen(function* () {
        const before = yield* running({})
        const tenant = yield* create(before.send, "Acme Corp")
        const address = email()
        assert.strictEqual((yield* register(before.send, tenant, GOOD, address)).status, 201)
        const { send } = yield* running({ PASSWORD_MIN_LENGTH: "15" })
        assert.strictEqual((yield* send("POST", "/login", { json: { username: address, password: GOOD } })).status, 200)
        const short = yield* register(send, tenant, `${GOOD}jvxwq`)
        assert.deepStrictEqual(said(short), refused("short"))
        assert.strictEqual(short.body["min_characters"], 15)
        assert.strictEqual((yield* register(send, tenant, "correct horse battery staple")).status, 201)
      }),
    60_000
  )
})

it.effect("the list knows thousands of common passwords, and the quick start's works outside of production alone", () =>
  Effect.gen(function* () {
    const [production, elsewhere] = [yield* commonPasswords([]), yield* commonPasswords(["password123"])]
    for (const common of ["password", "password1", "12345678", "qwertyuiop", "trustno1", "letmein123"])
      assert.isTrue(production(common) && elsewhere(common), common)
    // OWASP ASVS 5.0, 6.2.4: the 3,000 most common ones that are long enough.
    const { dictionary } = yield* Effect.promise(() => import("@zxcvbn-ts/language-common"))
    const first = dictionary["passwords-common"].filter((each) => each.length >= 8).slice(0, 3000)
    assert.lengthOf(first, 3000)
    assert.deepStrictEqual(
      first.filter((each) => !production(each)),
      []
    )
    assert.isTrue(production("password123"))
    assert.isFalse(elsewhere("password123"))
    assert.isFalse(production("correct horse battery staple"))
  })
)
