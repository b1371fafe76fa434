import * as Databases from "@llm-saas/database/backup/Databases"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { type Answer, Running, running, type Send } from "./Running.ts"

// Sessions over HTTP, on a running server with a database of its own.

const SERVER = Running.with({
  TENANTS_PER_ADDRESS: "10000",
  REGISTRATIONS_PER_ADDRESS: "10000",
  LOGIN_FAILURES_PER_ADDRESS: "1000"
})
const OPTIONS = { timeout: "120 seconds", excludeTestServices: true } as const

const PASSWORD = "a long enough one"

interface Account {
  readonly id: string
  readonly tenant: string
  readonly email: string
}

/** The admin of a new tenant, or a user of the given one. */
const account = Effect.fnUntraced(function* (send: Send, of?: string): Effect.fn.Return<Account> {
  const tenant = of ?? String((yield* send("POST", "/create-tenant", { json: { name: "Acme" } })).body["id"])
  const email = `${randomUUID()}@acme.test`
  const made = yield* send("POST", "/register", { json: { email, password: PASSWORD, tenant_id: tenant } })
  return { id: String(made.body["id"]), tenant, email }
})

interface Tokens {
  readonly access: string
  readonly refresh: string
  readonly session: string
}

const tokensOf = ({ body }: Answer): Tokens => ({
  access: String(body["access_token"]),
  refresh: String(body["refresh_token"]),
  session: String(body["session_id"])
})

const login = (send: Send, { email }: Account, headers: Record<string, string> = {}) =>
  Effect.map(
    send("POST", "/login", { json: { username: email, password: PASSWORD, session: true }, headers }),
    tokensOf
  )

const renew = (send: Send, refresh: string) =>
  send("POST", "/token", { form: { grant_type: "refresh_token", refresh_token: refresh } })

const says = ({ body, status }: Answer) => [status, body["code"]]
const OK = [200, undefined]
const UNAUTHENTICATED = [401, "unauthenticated"]
const NOT_GOOD = [400, "invalid_grant"]

const me = (send: Send, token: string) => Effect.map(send("GET", "/me", { token }), says)

const query = Effect.fnUntraced(function* (sql: string) {
  const { adminUrl } = yield* TestDatabase
  return (yield* Databases.execute(adminUrl, sql)).rows
})

layer(SERVER, OPTIONS)("a session", (it) => {
  it.effect("begins with a login that asks for one, and no other login says anything of sessions", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { email } = yield* account(send)
      const plain = yield* send("POST", "/login", { json: { username: email, password: PASSWORD } })
      assert.deepStrictEqual(Object.keys(plain.body).toSorted(), ["access_token", "expires_in", "token_type"])
      for (const sent of [
        { json: { username: email, password: PASSWORD, session: true } },
        { form: { username: email, password: PASSWORD, session: "true" } }
      ]) {
        const { body, headers, status } = yield* send("POST", "/login", sent)
        assert.strictEqual(status, 200)
        assert.match(String(body["refresh_token"]), /^rt_[0-9A-Za-z]{49}$/u)
        assert.deepStrictEqual([body["expires_in"], body["refresh_expires_in"]], [3600, 14 * 86_400])
        assert.isNull(headers.get("set-cookie"))
        assert.deepStrictEqual(yield* me(send, tokensOf({ status, headers, body }).access), OK)
      }
      for (const session of [false, ""])
        assert.notProperty(
          (yield* send("POST", "/login", { form: { username: email, password: PASSWORD, session: String(session) } }))
            .body,
          "refresh_token"
        )
    })
  )

  it.effect("is renewed by its refresh token, and each token by one that replaces it", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const first = yield* login(send, yield* account(send))
      const second = tokensOf(yield* renew(send, first.refresh))
      const third = tokensOf(
        yield* send("POST", "/token", { json: { grant_type: "refresh_token", refresh_token: second.refresh } })
      )
      assert.strictEqual(new Set([first.refresh, second.refresh, third.refresh]).size, 3)
      assert.deepStrictEqual([second.session, third.session], [first.session, first.session])
      for (const { access } of [first, second, third]) assert.deepStrictEqual(yield* me(send, access), OK)
    })
  )

  it.effect(
    "whose answer was lost is renewed by the same token again, with the same successor, by two processes at once",
    () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const other = yield* running({})
        const first = yield* login(send, yield* account(send))
        const answers = yield* Effect.all(
          Array.from({ length: 12 }, (_, place) => renew(place % 2 === 0 ? send : other.send, first.refresh)),
          { concurrency: 12 }
        )
        assert.deepStrictEqual(
          answers.map(says),
          answers.map(() => OK)
        )
        assert.strictEqual(new Set(answers.map((each) => tokensOf(each).refresh)).size, 1)
        for (const answer of answers) assert.deepStrictEqual(yield* me(send, tokensOf(answer).access), OK)
      }).pipe(Effect.scoped)
  )

  it.effect("ends when a replaced token comes again too late, with all its tokens and no other session", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* account(send)
      const [stolen, elsewhere] = [yield* login(send, person), yield* login(send, person)]
      const second = tokensOf(yield* renew(send, stolen.refresh))
      yield* query(`update app.sessions set rotated_at = now() - interval '31 seconds' where id = '${stolen.session}'`)
      const reused = yield* renew(send, stolen.refresh)
      assert.deepStrictEqual([...says(reused), reused.body["error"]], [...NOT_GOOD, "invalid_grant"])
      assert.deepStrictEqual(says(yield* renew(send, second.refresh)), NOT_GOOD)
      for (const { access } of [stolen, second]) assert.deepStrictEqual(yield* me(send, access), UNAUTHENTICATED)
      assert.deepStrictEqual(says(yield* renew(send, elsewhere.refresh)), OK)
      assert.deepStrictEqual(
        yield* query(
          `select tenant_id, action, target_id from app.audit_events where action = 'session.reused' and tenant_id = '${person.tenant}'`
        ),
        [{ tenant_id: person.tenant, action: "session.reused", target_id: stolen.session }]
      )
    })
  )

  it.effect("ends at once when the one before the last token comes again, however soon", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const first = yield* login(send, yield* account(send))
      const second = tokensOf(yield* renew(send, first.refresh))
      const third = tokensOf(yield* renew(send, second.refresh))
      assert.deepStrictEqual(says(yield* renew(send, first.refresh)), NOT_GOOD)
      assert.deepStrictEqual(says(yield* renew(send, third.refresh)), NOT_GOOD)
      assert.deepStrictEqual(yield* me(send, third.access), UNAUTHENTICATED)
    })
  )

  it.effect(
    "is over when it was idle for too long, or has lasted long enough, and says no more than of an unknown token",
    () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const person = yield* account(send)
        const tokens = yield* login(send, person)
        yield* query(`update app.sessions set idle_until = now() where id = '${tokens.session}'`)
        const over = yield* renew(send, tokens.refresh)
        const unknown = yield* renew(send, `${tokens.refresh.slice(0, 20)}${"0".repeat(32)}`)
        assert.deepStrictEqual(says(over), NOT_GOOD)
        assert.deepStrictEqual({ ...over.body, request_id: "" }, { ...unknown.body, request_id: "" })
        assert.deepStrictEqual(yield* me(send, tokens.access), UNAUTHENTICATED)

        const near = yield* login(send, person)
        yield* query(
          `update app.sessions set idle_until = now() + interval '90 seconds', ends_at = now() + interval '90 seconds' where id = '${near.session}'`
        )
        const { body } = yield* renew(send, near.refresh)
        assert.approximately(Number(body["expires_in"]), 88, 3)
        assert.approximately(Number(body["refresh_expires_in"]), 88, 3)
      })
  )

  it.effect("ends with its user: disabled or deleted", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const admin = yield* account(send)
      const { access: token } = yield* login(send, admin)
      const [disabled, deleted] = [yield* account(send, admin.tenant), yield* account(send, admin.tenant)]
      const [one, another] = [yield* login(send, disabled), yield* login(send, deleted)]
      yield* send("PATCH", `/admin/users/${disabled.id}`, { token, json: { status: "disabled" } })
      yield* send("PATCH", `/admin/users/${disabled.id}`, { token, json: { status: "active" } })
      yield* send("DELETE", `/admin/users/${deleted.id}`, { token })
      for (const { access, refresh } of [one, another]) {
        assert.deepStrictEqual(says(yield* renew(send, refresh)), NOT_GOOD)
        assert.deepStrictEqual(yield* me(send, access), UNAUTHENTICATED)
      }
    })
  )
})
