import { assert, layer } from "@effect/vitest"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Redacted } from "effect"
import pg from "pg"
import { Inbox, withInbox } from "./Inbox.ts"
import { Running, type Send } from "./Running.ts"
import { codeAt } from "./Totp.ts"

const PASSWORD = "correct horse battery"
const NEXT = "incorrect horse staple"

let people = 0

/** A person with an address of their own: the admin of a new tenant, or a user of the given one. */
const newPerson = Effect.fnUntraced(function* (
  send: Send,
  options: { readonly of?: string; readonly email?: string } = {}
) {
  const name = `Tenant ${++people}`
  const tenant = options.of ?? String((yield* send("POST", "/create-tenant", { json: { name } })).body["id"])
  const email = options.email ?? `person${people}@mail.test`
  const made = yield* send("POST", "/register", { json: { email, password: PASSWORD, tenant_id: tenant } })
  assert.strictEqual(made.status, 201)
  const { body } = yield* login(send, email, PASSWORD, tenant)
  return { id: String(made.body["id"]), tenant, name, email, token: String(body["access_token"]) }
})

const login = (send: Send, email: string, password: string, tenant: string) =>
  send("POST", "/login", { json: { username: email, password, tenant_id: tenant } })

const statusOf = (answer: { readonly status: number; readonly body: Readonly<Record<string, unknown>> }) =>
  answer.body["code"] === undefined ? answer.status : `${answer.status} ${String(answer.body["code"])}`

const asks = (send: Send, email: string, tenant_id?: string) =>
  Effect.map(
    send("POST", "/password/reset", { json: { email, ...(tenant_id === undefined ? {} : { tenant_id }) } }),
    statusOf
  )

const confirms = (send: Send, token: string, new_password = NEXT) =>
  Effect.map(send("POST", "/password/reset/confirm", { json: { token, new_password } }), statusOf)

const query = Effect.fnUntraced(function* (sql: string, values: ReadonlyArray<unknown> = []) {
  const { adminUrl } = yield* TestDatabase
  return yield* Effect.promise(async () => {
    const client = new pg.Client({ connectionString: Redacted.value(adminUrl) })
    await client.connect()
    const { rows } = await client.query(sql, [...values])
    await client.end()
    return rows
  })
})

layer(withInbox(), { timeout: "120 seconds" })("a forgotten password", (it) => {
  it.effect(
    "is replaced by the link of a mail, once; everything that logged in before ends, and the owner is told",
    () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const inbox = yield* Inbox
        const ann = yield* newPerson(send)
        const session = yield* send("POST", "/login", {
          json: { username: ann.email, password: PASSWORD, tenant_id: ann.tenant, session: true }
        })
        const renew = send("POST", "/token", {
          json: { grant_type: "refresh_token", refresh_token: session.body["refresh_token"] }
        })
        assert.strictEqual(session.status, 200)
        assert.strictEqual(yield* asks(send, ann.email.toUpperCase()), 202)
        const mail = yield* inbox.next(ann.email)
        assert.include(mail.text, ann.name)
        assert.include(mail.text, `https://app.acme.example/account/reset#token=${mail.token}`)
        assert.strictEqual(yield* confirms(send, mail.token, "12345678"), "422 password_refused")
        assert.strictEqual(yield* confirms(send, mail.token), 204)
        assert.strictEqual(yield* confirms(send, mail.token), "403 link_refused")
        assert.strictEqual((yield* send("GET", "/me", { token: ann.token })).status, 401)
        assert.strictEqual((yield* renew).status, 400)
        assert.strictEqual((yield* login(send, ann.email, PASSWORD, ann.tenant)).status, 401)
        assert.strictEqual((yield* login(send, ann.email, NEXT, ann.tenant)).status, 200)
        const notice = yield* inbox.next(ann.email)
        assert.include(notice.subject, "was changed")
        assert.strictEqual(notice.token, "")
      })
  )

  it.effect("leads past no second factor: the login after it asks for one", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const inbox = yield* Inbox
      const ann = yield* newPerson(send)
      const { token } = ann
      const proven = yield* send("POST", "/me/proof", { token, json: { password: PASSWORD } })
      const headers = { proof: String(proven.body["proof"]) }
      const { body } = yield* send("POST", "/me/factors/totp", { token, headers, json: {} })
      const code = codeAt(String(body["secret"]))
      assert.strictEqual((yield* send("POST", "/me/factors/totp/confirm", { token, json: { code } })).status, 200)
      assert.include((yield* inbox.next(ann.email)).subject, "second factor")
      yield* asks(send, ann.email)
      assert.strictEqual(yield* confirms(send, (yield* inbox.next(ann.email)).token), 204)
      const first = yield* login(send, ann.email, NEXT, ann.tenant)
      assert.deepStrictEqual(
        [statusOf(first), first.body["methods"]],
        ["401 second_factor_required", ["totp", "recovery_code"]]
      )
      assert.notProperty(first.body, "access_token")
    })
  )

  it.effect("of an address without an account is answered alike, and nothing is sent", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const inbox = yield* Inbox
      const ann = yield* newPerson(send)
      const bob = yield* newPerson(send, { of: ann.tenant })
      const off = { token: ann.token, json: { status: "disabled" } }
      assert.strictEqual((yield* send("PATCH", `/admin/users/${bob.id}`, off)).status, 200)
      const answers = yield* Effect.forEach([ann.email, bob.email, "nobody@mail.test"], (email) =>
        send("POST", "/password/reset", { json: { email } })
      )
      for (const answer of answers) assert.deepStrictEqual([answer.status, answer.body], [202, {}])
      yield* inbox.next(ann.email)
      assert.deepStrictEqual([inbox.count(bob.email), inbox.count("nobody@mail.test")], [0, 0])
    })
  )

  it.effect("ends the keys of a user whose address nobody had proven, and later ones go on", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const inbox = yield* Inbox
      const admin = yield* newPerson(send)
      const user = yield* newPerson(send, { of: admin.tenant })
      const keyOf = (token: string) =>
        Effect.map(send("POST", "/keys", { token, json: { name: "k", scopes: ["messages:read"] } }), ({ body }) =>
          String(body["key"])
        )
      const reset = Effect.fnUntraced(function* (email: string, password: string) {
        assert.strictEqual(yield* asks(send, email, admin.tenant), 202)
        assert.strictEqual(yield* confirms(send, (yield* inbox.next(email)).token, password), 204)
        assert.include((yield* inbox.next(email)).text, "was changed")
        return String((yield* login(send, email, password, admin.tenant)).body["access_token"])
      })
      const status = (token: string) => Effect.map(send("GET", "/me", { token }), ({ status }) => status)
      const [early, kept] = [yield* keyOf(user.token), yield* keyOf(admin.token)]
      const later = yield* keyOf(yield* reset(user.email, NEXT))
      assert.deepStrictEqual([yield* status(early), yield* status(later)], [401, 200])
      yield* reset(user.email, `${NEXT} again`)
      yield* reset(admin.email, NEXT)
      assert.deepStrictEqual([yield* status(later), yield* status(kept)], [200, 200])
    })
  )

  it.effect("is good for half an hour, and only by the newest link", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const inbox = yield* Inbox
      const ann = yield* newPerson(send)
      yield* asks(send, ann.email)
      const first = yield* inbox.next(ann.email)
      yield* asks(send, ann.email)
      const second = yield* inbox.next(ann.email)
      assert.strictEqual(yield* confirms(send, first.token), "403 link_refused")
      const [life] = yield* query(
        `select extract(epoch from expires_at - created_at)::int as seconds from app.one_time_tokens
         where subject_id = $1 and voided_at is null`,
        [ann.id]
      )
      assert.strictEqual(life.seconds, 1800)
      yield* query("update app.one_time_tokens set expires_at = now() where subject_id = $1", [ann.id])
      assert.strictEqual(yield* confirms(send, second.token), "403 link_refused")
      assert.strictEqual((yield* login(send, ann.email, PASSWORD, ann.tenant)).status, 200)
      for (const wrong of ["", "ot_", first.token.slice(0, -1), `${second.token}x`, "0".repeat(500)])
        assert.include(["403 link_refused", "400 invalid_request"], yield* confirms(send, wrong))
    })
  )

  it.effect("of two requests with one link at once, one counts", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const inbox = yield* Inbox
      const ann = yield* newPerson(send)
      yield* asks(send, ann.email)
      const { token } = yield* inbox.next(ann.email)
      const both = yield* Effect.all([confirms(send, token, `${NEXT} 1`), confirms(send, token, `${NEXT} 2`)], {
        concurrency: 2
      })
      assert.sameMembers(both, [204, "403 link_refused"])
    })
  )

  it.effect(
    "of an address with several accounts is a mail for each, which names its tenant and resets that one alone",
    () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const inbox = yield* Inbox
        const one = yield* newPerson(send)
        const other = yield* newPerson(send, { email: one.email })
        yield* asks(send, one.email)
        const mails = [yield* inbox.next(one.email), yield* inbox.next(one.email)]
        const mine = mails.find(({ text }) => text.includes(one.name))
        assert.isTrue(mails.some(({ text }) => text.includes(other.name)))
        assert.strictEqual(yield* confirms(send, mine?.token ?? ""), 204)
        assert.strictEqual((yield* login(send, one.email, NEXT, one.tenant)).status, 200)
        assert.strictEqual((yield* login(send, one.email, PASSWORD, other.tenant)).status, 200)
        assert.include((yield* inbox.next(one.email)).text, one.name)
        yield* asks(send, one.email, other.tenant)
        assert.include((yield* inbox.next(one.email)).text, other.name)
      })
  )

  it.effect("is asked for six times an hour, and then answered alike without a mail", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const inbox = yield* Inbox
      const ann = yield* newPerson(send)
      for (let count = 0; count < 9; count++) assert.strictEqual(yield* asks(send, ann.email, ann.tenant), 202)
      const [{ written }] = yield* query("select count(*)::int as written from app.mails where subject_id = $1", [
        ann.id
      ])
      assert.isAtMost(written, 7)
      assert.isAtLeast(written, 6)
      yield* inbox.next(ann.email)
    })
  )
})

layer(withInbox(), { timeout: "120 seconds" })("an address", (it) => {
  it.effect("is verified by the link of a mail", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const inbox = yield* Inbox
      const ann = yield* newPerson(send)
      assert.strictEqual((yield* send("POST", "/me/email/verify", { token: ann.token })).status, 202)
      const { token } = yield* inbox.next(ann.email)
      const verify = Effect.map(send("POST", "/email/verify", { json: { token, password: PASSWORD } }), statusOf)
      assert.strictEqual(yield* confirms(send, token), "403 link_refused")
      // Who reads the mail and has not the password proves nobody's account: a stranger may have registered it.
      for (const password of [{}, { password: "another one" }])
        assert.strictEqual(
          statusOf(yield* send("POST", "/email/verify", { json: { token, ...password } })),
          "401 invalid_credentials"
        )
      assert.lengthOf(
        yield* query("select from app.users where id = $1 and email_verified_at is not null", [ann.id]),
        0
      )
      assert.strictEqual(yield* verify, 204)
      assert.strictEqual(yield* verify, "403 link_refused")
      assert.lengthOf(
        yield* query("select from app.users where id = $1 and email_verified_at is not null", [ann.id]),
        1
      )
      // Now it is: nothing more is sent.
      yield* send("POST", "/email/verification", { json: { email: ann.email } })
      yield* send("POST", "/me/email/verify", { token: ann.token })
      assert.lengthOf(yield* query("select from app.mails where subject_id = $1", [ann.id]), 1)
    })
  )

  it.effect("changes when the link to the new one is followed, and the old one is told twice", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const inbox = yield* Inbox
      const ann = yield* newPerson(send)
      const next = `new-${ann.email}`
      const change = (password: string) =>
        Effect.map(send("POST", "/me/email", { token: ann.token, json: { email: next, password } }), statusOf)
      assert.strictEqual(yield* change("wrong"), "401 invalid_credentials")
      assert.strictEqual(yield* change(PASSWORD), 202)
      assert.include((yield* inbox.next(ann.email)).text, "change the address")
      const { token } = yield* inbox.next(next)
      assert.strictEqual((yield* send("GET", "/me", { token: ann.token })).body["email"], ann.email)
      yield* asks(send, ann.email)
      const reset = yield* inbox.next(ann.email)
      assert.strictEqual((yield* send("POST", "/email/change", { json: { token } })).status, 204)
      assert.strictEqual((yield* send("GET", "/me", { token: ann.token })).body["email"], next)
      assert.include((yield* inbox.next(ann.email)).text, "leads to it no more")
      // What was sent to the old address leads nowhere.
      assert.strictEqual(yield* confirms(send, reset.token), "403 link_refused")
      assert.strictEqual((yield* login(send, next, PASSWORD, ann.tenant)).status, 200)
      assert.strictEqual((yield* login(send, ann.email, PASSWORD, ann.tenant)).status, 401)
    })
  )

  it.effect("is not changed by a link from before a new password", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const inbox = yield* Inbox
      const ann = yield* newPerson(send)
      const next = `thief-of-${ann.email}`
      yield* send("POST", "/me/email", { token: ann.token, json: { email: next, password: PASSWORD } })
      const { token } = yield* inbox.next(next)
      yield* asks(send, ann.email)
      yield* inbox.next(ann.email)
      const reset = yield* inbox.next(ann.email)
      const changed = { current_password: PASSWORD, new_password: NEXT }
      assert.strictEqual((yield* send("POST", "/me/password", { token: ann.token, json: changed })).status, 200)
      assert.include((yield* inbox.next(ann.email)).subject, "was changed")
      assert.strictEqual((yield* send("POST", "/email/change", { json: { token } })).status, 403)
      assert.strictEqual(yield* confirms(send, reset.token, PASSWORD), "403 link_refused")
      assert.strictEqual((yield* login(send, ann.email, NEXT, ann.tenant)).status, 200)
    })
  )

  it.effect("that another account has is told to who reads its mail, and to nobody else", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const inbox = yield* Inbox
      const ann = yield* newPerson(send)
      const bob = yield* newPerson(send, { of: ann.tenant })
      const asked = yield* send("POST", "/me/email", {
        token: bob.token,
        json: { email: ann.email, password: PASSWORD }
      })
      assert.deepStrictEqual([asked.status, asked.body], [202, {}])
      const { token } = yield* inbox.next(ann.email)
      const change = Effect.map(send("POST", "/email/change", { json: { token } }), statusOf)
      assert.strictEqual(yield* change, "409 email_taken")
      assert.strictEqual((yield* send("GET", "/me", { token: bob.token })).body["email"], bob.email)
    })
  )

  it.effect("is not changed with an API key", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const ann = yield* newPerson(send)
      const key = yield* send("POST", "/keys", {
        token: ann.token,
        json: { name: "k", scopes: ["chat", "keys:write"] }
      })
      const token = String(key.body["key"])
      for (const path of ["/me/email/verify", "/me/email"])
        assert.strictEqual(
          (yield* send("POST", path, { token, json: { email: "x@y.test", password: PASSWORD } })).status,
          403
        )
    })
  )
})

layer(withInbox(), { timeout: "120 seconds" })("the log", (it) => {
  it.effect("has no token, no address and no text of a mail", () =>
    Effect.gen(function* () {
      const { process, send } = yield* Running
      const inbox = yield* Inbox
      const ann = yield* newPerson(send, { email: "very.secret@mail.test" })
      yield* asks(send, ann.email)
      const { token } = yield* inbox.next(ann.email)
      yield* confirms(send, token)
      yield* confirms(send, token)
      yield* inbox.next(ann.email)
      const { stderr, stdout } = process.output()
      assert.notMatch(stdout + stderr, /very\.secret|ot_[0-9A-Za-z]{8}|Choose a new/u)
      const rows = yield* query(
        "select to_jsonb(m) as mail, (select jsonb_agg(t) from app.one_time_tokens t) as tokens from app.mails m"
      )
      assert.notInclude(JSON.stringify(rows), token)
      const events = yield* query("select action from app.audit_events where target_id = $1 order by at", [ann.id])
      assert.includeMembers(
        events.map(({ action }) => action),
        ["password.reset_asked", "password.reset"]
      )
    })
  )
})

layer(withInbox({ REQUIRE_VERIFIED_EMAIL: "true" }), { timeout: "120 seconds" })(
  "where addresses must be verified",
  (it) => {
    it.effect("a login waits for the link that registration sends, and only the right password is told so", () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const inbox = yield* Inbox
        const ann = yield* newPerson(send)
        const tries = (password: string) => Effect.map(login(send, ann.email, password, ann.tenant), statusOf)
        const lost = yield* inbox.next(ann.email)
        assert.strictEqual(yield* tries(PASSWORD), "403 email_unverified")
        assert.strictEqual(yield* tries("wrong"), "401 invalid_credentials")
        const again = yield* send("POST", "/email/verification", { json: { email: ann.email } })
        assert.strictEqual(again.status, 202)
        const { token } = yield* inbox.next(ann.email)
        const verify = (token: string) =>
          Effect.map(send("POST", "/email/verify", { json: { token, password: PASSWORD } }), statusOf)
        assert.strictEqual(yield* verify(lost.token), "403 link_refused")
        assert.strictEqual(yield* verify(token), 204)
        assert.strictEqual(yield* tries(PASSWORD), 200)
      })
    )
  }
)
