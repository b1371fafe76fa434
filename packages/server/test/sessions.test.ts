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

const listed = ({ data }: Answer["body"]): ReadonlyArray<Record<string, unknown>> => (Array.isArray(data) ? data : [])

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

  it.effect("goes on when its user changes the password in it, and every other one ends", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* account(send)
      const [mine, other] = [yield* login(send, person), yield* login(send, person)]
      const { body: plain } = yield* send("POST", "/login", { json: { username: person.email, password: PASSWORD } })
      const change = { current_password: PASSWORD, new_password: "another long one" }
      const changed = yield* send("POST", "/me/password", { token: mine.access, json: change })
      assert.deepStrictEqual([changed.status, changed.body["session_id"]], [200, mine.session])
      assert.deepStrictEqual(yield* me(send, String(changed.body["access_token"])), OK)
      for (const token of [mine.access, other.access, String(plain["access_token"])])
        assert.deepStrictEqual(yield* me(send, token), UNAUTHENTICATED)
      assert.deepStrictEqual(says(yield* renew(send, other.refresh)), NOT_GOOD)
      const renewed = tokensOf(yield* renew(send, mine.refresh))
      assert.deepStrictEqual(yield* me(send, renewed.access), OK)
      const { body } = yield* send("GET", "/me/sessions", { token: renewed.access })
      assert.lengthOf(listed(body), 1)
    })
  )

  it.effect("is listed for its user, with the device and the address, until it is over", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* account(send)
      const stranger = yield* account(send, person.tenant)
      yield* login(send, stranger)
      const first = yield* login(send, person, { "user-agent": `Phone ${"x".repeat(300)}` })
      const second = yield* login(send, person, { "user-agent": "Desk" })
      const { body } = yield* send("GET", "/me/sessions", { token: second.access })
      assert.deepStrictEqual(
        listed(body).map(({ address, current, device, id, method, user_id }) => [
          id,
          current,
          device,
          address,
          method,
          user_id
        ]),
        [
          [second.session, true, "Desk", "127.0.0.1", "password", person.id],
          [first.session, false, `Phone ${"x".repeat(194)}`, "127.0.0.1", "password", person.id]
        ]
      )
      const one = yield* send("GET", "/me/sessions?limit=1", { token: second.access })
      const two = yield* send("GET", `/me/sessions?limit=1&cursor=${String(one.body["next_cursor"])}`, {
        token: second.access
      })
      assert.deepStrictEqual(
        [...listed(one.body), ...listed(two.body)].map(({ id }) => id),
        [second.session, first.session]
      )
      assert.isNull(two.body["next_cursor"])

      assert.strictEqual((yield* send("DELETE", `/me/sessions/${first.session}`, { token: second.access })).status, 204)
      assert.deepStrictEqual(yield* me(send, first.access), UNAUTHENTICATED)
      assert.deepStrictEqual(says(yield* renew(send, first.refresh)), NOT_GOOD)
      assert.deepStrictEqual(says(yield* send("DELETE", `/me/sessions/${first.session}`, { token: second.access })), [
        404,
        "session_not_found"
      ])
      const [third, fourth] = [yield* login(send, person), yield* login(send, person)]
      assert.strictEqual((yield* send("DELETE", "/me/sessions", { token: second.access })).status, 204)
      for (const { access } of [third, fourth]) assert.deepStrictEqual(yield* me(send, access), UNAUTHENTICATED)
      assert.deepStrictEqual(yield* me(send, second.access), OK)
      const key = yield* send("POST", "/keys", { token: second.access, json: { name: "k", scopes: ["chat"] } })
      for (const [method, path] of [
        ["GET", "/me/sessions"],
        ["DELETE", "/me/sessions"],
        ["DELETE", `/me/sessions/${second.session}`]
      ] as const)
        assert.deepStrictEqual(says(yield* send(method, path, { token: String(key.body["key"]) })), [403, "forbidden"])
    })
  )

  it.effect("ends by a logout with its access token or any of its refresh tokens, as often as it is asked for", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* account(send)
      const [one, two, three] = [yield* login(send, person), yield* login(send, person), yield* login(send, person)]
      const renewed = tokensOf(yield* renew(send, three.refresh))
      for (const repeated of [false, true]) {
        assert.strictEqual((yield* send("POST", "/logout", { token: one.access })).status, 204, String(repeated))
        assert.strictEqual((yield* send("POST", "/logout", { json: { refresh_token: two.refresh } })).status, 204)
        assert.strictEqual((yield* send("POST", "/logout", { form: { refresh_token: three.refresh } })).status, 204)
      }
      for (const { access, refresh } of [one, two, renewed]) {
        assert.deepStrictEqual(yield* me(send, access), UNAUTHENTICATED)
        assert.deepStrictEqual(says(yield* renew(send, refresh)), NOT_GOOD)
      }
      assert.strictEqual((yield* send("POST", "/logout", { json: { refresh_token: "rt_nothing" } })).status, 204)
      const { body: plain } = yield* send("POST", "/login", { json: { username: person.email, password: PASSWORD } })
      const token = String(plain["access_token"])
      assert.deepStrictEqual(says(yield* send("POST", "/logout", { token })), NOT_GOOD)
      assert.deepStrictEqual(yield* me(send, token), OK)
      for (const sent of [{}, { json: {} }, { token: "nonsense" }])
        assert.deepStrictEqual(says(yield* send("POST", "/logout", sent)), UNAUTHENTICATED)
    })
  )

  it.effect("is seen and ended by an admin of its tenant, and by no one else", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const boss = yield* account(send)
      const person = yield* account(send, boss.tenant)
      const [admin, foreign] = [yield* login(send, boss), yield* login(send, yield* account(send))]
      const [one, two, three] = [yield* login(send, person), yield* login(send, person), yield* login(send, person)]
      const path = `/tenants/${boss.tenant}/users/${person.id}/sessions`
      const { body } = yield* send("GET", path, { token: admin.access })
      assert.sameMembers(
        listed(body).map(({ id }) => id),
        [one.session, two.session, three.session]
      )
      for (const [method, each] of [
        ["GET", path],
        ["DELETE", path],
        ["DELETE", `${path}/${one.session}`]
      ] as const) {
        assert.deepStrictEqual(says(yield* send(method, each, { token: one.access })), [403, "forbidden"])
        assert.deepStrictEqual(says(yield* send(method, each, { token: foreign.access })), [404, "tenant_not_found"])
      }
      const theirs = `/tenants/${boss.tenant}/users/${randomUUID()}/sessions`
      for (const [method, each, code] of [
        ["GET", theirs, "user_not_found"],
        ["DELETE", theirs, "user_not_found"],
        ["DELETE", `${theirs}/${one.session}`, "session_not_found"],
        ["DELETE", `/tenants/${boss.tenant}/users/${boss.id}/sessions/${one.session}`, "session_not_found"]
      ] as const)
        assert.deepStrictEqual(says(yield* send(method, each, { token: admin.access })), [404, code], each)
      assert.deepStrictEqual(says(yield* send("DELETE", `/me/sessions/${one.session}`, { token: admin.access })), [
        404,
        "session_not_found"
      ])

      assert.strictEqual((yield* send("DELETE", `${path}/${one.session}`, { token: admin.access })).status, 204)
      assert.deepStrictEqual(yield* me(send, one.access), UNAUTHENTICATED)
      assert.deepStrictEqual(yield* me(send, two.access), OK)
      assert.strictEqual((yield* send("DELETE", path, { token: admin.access })).status, 204)
      for (const { access, refresh } of [two, three]) {
        assert.deepStrictEqual(yield* me(send, access), UNAUTHENTICATED)
        assert.deepStrictEqual(says(yield* renew(send, refresh)), NOT_GOOD)
      }
      assert.deepStrictEqual(
        yield* query(
          `select detail ->> 'reason' as reason, target_kind from app.audit_events
           where tenant_id = '${boss.tenant}' and action = 'session.ended' and actor_user_id = '${boss.id}' order by at`
        ),
        [
          { reason: "ended_by_admin", target_kind: "session" },
          { reason: "ended_by_admin", target_kind: "user" }
        ]
      )
    })
  )

  it.effect("leaves nothing of its tokens in the log, nor in the database", () =>
    Effect.gen(function* () {
      const { process, send } = yield* Running
      const first = yield* login(send, yield* account(send))
      const second = tokensOf(yield* renew(send, first.refresh))
      yield* renew(send, `${second.refresh}0`)
      yield* send("POST", "/logout", { json: { refresh_token: second.refresh } })
      yield* process.says(/\/logout/u)
      const { stderr, stdout } = process.output()
      assert.notMatch(stdout + stderr, /rt_[0-9A-Za-z]{10}/u)
      for (const table of ["app.sessions", "app.session_tokens", "app.audit_events"])
        assert.deepStrictEqual(
          yield* query(`select 1 from ${table} t where to_jsonb(t)::text like '%rt_%' limit 1`),
          []
        )
    })
  )

  it.effect("is one of at most a hundred of its user: of more, those end that were never renewed, oldest first", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* account(send)
      const [kept, oldest] = [yield* login(send, person), yield* login(send, person)]
      const renewed = tokensOf(yield* renew(send, kept.refresh))
      yield* query(
        `insert into app.sessions (tenant_id, id, user_id, method, token_epoch, secret_hash, idle_until, ends_at)
         select '${person.tenant}', gen_random_uuid(), '${person.id}', 'password', 0, sha256(n::text::bytea), now() + '1 day', now() + '1 day'
         from generate_series(1, 98) n returning id`
      )
      const last = yield* login(send, person)
      assert.deepStrictEqual(yield* me(send, oldest.access), UNAUTHENTICATED)
      for (const { access } of [renewed, last]) assert.deepStrictEqual(yield* me(send, access), OK)
    })
  )
})

layer(SERVER, OPTIONS)("a session in a cookie", (it) => {
  const PAGE = { "x-csrf": "1", "sec-fetch-site": "same-origin" }

  const cookieIn = ({ headers }: Answer) => String(headers.get("set-cookie"))
  const pairIn = (answer: Answer) => cookieIn(answer).split(";", 1)[0] ?? ""

  const keep = (send: Send, { email }: Account, headers: Record<string, string>) =>
    send("POST", "/login", { json: { username: email, password: PASSWORD, session: "cookie" }, headers })

  it.effect(
    "is where no page reads it, for this host alone, and is renewed and ended from a page of the same origin",
    () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const begun = yield* keep(send, yield* account(send), PAGE)
        assert.deepStrictEqual(Object.keys(begun.body).toSorted(), [
          "access_token",
          "expires_in",
          "refresh_expires_in",
          "session_id",
          "token_type"
        ])
        assert.match(
          cookieIn(begun),
          /^__Host-refresh=rt_[0-9A-Za-z]{49}; Max-Age=1209600; Path=\/; Secure; HttpOnly; SameSite=Strict$/u
        )
        const json = { grant_type: "refresh_token" }
        const renewed = yield* send("POST", "/token", { json, headers: { ...PAGE, cookie: `a=b; ${pairIn(begun)}` } })
        assert.deepStrictEqual([renewed.status, renewed.body["session_id"]], [200, begun.body["session_id"]])
        assert.notProperty(renewed.body, "refresh_token")
        assert.notStrictEqual(pairIn(renewed), pairIn(begun))
        const token = String(renewed.body["access_token"])
        assert.deepStrictEqual(yield* me(send, token), OK)
        assert.deepStrictEqual(
          says(yield* send("GET", "/me", { headers: { ...PAGE, cookie: pairIn(renewed) } })),
          UNAUTHENTICATED
        )
        const out = yield* send("POST", "/logout", { headers: { ...PAGE, cookie: pairIn(renewed) } })
        assert.strictEqual(out.status, 204)
        assert.match(cookieIn(out), /^__Host-refresh=; Max-Age=0; /u)
        assert.deepStrictEqual(yield* me(send, token), UNAUTHENTICATED)
      })
  )

  it.effect("ends when another login takes its place in the browser, whose ever it is, and by nothing less", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const [one, two] = [yield* account(send), yield* account(send)]
      const first = yield* keep(send, one, PAGE)
      const token = String(first.body["access_token"])
      const cookie = pairIn(first)
      const wrong = { username: two.email, password: "not the password", session: "cookie" }
      const tried = yield* send("POST", "/login", { json: wrong, headers: { ...PAGE, cookie } })
      assert.deepStrictEqual(says(tried), [401, "invalid_credentials"])
      // A login that leaves the cookie, and those of other browsers.
      yield* login(send, two, { ...PAGE, cookie })
      yield* keep(send, two, PAGE)
      yield* keep(send, two, { ...PAGE, cookie: `__Host-refresh=rt_${"0".repeat(49)}` })
      assert.deepStrictEqual(yield* me(send, token), OK)

      const second = yield* keep(send, two, { ...PAGE, cookie })
      assert.strictEqual(second.status, 200)
      assert.deepStrictEqual(yield* me(send, token), UNAUTHENTICATED)
      const json = { grant_type: "refresh_token" }
      assert.deepStrictEqual(says(yield* send("POST", "/token", { json, headers: { ...PAGE, cookie } })), NOT_GOOD)
      // By an earlier refresh token too, which another tab has replaced meanwhile.
      const renewed = yield* send("POST", "/token", { json, headers: { ...PAGE, cookie: pairIn(second) } })
      yield* keep(send, one, { ...PAGE, cookie: pairIn(second) })
      assert.deepStrictEqual(yield* me(send, String(renewed.body["access_token"])), UNAUTHENTICATED)
      const ends = (of: Account) =>
        query(`select detail ->> 'reason' as reason from app.audit_events
          where tenant_id = '${of.tenant}' and action = 'session.ended'`)
      for (const each of [one, two]) assert.deepStrictEqual(yield* ends(each), [{ reason: "replaced" }])
    })
  )

  it.effect("is used by no page of another origin, and begun by none, whatever origins may read answers", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const person = yield* account(send)
      const begun = yield* keep(send, person, PAGE)
      const cookie = pairIn(begun)
      const own = `http://127.0.0.1:${port}`
      for (const headers of [
        {},
        { "x-csrf": "1" },
        { "sec-fetch-site": "same-origin" },
        { ...PAGE, "x-csrf": "yes" },
        { ...PAGE, "sec-fetch-site": "same-site" },
        { ...PAGE, "sec-fetch-site": "cross-site" },
        { ...PAGE, "sec-fetch-site": "none" },
        { ...PAGE, "sec-fetch-site": "cross-site", origin: own },
        { "x-csrf": "1", origin: "https://app.acme.test" },
        { "x-csrf": "1", origin: "null" },
        { "x-csrf": "1", origin: `http://127.0.0.1:${port + 1}` },
        { origin: own }
      ]) {
        const about = JSON.stringify(headers)
        const form = { grant_type: "refresh_token" }
        for (const answer of [
          yield* send("POST", "/token", { form, headers: { ...headers, cookie } }),
          yield* send("POST", "/logout", { headers: { ...headers, cookie } }),
          yield* keep(send, person, headers)
        ]) {
          assert.deepStrictEqual(says(answer), [403, "csrf_refused"], about)
          assert.isNull(answer.headers.get("set-cookie"), about)
        }
      }
      const preflight = yield* send("OPTIONS", "/token", {
        headers: {
          origin: "https://app.acme.test",
          "access-control-request-method": "POST",
          "access-control-request-headers": "x-csrf"
        }
      })
      assert.strictEqual(preflight.headers.get("access-control-allow-origin"), "https://app.acme.test")
      assert.notInclude(String(preflight.headers.get("access-control-allow-headers")), "csrf")
      assert.isNull(preflight.headers.get("access-control-allow-credentials"))
      const older = yield* send("POST", "/token", {
        form: { grant_type: "refresh_token" },
        headers: { "x-csrf": "1", origin: own, cookie }
      })
      assert.deepStrictEqual(says(older), OK)
    })
  )
})
