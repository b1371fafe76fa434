import { assert, layer } from "@effect/vitest"
import * as Databases from "@llm-saas/database/backup/Databases"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect } from "effect"
import { linkTo } from "./Links.ts"
import { type Person, signUp } from "./People.ts"
import { type Answer, Running, running, type Send } from "./Running.ts"

const PASSWORD = "correct horse battery"
let people = 0
const email = () => `invited${++people}@acme.test`

const invite = (send: Send, { tenant, token }: Person, address: string, role = "user") =>
  send("POST", `/tenants/${tenant}/invitations`, { token, json: { email: address, role } })
const look = (send: Send, token: string) => send("POST", "/invitations/look", { json: { token } })
const accept = (send: Send, token: string, more: object = {}) =>
  send("POST", "/invitations/accept", { json: { token, password: PASSWORD, ...more } })
const said = ({ body, status }: Answer) => [status, body["code"]]
const REFUSED = [403, "invitation_refused"]

const execute = Effect.fnUntraced(function* (sql: string) {
  const { adminUrl } = yield* TestDatabase
  return (yield* Databases.execute(adminUrl, sql)).rows
})

/** A tenant whose registration is closed, by its admin. */
const closed = Effect.fnUntraced(function* (send: Send) {
  const admin = yield* signUp(send)
  yield* send("PATCH", `/tenants/${admin.tenant}`, { token: admin.token, json: { registration: "closed" } })
  return admin
})

layer(Running.layer, { timeout: "120 seconds" })("an invitation", (it) => {
  it.effect("makes an account of its role and logs it in, though registration is closed", () =>
    Effect.gen(function* () {
      const { process, send } = yield* Running
      const admin = yield* closed(send)
      const address = email()
      const made = yield* invite(send, admin, address, "admin")
      assert.strictEqual(made.status, 201)
      assert.deepInclude(made.body, {
        email: address,
        role: "admin",
        status: "pending",
        invited_by: admin.id,
        user_id: null
      })
      const token = yield* linkTo(address)
      const offer = yield* look(send, token)
      assert.deepInclude(offer.body, {
        tenant_id: admin.tenant,
        tenant_name: "Acme Corp",
        email: address,
        role: "admin"
      })
      const accepted = yield* accept(send, token)
      assert.strictEqual(accepted.status, 201)
      assert.deepInclude(accepted.body, { token_type: "bearer", expires_in: 3600 })
      const me = yield* send("GET", "/me", { token: String(accepted.body["access_token"]) })
      assert.deepInclude(me.body, { email: address, role: "admin", tenant_id: admin.tenant })
      const login = yield* send("POST", "/login", { json: { username: address, password: PASSWORD } })
      assert.strictEqual(login.status, 200)
      const list = yield* send("GET", `/tenants/${admin.tenant}/invitations`, { token: admin.token })
      assert.deepStrictEqual(list.body, {
        data: [{ ...made.body, status: "accepted", user_id: me.body["id"] }],
        next_cursor: null
      })
      assert.notInclude(process.output().stdout + process.output().stderr, token)
    })
  )

  it.effect("is for admins of its own tenant", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const [admin, stranger] = [yield* signUp(send), yield* signUp(send)]
      const user = yield* signUp(send, admin.tenant)
      const id = String((yield* invite(send, admin, email())).body["id"])
      const tries = (tenant: string, token: string) =>
        Effect.forEach(
          [
            ["POST", "", { email: email() }],
            ["GET", "", undefined],
            ["POST", `/${id}/resend`, undefined],
            ["DELETE", `/${id}`, undefined]
          ] as const,
          ([method, path, json]) => send(method, `/tenants/${tenant}/invitations${path}`, { token, json })
        )
      for (const answer of yield* tries(admin.tenant, user.token))
        assert.deepStrictEqual(said(answer), [403, "forbidden"])
      for (const answer of yield* tries(admin.tenant, stranger.token))
        assert.deepStrictEqual(said(answer), [404, "tenant_not_found"])
      const [made, list, ...named] = yield* tries(stranger.tenant, stranger.token)
      assert.deepStrictEqual([made?.status, list?.status], [201, 200])
      for (const answer of named) assert.deepStrictEqual(said(answer), [404, "invitation_not_found"])
    })
  )

  it.effect("of an address that has an account is refused, to the admin and to who reads the address's mail", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const admin = yield* signUp(send)
      const address = email()
      yield* invite(send, admin, address)
      const token = yield* linkTo(address)
      const json = { email: address, password: PASSWORD, tenant_id: admin.tenant }
      assert.strictEqual((yield* send("POST", "/register", { json })).status, 201)
      assert.deepStrictEqual(said(yield* invite(send, admin, address)), [409, "email_taken"])
      assert.deepStrictEqual(said(yield* accept(send, token)), [409, "email_taken"])
    })
  )

  it.effect("sent again has a new link, and the earlier one ends; revoked it has none", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const admin = yield* signUp(send)
      const address = email()
      const first = yield* invite(send, admin, address)
      const links = [yield* linkTo(address)]
      const again = yield* invite(send, admin, address, "admin")
      assert.deepStrictEqual([again.status, again.body["id"], again.body["role"]], [201, first.body["id"], "admin"])
      links.push(yield* linkTo(address))
      const path = `/tenants/${admin.tenant}/invitations/${String(first.body["id"])}`
      assert.strictEqual((yield* send("POST", `${path}/resend`, { token: admin.token })).status, 200)
      links.push(yield* linkTo(address))
      const looks = yield* Effect.forEach(links, (link) => look(send, link))
      assert.deepStrictEqual(
        looks.map(({ status }) => status),
        [403, 403, 200]
      )
      assert.strictEqual(looks[2]?.body["role"], "admin")
      assert.strictEqual((yield* send("DELETE", path, { token: admin.token })).status, 204)
      assert.deepStrictEqual(said(yield* accept(send, links[2] ?? "")), REFUSED)
      for (const [method, more] of [
        ["DELETE", ""],
        ["POST", "/resend"]
      ] as const)
        assert.deepStrictEqual(said(yield* send(method, path + more, { token: admin.token })), [
          409,
          "invitation_ended"
        ])
      const anew = yield* invite(send, admin, address)
      assert.notStrictEqual(anew.body["id"], first.body["id"])
      assert.strictEqual((yield* accept(send, yield* linkTo(address))).status, 201)
    })
  )

  it.effect("lapses with its sender, and another admin sends it again", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const admin = yield* signUp(send)
      const other = yield* signUp(send, admin.tenant)
      yield* send("PATCH", `/admin/users/${other.id}`, { token: admin.token, json: { role: "admin" } })
      const address = email()
      const made = yield* invite(send, other, address, "admin")
      const link = yield* linkTo(address)
      yield* send("PATCH", `/admin/users/${other.id}`, { token: admin.token, json: { role: "user" } })
      assert.deepStrictEqual(said(yield* accept(send, link)), REFUSED)
      const path = `/tenants/${admin.tenant}/invitations`
      const listed = yield* send("GET", path, { token: admin.token })
      assert.deepStrictEqual(listed.body["data"], [{ ...made.body, status: "lapsed" }])
      const resent = yield* send("POST", `${path}/${String(made.body["id"])}/resend`, { token: admin.token })
      assert.deepInclude(resent.body, { status: "pending", invited_by: admin.id })
      assert.deepStrictEqual(said(yield* look(send, link)), REFUSED)
      assert.strictEqual((yield* accept(send, yield* linkTo(address))).status, 201)
    })
  )

  it.effect("tells who has no link of it nothing, and the same about each that does not hold", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const admin = yield* signUp(send)
      const address = email()
      yield* invite(send, admin, address)
      const used = yield* linkTo(address)
      yield* accept(send, used)
      const wrong = `ot_${"a".repeat(49)}`
      const answers = yield* Effect.forEach([used, wrong, "x", `${used}x`, used.toLowerCase()], (token) =>
        Effect.all([look(send, token), accept(send, token)])
      )
      const alike = (body: Answer["body"] | undefined) => ({ ...body, request_id: "" })
      for (const { body } of answers.flat()) assert.deepStrictEqual(alike(body), alike(answers[0]?.[0].body))
      assert.deepStrictEqual(said(answers[0]?.[0] ?? assert.fail("no answer")), REFUSED)
    })
  )

  it.effect("with a password that is easy to guess stays as it is", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const admin = yield* signUp(send)
      const address = email()
      yield* invite(send, admin, address)
      const token = yield* linkTo(address)
      for (const password of ["iloveyou1", "Acme Corp", address])
        assert.deepStrictEqual(said(yield* accept(send, token, { password })), [422, "password_refused"])
      assert.strictEqual((yield* accept(send, token)).status, 201)
    })
  )

  it.effect("begins a session where one is wanted; a cookie only for a page of this server", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const admin = yield* signUp(send)
      const [one, other] = [email(), email()]
      for (const address of [one, other]) yield* invite(send, admin, address)
      const session = yield* accept(send, yield* linkTo(one), { session: true })
      const json = { grant_type: "refresh_token", refresh_token: session.body["refresh_token"] }
      assert.strictEqual((yield* send("POST", "/token", { json })).status, 200)
      const token = yield* linkTo(other)
      const wanted = { token, password: PASSWORD, session: "cookie" }
      assert.deepStrictEqual(said(yield* send("POST", "/invitations/accept", { json: wanted })), [403, "csrf_refused"])
      const page = yield* send("POST", "/invitations/accept", {
        json: wanted,
        headers: { "x-csrf": "1", "sec-fetch-site": "same-origin" }
      })
      assert.deepStrictEqual([page.status, page.body["refresh_token"]], [201, undefined])
      assert.match(page.headers.get("set-cookie") ?? "", /^__Host-refresh=/u)
    })
  )

  it.effect("repeated with its Idempotency-Key is the same, with one mail", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const admin = yield* signUp(send)
      const address = email()
      const once = (role: string) =>
        send("POST", `/tenants/${admin.tenant}/invitations`, {
          token: admin.token,
          headers: { "idempotency-key": address },
          json: { email: address, role }
        })
      const [first, again] = [yield* once("user"), yield* once("user")]
      assert.deepStrictEqual(again.body, first.body)
      assert.strictEqual(again.headers.get("idempotency-replayed"), "true")
      assert.strictEqual((yield* once("admin")).status, 422)
      assert.lengthOf(yield* execute(`select from app.mails where address = '${address}'`), 1)
    })
  )
})

layer(Running.with({ INVITATIONS_PER_TENANT: "3", REGISTRATIONS_PER_ADDRESS: "6" }), { timeout: "120 seconds" })(
  "invitations",
  (it) => {
    it.effect("are so many a day of each tenant, by its admins alone, and look-ups so many of an address", () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const [admin, other] = [yield* signUp(send), yield* signUp(send)]
        const user = yield* signUp(send, admin.tenant)
        for (let n = 0; n < 4; n++) assert.strictEqual((yield* invite(send, user, email())).status, 403)
        for (let n = 0; n < 3; n++) assert.strictEqual((yield* invite(send, admin, email())).status, 201)
        const refused = yield* invite(send, admin, email())
        assert.deepStrictEqual(said(refused), [429, "too_many_requests"])
        assert.isAbove(Number(refused.headers.get("retry-after")), 3600)
        assert.strictEqual((yield* invite(send, other, email())).status, 201)
        for (let n = 0; n < 6; n++) assert.deepStrictEqual(said(yield* look(send, "x")), REFUSED)
        assert.strictEqual((yield* look(send, "x")).status, 429)
        assert.strictEqual((yield* accept(send, "x")).status, 429)
      })
    )
  }
)

layer(TestDatabase.layer, { timeout: "120 seconds" })("two processes", (it) => {
  it.effect(
    "asked at once accept an invitation once",
    () =>
      Effect.gen(function* () {
        const [one, two] = yield* Effect.all([running({}), running({})])
        const admin = yield* signUp(one.send)
        const address = email()
        yield* invite(one.send, admin, address)
        const token = yield* linkTo(address)
        const answers = yield* Effect.forEach([one, two, one, two], ({ send }) => accept(send, token), {
          concurrency: "unbounded"
        })
        assert.deepStrictEqual(answers.map(({ status }) => status).sort(), [201, 403, 403, 403])
        assert.lengthOf(yield* execute(`select from app.users where email = '${address}'`), 1)
      }),
    60_000
  )
})
