import * as Databases from "@llm-saas/database/backup/Databases"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { type Person, signUp } from "./People.ts"
import { type Answer, Running, running, type Send } from "./Running.ts"
import { codeAt, wrongCode } from "./Totp.ts"

// Second factors as their users know them: on a running server, by its API.

const PASSWORD = "password123"
const VARIABLES = {
  TENANTS_PER_ADDRESS: "100000",
  REGISTRATIONS_PER_ADDRESS: "100000",
  LOGIN_FAILURES_PER_ADDRESS: "100000",
  LOG_LEVEL: "debug"
}

const says = ({ body, status }: Answer) => [status, body["code"]]
const text = (value: unknown) => (typeof value === "string" ? value : assert.fail(`no text: ${String(value)}`))
const texts = (value: unknown) => (Array.isArray(value) ? value.map(text) : assert.fail(`no list: ${String(value)}`))

const query = Effect.fnUntraced(function* (sql: string) {
  const { adminUrl } = yield* TestDatabase
  return (yield* Databases.execute(adminUrl, sql)).rows
})

const proof = (send: Send, { token }: Person, given: object) =>
  Effect.map(send("POST", "/me/proof", { token, json: given }), ({ body }) => ({ proof: text(body["proof"]) }))

/** A person with one-time codes, of which none is used up, and their login. */
const protect = Effect.fnUntraced(function* (send: Send, person: Person) {
  const headers = yield* proof(send, person, { password: PASSWORD })
  const begun = yield* send("POST", "/me/factors/totp", { token: person.token, headers, json: { name: "phone" } })
  assert.strictEqual(begun.status, 201, JSON.stringify(begun.body))
  const secret = text(begun.body["secret"])
  const confirmed = yield* send("POST", "/me/factors/totp/confirm", {
    token: person.token,
    json: { code: codeAt(secret) }
  })
  assert.strictEqual(confirmed.status, 200, JSON.stringify(confirmed.body))
  yield* query(`update app.totp_secrets set last_step = 0 where user_id = '${person.id}'`)
  const email = text((yield* send("GET", "/me", { token: person.token })).body["email"])
  const login = (more: object = {}) =>
    send("POST", "/login", { json: { username: email, password: PASSWORD, tenant_id: person.tenant, ...more } })
  const challenged = Effect.map(login(), ({ body }) => text(body["challenge"]))
  const factor = text(begun.body["id"])
  return { ...person, email, secret, factor, codes: texts(confirmed.body["recovery_codes"]), login, challenged }
})

const protectedOne = (send: Send) => Effect.flatMap(signUp(send), (person) => protect(send, person))

const second = (send: Send, challenge: string, given: object) =>
  send("POST", "/login/second-factor", { json: { challenge, ...given } })

/** The recorded logins of a user, oldest first. */
const logins = (user: string) =>
  Effect.map(
    query(
      `select action, detail ->> 'second_factor' as by from app.audit_events
       where target_id = '${user}' and action like 'login.%' order by id`
    ),
    (rows) => rows.map(({ action, by }) => [action, by].filter((each) => each !== null).join(" "))
  )

layer(Running.with(VARIABLES), { timeout: 60_000 })("a second factor", (it) => {
  it.effect("is asked for by the next login, which a code ends with the answer that was asked for", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* protectedOne(send)
      const first = yield* person.login({ session: true })
      assert.deepStrictEqual(says(first), [401, "second_factor_required"])
      assert.deepStrictEqual(first.body["methods"], ["totp", "recovery_code"])
      assert.strictEqual(first.body["expires_in"], 300)
      assert.notProperty(first.body, "access_token")

      const done = yield* second(send, text(first.body["challenge"]), { code: codeAt(person.secret) })
      assert.strictEqual(done.status, 200)
      assert.match(text(done.body["refresh_token"]), /^rt_/u)
      assert.notProperty(done.body, "recovery_codes")
      const me = yield* send("GET", "/me", { token: text(done.body["access_token"]) })
      assert.strictEqual(me.body["id"], person.id)
      assert.deepStrictEqual(yield* logins(person.id), ["login.succeeded", "login.challenged", "login.succeeded totp"])
    })
  )

  it.effect("takes each code once, with another challenge too", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* protectedOne(send)
      const [one, other] = [yield* person.challenged, yield* person.challenged]
      const code = codeAt(person.secret)
      assert.strictEqual((yield* second(send, one, { code })).status, 200)
      assert.deepStrictEqual(says(yield* second(send, other, { code })), [401, "invalid_second_factor"])
      // Nor that of an earlier step.
      const earlier = codeAt(person.secret, -1)
      assert.deepStrictEqual(says(yield* second(send, other, { code: earlier })), [401, "invalid_second_factor"])
      assert.strictEqual((yield* second(send, other, { code: codeAt(person.secret, 1) })).status, 200)
    })
  )

  it.effect("answers a challenge once, whoever answers at the same moment, in two processes", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const other = yield* running(VARIABLES)
      const person = yield* protectedOne(send)
      const challenge = yield* person.challenged
      const [code, next] = [codeAt(person.secret), codeAt(person.secret, 1)]
      const given = [{ code }, { code: next }, { recovery_code: text(person.codes[0]) }]
      const answers = yield* Effect.forEach(
        [...given, ...given],
        (each, at) => second(at < given.length ? send : other.send, challenge, each),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(answers.filter(({ status }) => status === 200).length, 1, JSON.stringify(answers.map(says)))
    }).pipe(Effect.scoped)
  )

  it.effect("gives a challenge five tries", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* protectedOne(send)
      const challenge = yield* person.challenged
      for (let tried = 0; tried < 5; tried++)
        assert.deepStrictEqual(says(yield* second(send, challenge, { code: wrongCode(person.secret) })), [
          401,
          "invalid_second_factor"
        ])
      const right = { code: codeAt(person.secret) }
      assert.deepStrictEqual(says(yield* second(send, challenge, right)), [401, "challenge_ended"])
      assert.strictEqual((yield* second(send, yield* person.challenged, right)).status, 200)
    })
  )

  it.effect(
    "lets an account guess ten codes with any number of challenges, all at once, and says how long to wait",
    () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const person = yield* protectedOne(send)
        const challenges = yield* Effect.forEach([1, 2, 3], () => person.challenged)
        const wrong = { code: wrongCode(person.secret) }
        const answers = yield* Effect.forEach(
          challenges.flatMap((challenge) => [1, 2, 3, 4, 5].map(() => challenge)),
          (challenge) => second(send, challenge, wrong),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(answers.filter(({ status }) => status === 401).length, 10)
        const waiting = answers.filter(({ status }) => status === 429)
        assert.strictEqual(waiting.length, 5)
        assert.isTrue(Number(waiting[0]?.body["retry_after"]) <= 90)
        // The right code waits too: else an answer would tell that a guess was right.
        const challenge = yield* person.challenged
        assert.strictEqual((yield* second(send, challenge, { code: codeAt(person.secret) })).status, 429)
        // A recovery code, which cannot be guessed, does not.
        assert.strictEqual((yield* second(send, challenge, { recovery_code: text(person.codes[0]) })).status, 200)
      })
  )

  it.effect("takes no code after a hundred wrong ones in a row, until another factor was right", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* protectedOne(send)
      yield* query(`update app.totp_secrets set failures = 99 where user_id = '${person.id}'`)
      const challenge = yield* person.challenged
      assert.strictEqual((yield* second(send, challenge, { code: wrongCode(person.secret) })).status, 401)
      const code = codeAt(person.secret)
      assert.deepStrictEqual(says(yield* second(send, challenge, { code })), [401, "invalid_second_factor"])
      const locked = yield* query(
        `select from app.audit_events where target_id = '${person.id}' and action = 'factor.locked'`
      )
      assert.strictEqual(locked.length, 1)
      assert.strictEqual((yield* second(send, challenge, { recovery_code: text(person.codes[0]) })).status, 200)
      assert.strictEqual(
        (yield* second(send, yield* person.challenged, { code: codeAt(person.secret, 1) })).status,
        200
      )
    })
  )

  it.effect("is replaced by a recovery code, once, however it is typed", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* protectedOne(send)
      assert.strictEqual(new Set(person.codes).size, 10)
      const typed = { recovery_code: text(person.codes[3]).toUpperCase().replaceAll("-", " ") }
      assert.strictEqual((yield* second(send, yield* person.challenged, typed)).status, 200)
      const again = yield* second(send, yield* person.challenged, typed)
      assert.deepStrictEqual(says(again), [401, "invalid_second_factor"])
      const factors = yield* send("GET", "/me/factors", { token: person.token })
      assert.strictEqual(factors.body["recovery_codes_left"], 9)
    })
  )

  it.effect("is of one account: nothing of another's answers its challenge", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const [one, other] = [yield* protectedOne(send), yield* protectedOne(send)]
      const challenge = yield* one.challenged
      for (const given of [{ code: codeAt(other.secret) }, { recovery_code: text(other.codes[0]) }])
        assert.deepStrictEqual(says(yield* second(send, challenge, given)), [401, "invalid_second_factor"])
      for (const bad of [
        "",
        "lc_",
        `${challenge}A`,
        challenge.slice(0, -1),
        challenge.replace("lc_", "pf_"),
        one.token
      ])
        assert.deepStrictEqual(
          says(yield* second(send, bad, { code: codeAt(one.secret) })),
          [401, "challenge_ended"],
          bad
        )
      const stolen = yield* proof(send, other, { code: codeAt(other.secret, 1) })
      assert.deepStrictEqual(
        says(yield* send("DELETE", `/me/factors/${one.factor}`, { token: one.token, headers: stolen })),
        [403, "proof_required"]
      )
    })
  )

  it.effect("ends a challenge that is too old, and one whose account changed", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* protect(send, yield* signUp(send, (yield* signUp(send)).tenant))
      const late = yield* person.challenged
      yield* query(`update app.login_challenges set ends_at = now() where user_id = '${person.id}'`)
      const code = codeAt(person.secret)
      assert.deepStrictEqual(says(yield* second(send, late, { code })), [401, "challenge_ended"])
      const open = yield* person.challenged
      yield* query(`update app.users set token_epoch = token_epoch + 1 where id = '${person.id}'`)
      assert.deepStrictEqual(says(yield* second(send, open, { code })), [401, "challenge_ended"])
      const disabled = yield* person.challenged
      yield* query(`update app.users set status = 'disabled' where id = '${person.id}'`)
      assert.deepStrictEqual(says(yield* second(send, disabled, { code })), [401, "challenge_ended"])
    })
  )

  it.effect("is changed with a proof only: an access token alone changes nothing", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const plain = yield* signUp(send)
      const begin = (headers?: Record<string, string>) =>
        send("POST", "/me/factors/totp", {
          token: plain.token,
          json: {},
          ...(headers === undefined ? {} : { headers })
        })
      const refused = yield* begin()
      assert.deepStrictEqual(says(refused), [403, "proof_required"])
      assert.deepStrictEqual(refused.body["methods"], ["password"])
      assert.deepStrictEqual(says(yield* begin({ proof: "pf_made-up" })), [403, "proof_required"])

      // From the first factor on a password is no proof any more.
      const byPassword = yield* proof(send, plain, { password: PASSWORD })
      const person = yield* protect(send, plain)
      const { token } = person
      const path = `/me/factors/${person.factor}`
      const now = yield* send("DELETE", path, { token, headers: byPassword })
      assert.deepStrictEqual(says(now), [403, "proof_required"])
      assert.deepStrictEqual(now.body["methods"], ["totp", "recovery_code"])
      const move = { email: "elsewhere@acme.test", password: PASSWORD }
      assert.deepStrictEqual(says(yield* send("POST", "/me/email", { token, json: move })), [403, "proof_required"])
      const change = { current_password: PASSWORD, new_password: "another password, long" }
      assert.deepStrictEqual(says(yield* send("POST", "/me/password", { token, json: change })), [
        403,
        "proof_required"
      ])
      assert.deepStrictEqual(says(yield* send("POST", "/me/factors/recovery-codes", { token })), [
        403,
        "proof_required"
      ])

      const headers = yield* proof(send, person, { code: codeAt(person.secret) })
      const made = yield* send("POST", "/me/factors/recovery-codes", { token, headers })
      assert.strictEqual(texts(made.body["recovery_codes"]).length, 10)
      const old = { recovery_code: text(person.codes[0]) }
      assert.deepStrictEqual(says(yield* send("POST", "/me/proof", { token, json: old })), [
        401,
        "invalid_second_factor"
      ])

      // The proof ends with the password that it was made under.
      const changed = yield* send("POST", "/me/password", { token, headers, json: change })
      assert.strictEqual(changed.status, 200)
      const after = text(changed.body["access_token"])
      assert.deepStrictEqual(says(yield* send("DELETE", path, { token: after, headers })), [403, "proof_required"])
    })
  )

  it.effect("can be removed and replaced, and recovery codes go with the last", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const person = yield* protectedOne(send)
      const { token } = person
      const headers = yield* proof(send, person, { code: codeAt(person.secret) })
      // New codes replace the old ones when they are confirmed, and not before.
      const begun = yield* send("POST", "/me/factors/totp", { token, headers, json: { name: "new phone" } })
      const next = text(begun.body["secret"])
      const factors = send("GET", "/me/factors", { token })
      const names = ({ body }: Answer) => (Array.isArray(body["data"]) ? body["data"].map(({ name }) => name) : [])
      assert.deepStrictEqual(names(yield* factors), ["phone"])
      const confirmed = yield* send("POST", "/me/factors/totp/confirm", { token, json: { code: codeAt(next) } })
      assert.strictEqual(confirmed.status, 200)
      assert.isNull(confirmed.body["recovery_codes"])
      assert.deepStrictEqual(names(yield* factors), ["new phone"])
      const challenge = yield* person.challenged
      assert.strictEqual((yield* second(send, challenge, { code: codeAt(person.secret, 1) })).status, 401)
      assert.strictEqual((yield* second(send, challenge, { code: codeAt(next, 1) })).status, 200)

      const gone = `/me/factors/${text(begun.body["id"])}`
      assert.deepStrictEqual(says(yield* send("DELETE", `/me/factors/${randomUUID()}`, { token, headers })), [
        404,
        "factor_not_found"
      ])
      assert.strictEqual((yield* send("DELETE", gone, { token, headers })).status, 204)
      assert.strictEqual((yield* factors).body["recovery_codes_left"], 0)
      assert.strictEqual((yield* person.login()).status, 200)
      const told = yield* query(
        `select template, address from app.mails where tenant_id = '${person.tenant}' and template like 'second_factor%' order by id`
      )
      assert.deepStrictEqual(
        told.map(({ address, template }) => [template, address]),
        ["second_factor_added", "second_factor_added", "second_factor_removed"].map((each) => [each, person.email])
      )
    })
  )

  it.effect("shows no secret again, in no log, and stores none in plain", () =>
    Effect.gen(function* () {
      const { process, send } = yield* Running
      const person = yield* protectedOne(send)
      const challenge = yield* person.challenged
      const { proof: proven } = yield* proof(send, person, { code: codeAt(person.secret) })
      yield* second(send, challenge, { recovery_code: text(person.codes[0]) })
      const { stderr, stdout } = process.output()
      const output = stdout + stderr
      for (const secret of [person.secret, challenge, proven, ...person.codes])
        assert.isFalse(output.includes(secret), "a secret is in the log")
      const rows = yield* query(
        `select to_jsonb(s)::text || encode(sealed, 'escape') as row from app.totp_secrets s where user_id = '${person.id}'
         union all select to_jsonb(e)::text from app.audit_events e where tenant_id = '${person.tenant}'
         union all select to_jsonb(r)::text from app.recovery_codes r where user_id = '${person.id}'`
      )
      for (const { row } of rows)
        for (const secret of [person.secret, ...person.codes.map((code) => code.replaceAll("-", ""))])
          assert.isFalse(String(row).includes(secret))
    })
  )
})

layer(Running.with(VARIABLES), { timeout: 60_000 })("a tenant's login policy", (it) => {
  const office = Effect.fnUntraced(function* (send: Send) {
    const admin = yield* signUp(send)
    const member = yield* signUp(send, admin.tenant)
    const email = text((yield* send("GET", "/me", { token: member.token })).body["email"])
    const login = send("POST", "/login", { json: { username: email, password: PASSWORD, tenant_id: member.tenant } })
    const put = (policy: object, headers: Record<string, string> = {}) =>
      send("PUT", `/tenants/${admin.tenant}/login-policy`, {
        token: admin.token,
        headers,
        json: { second_factor: "everybody", second_factor_after_sso: false, tenant_switch: true, ...policy }
      })
    return { admin, member, login, put }
  })

  it.effect("leads those who have no second factor to one, with their next login", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { login, member, put } = yield* office(send)
      assert.strictEqual((yield* put({ second_factor: "admins" })).status, 200)
      assert.strictEqual((yield* login).status, 200)
      assert.strictEqual((yield* put({})).status, 200)
      // Tokens that are there work on.
      assert.strictEqual((yield* send("GET", "/me", { token: member.token })).status, 200)

      const first = yield* login
      assert.deepStrictEqual(says(first), [401, "second_factor_required"])
      assert.deepStrictEqual(first.body["methods"], [])
      const challenge = text(first.body["challenge"])
      const early = yield* second(send, challenge, { code: "123456" })
      assert.deepStrictEqual(says(early), [401, "invalid_second_factor"])
      const begun = yield* send("POST", "/login/second-factor/totp", { json: { challenge } })
      assert.strictEqual(begun.status, 201)
      const secret = text(begun.body["secret"])
      const done = yield* second(send, challenge, { code: codeAt(secret) })
      assert.strictEqual(done.status, 200)
      assert.strictEqual(texts(done.body["recovery_codes"]).length, 10)
      const token = text(done.body["access_token"])
      const factors = yield* send("GET", "/me/factors", { token })
      assert.isTrue(factors.body["required"])

      // An older challenge cannot set up another one now.
      assert.deepStrictEqual(says(yield* send("POST", "/login/second-factor/totp", { json: { challenge } })), [
        401,
        "challenge_ended"
      ])
      // And the last one stays.
      const [factor] = Array.isArray(factors.body["data"]) ? factors.body["data"] : []
      const headers = yield* proof(send, { ...member, token }, { code: codeAt(secret, 1) })
      const removed = yield* send("DELETE", `/me/factors/${text(factor?.id)}`, { token, headers })
      assert.deepStrictEqual(says(removed), [409, "factor_required"])
    })
  )

  it.effect("of two challenges that set up a first factor, one does: what it set up stays", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { login, put } = yield* office(send)
      yield* put({})
      const [one, other] = [text((yield* login).body["challenge"]), text((yield* login).body["challenge"])]
      const enrol = (challenge: string) => send("POST", "/login/second-factor/totp", { json: { challenge } })
      yield* enrol(one)
      const secret = text((yield* enrol(other)).body["secret"])
      const answers = yield* Effect.forEach(
        [one, other],
        (challenge, at) => second(send, challenge, { code: codeAt(secret, at) }),
        { concurrency: "unbounded" }
      )
      assert.sameMembers(
        answers.map(({ status }) => status),
        [200, 401]
      )
      assert.strictEqual((yield* second(send, one, { code: codeAt(secret, 1) })).status, 401)
    })
  )

  it.effect("is the admins' to change, with their second factor if they have one, and no other tenant's", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { admin, member, put } = yield* office(send)
      const stranger = yield* signUp(send)
      const path = `/tenants/${admin.tenant}/login-policy`
      const read = (token: string) => send("GET", path, { token })
      assert.deepStrictEqual((yield* read(admin.token)).body, {
        second_factor: "optional",
        second_factor_after_sso: false,
        tenant_switch: true,
        link_by_email: false
      })
      assert.deepStrictEqual(says(yield* read(member.token)), [403, "forbidden"])
      assert.deepStrictEqual(says(yield* read(stranger.token)), [404, "tenant_not_found"])
      const json = { second_factor: "optional", second_factor_after_sso: true, tenant_switch: false }
      assert.deepStrictEqual(says(yield* send("PUT", path, { token: stranger.token, json })), [404, "tenant_not_found"])
      assert.deepStrictEqual(says(yield* send("PUT", path, { token: member.token, json })), [403, "forbidden"])
      const safe = yield* protect(send, admin)
      assert.deepStrictEqual(says(yield* put(json)), [403, "proof_required"])
      const headers = yield* proof(send, safe, { code: codeAt(safe.secret) })
      assert.deepStrictEqual((yield* put(json, headers)).body, { ...json, link_by_email: false })
    })
  )

  it.effect("lets an admin take a lost factor away, of their own tenant's users alone", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { admin, member } = yield* office(send)
      const lost = yield* protect(send, member)
      const stranger = yield* signUp(send)
      const path = (tenant: string) => `/tenants/${tenant}/users/${lost.id}/factors`
      const one = (tenant: string) => `${path(tenant)}/${lost.factor}`
      const listed = yield* send("GET", path(admin.tenant), { token: admin.token })
      assert.deepStrictEqual(
        Array.isArray(listed.body["data"]) && listed.body["data"].map(({ id, kind }) => [id, kind]),
        [[lost.factor, "totp"]]
      )
      assert.deepStrictEqual((yield* send("GET", path(stranger.tenant), { token: stranger.token })).body["data"], [])
      const theirs = yield* proof(send, stranger, { password: PASSWORD })
      for (const [tenant, code] of [
        [stranger.tenant, "factor_not_found"],
        [admin.tenant, "tenant_not_found"]
      ] as const)
        assert.deepStrictEqual(says(yield* send("DELETE", one(tenant), { token: stranger.token, headers: theirs })), [
          404,
          code
        ])
      assert.deepStrictEqual(says(yield* send("DELETE", one(admin.tenant), { token: lost.token })), [403, "forbidden"])
      assert.deepStrictEqual(says(yield* send("DELETE", one(admin.tenant), { token: admin.token })), [
        403,
        "proof_required"
      ])
      const headers = yield* proof(send, admin, { password: PASSWORD })
      assert.strictEqual((yield* send("DELETE", one(admin.tenant), { token: admin.token, headers })).status, 204)
      assert.strictEqual((yield* lost.login()).status, 200)
      const events = yield* query(
        `select actor_user_id from app.audit_events where action = 'factor.removed' and target_id = '${lost.id}'`
      )
      assert.deepStrictEqual(events, [{ actor_user_id: admin.id }])
    })
  )
})
