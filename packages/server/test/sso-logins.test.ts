import * as Databases from "@llm-saas/database/backup/Databases"
import { CLIENT, OidcServer, type Person as Known, serve } from "@llm-saas/testing/OidcServer"
import { createOperatorToken } from "@llm-saas/database/logins/OperatorTokens"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { createHash, randomUUID } from "node:crypto"
import { linkTo } from "./Links.ts"
import { type Person, signUp } from "./People.ts"
import { type Answer, Running, running, type Send } from "./Running.ts"
import { codeAt } from "./Totp.ts"

// People who log in by single sign-on: two processes of the program, and a real provider.

const VARIABLES = {
  PUBLIC_URL: "http://localhost:8000",
  APP_REDIRECT_URIS: '["http://127.0.0.1/done?from=us", "https://app.acme.test/login"]'
}

const Program = Layer.effect(
  Running,
  running({ ...VARIABLES, LOG_LEVEL: "debug", SSO_LOGINS_PER_ADDRESS: "100000", REGISTRATIONS_PER_ADDRESS: "100000" })
).pipe(Layer.provideMerge(Layer.merge(TestDatabase.layer, OidcServer.layer)))

const query = Effect.fnUntraced(function* (sql: string) {
  const { adminUrl } = yield* TestDatabase
  return (yield* Databases.execute(adminUrl, sql)).rows
})

/** A tenant with single sign-on. */
const office = Effect.fnUntraced(function* (more: Readonly<Record<string, unknown>> = {}) {
  const { send } = yield* Running
  const { issuer } = yield* OidcServer
  const admin = yield* signUp(send)
  const slug = `acme-${randomUUID().slice(0, 8)}`
  const domain = `${slug}.com`
  const json = {
    slug,
    issuer,
    client_id: CLIENT.id,
    client_secret: CLIENT.secret,
    domains: [domain],
    jit: true,
    ...more
  }
  const set = (change: object = {}) =>
    send("PUT", `/tenants/${admin.tenant}/sso`, { token: admin.token, json: { ...json, ...change } })
  assert.strictEqual((yield* set()).status, 200)
  const known = yield* OidcServer
  const person = (claims: Known = {}) => {
    const subject = randomUUID()
    known.people.set(subject, { email: `${subject.slice(0, 8)}@${domain}`, email_verified: true, ...claims })
    return subject
  }
  return { admin, slug, domain, set, person }
})

/** A browser at the start of a login: where it is sent, and its cookie. */
const begin = Effect.fnUntraced(function* (send: Send, path: string, headers: Record<string, string> = {}) {
  const answer = yield* send("GET", path, { headers })
  const [cookie = ""] = (answer.headers.get("set-cookie") ?? "").split(";")
  return { answer, location: answer.headers.get("location") ?? "", cookie }
})

/** And back from the provider. */
const arrive = Effect.fnUntraced(function* (path: string, subject: string) {
  const { send } = yield* Running
  const { logIn } = yield* OidcServer
  const { cookie, location } = yield* begin(send, path)
  const { search } = yield* logIn(location, subject)
  return { cookie, search, finish: (as = send) => as("GET", `/sso/callback${search}`, { headers: { cookie } }) }
})

const logIn = (path: string, subject: string) => Effect.flatMap(arrive(path, subject), ({ finish }) => finish())

/** The session of a browser: its access token, by the cookie. */
const tokenOf = Effect.fnUntraced(function* (send: Send, setCookies: ReadonlyArray<string>) {
  const [refresh = ""] = (setCookies.find((each) => each.startsWith("__Host-refresh=")) ?? "").split(";")
  const renewed = yield* send("POST", "/token", {
    json: { grant_type: "refresh_token" },
    headers: { cookie: refresh, "x-csrf": "1", "sec-fetch-site": "same-origin" }
  })
  return { token: String(renewed.body["access_token"]), renewed }
})

const me = (send: Send, token: string) => Effect.map(send("GET", "/me", { token }), ({ body }) => body)

layer(Program)("a login by single sign-on", (it) => {
  it.effect("makes an account for a new person, and leads back to it: a session in a cookie, and a path of ours", () =>
    Effect.gen(function* () {
      const { process, send } = yield* Running
      const { admin, domain, person, slug } = yield* office()
      const subject = person()
      const { answer, cookie, location } = yield* begin(send, `/login/${slug}?return_to=/docs`)
      assert.strictEqual(answer.status, 302)
      const asked = new URL(location).searchParams
      assert.strictEqual(asked.get("code_challenge_method"), "S256")
      assert.strictEqual(asked.get("scope"), "openid email profile")
      const kept = answer.headers.get("set-cookie") ?? ""
      for (const part of ["__Host-sso-", "; Path=/;", "; Secure;", "; HttpOnly;", "SameSite=Lax"])
        assert.include(kept, part)
      for (const secret of ["state", "nonce"]) assert.notInclude(kept, asked.get(secret) ?? "-")

      const { search } = yield* (yield* OidcServer).logIn(location, subject)
      const back = yield* send("GET", `/sso/callback${search}`, { headers: { cookie } })
      assert.deepStrictEqual([back.status, back.headers.get("location")], [303, "/docs"])
      assert.strictEqual(back.headers.get("cache-control"), "no-store")
      const set = back.headers.getSetCookie()
      assert.isTrue(set.some((each) => each.startsWith("__Host-sso-") && each.includes("Max-Age=0")))
      const { token } = yield* tokenOf(send, set)
      const profile = yield* me(send, token)
      assert.deepInclude(profile, { email: `${subject.slice(0, 8)}@${domain}`, role: "user", tenant_id: admin.tenant })
      const sessions = yield* send("GET", "/me/sessions", { token })
      assert.include(JSON.stringify(sessions.body), `"method":"sso"`)
      // The same person again is the same account.
      const again = yield* logIn(`/login/${slug}`, subject)
      const second = yield* tokenOf(send, again.headers.getSetCookie())
      assert.strictEqual((yield* me(send, second.token))["id"], profile["id"])
      const log = JSON.stringify(process.output())
      const code = new URLSearchParams(search).get("code") ?? "-"
      for (const secret of [CLIENT.secret, code, token, asked.get("state") ?? "-"]) assert.notInclude(log, secret)
    })
  )

  it.effect("is finished once, by the browser that began it, and at any process", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const other = yield* running({ ...VARIABLES, LOG_LEVEL: "debug", SSO_LOGINS_PER_ADDRESS: "100000" })
      const { person, slug } = yield* office()
      const code = (answer: { readonly body: Readonly<Record<string, unknown>> }) => answer.body["code"]
      const one = yield* arrive(`/login/${slug}`, person())
      const two = yield* arrive(`/login/${slug}`, person())
      assert.strictEqual(code(yield* send("GET", `/sso/callback${one.search}`)), "sso_expired")
      assert.strictEqual(
        code(yield* send("GET", `/sso/callback${one.search}`, { headers: { cookie: two.cookie } })),
        "sso_expired"
      )
      const forged = one.cookie.slice(0, -4) + (one.cookie.endsWith("AAAA") ? "BBBB" : "AAAA")
      assert.strictEqual(
        code(yield* send("GET", `/sso/callback${one.search}`, { headers: { cookie: forged } })),
        "sso_expired"
      )
      assert.strictEqual((yield* one.finish(other.send)).status, 303)
      assert.strictEqual(code(yield* one.finish()), "sso_expired")
      // Eight at once, at two processes: one of them.
      const statuses = yield* Effect.all(
        Array.from({ length: 8 }, (_, index) => Effect.map(two.finish(index % 2 ? send : other.send), (a) => a.status)),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(statuses.filter((status) => status === 303).length, 1)
      assert.strictEqual(statuses.filter((status) => status === 400).length, 7)
    })
  )

  it.effect("leads to the account with the verified address, of this tenant and no other", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const [one, other] = [yield* office(), yield* office()]
      const email = `carol@${one.domain}`
      const made = yield* send("POST", "/admin/users", {
        token: one.admin.token,
        json: { email, password: "a long and quiet river" }
      })
      yield* send("POST", "/admin/users", {
        token: other.admin.token,
        json: { email, password: "a long and quiet river" }
      })
      const refused = Effect.fnUntraced(function* (office: typeof one, claims: Known) {
        return (yield* logIn(`/login/${office.slug}`, office.person(claims))).body["code"]
      })
      assert.strictEqual(yield* refused(one, { email, email_verified: false }), "sso_refused")
      // The other tenant's provider may say what it wants of addresses that it does not name.
      assert.strictEqual(yield* refused(other, { email, email_verified: true }), "sso_refused")
      const carol = one.person({ email })
      const { token } = yield* tokenOf(send, (yield* logIn(`/login/${one.slug}`, carol)).headers.getSetCookie())
      assert.strictEqual((yield* me(send, token))["id"], made.body["id"])
      // Its owner is told, once.
      yield* logIn(`/login/${one.slug}`, carol)
      assert.deepStrictEqual(
        yield* query(
          `select tenant_id::text as tenant from app.mails where address = '${email}' and template = 'identity_linked'`
        ),
        [{ tenant: one.admin.tenant }]
      )
      // The address is given to a new colleague: the account stays the first one's.
      assert.strictEqual(yield* refused(one, { email }), "sso_refused")
      const events = yield* query(
        `select detail ->> 'reason' as reason from app.audit_events where tenant_id = '${one.admin.tenant}' and action = 'login.failed'
           and target_kind = 'tenant' order by id`
      )
      assert.deepStrictEqual(events, [{ reason: "no_account" }, { reason: "address_taken" }])
    })
  )

  it.effect("of the same subject at another issuer is another person's", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { domain, person, set, slug } = yield* office()
      const whose = Effect.fnUntraced(function* (subject: string) {
        const { token } = yield* tokenOf(send, (yield* logIn(`/login/${slug}`, subject)).headers.getSetCookie())
        return yield* me(send, token)
      })
      const subject = person()
      const first = yield* whose(subject)
      const another = yield* serve
      another.people.set(subject, { email: `mallory@${domain}`, email_verified: true })
      assert.strictEqual((yield* set({ issuer: another.issuer })).status, 200)
      const second = yield* whose(subject)
      assert.strictEqual(second["email"], `mallory@${domain}`)
      assert.notStrictEqual(second["id"], first["id"])
    }).pipe(Effect.scoped)
  )

  it.effect("takes an account whose address nobody had proven from whoever registered it", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { admin, domain, person, slug } = yield* office()
      const credentials = { email: `vera@${domain}`, password: "a long and quiet river" }
      const logs = { username: credentials.email, password: credentials.password, tenant_id: admin.tenant }
      yield* send("POST", "/register", { json: { ...credentials, tenant_id: admin.tenant } })
      const early = (yield* send("POST", "/login", { json: { ...logs, session: true } })).body
      const token = String(early["access_token"])
      const key = (yield* send("POST", "/keys", { token, json: { name: "k", scopes: ["messages:read"] } })).body["key"]
      const change = { email: `eve@${domain}`, password: credentials.password }
      assert.strictEqual((yield* send("POST", "/me/email", { token, json: change })).status, 202)

      const vera = person({ email: credentials.email })
      const answer = yield* logIn(`/login/${slug}`, vera)
      const own = yield* tokenOf(send, answer.headers.getSetCookie())
      assert.strictEqual((yield* me(send, own.token))["email"], credentials.email)
      assert.strictEqual((yield* send("POST", "/login", { json: logs })).body["code"], "invalid_credentials")
      for (const old of [token, String(key)])
        assert.strictEqual((yield* send("GET", "/me", { token: old })).status, 401)
      const json = { grant_type: "refresh_token", refresh_token: early["refresh_token"] }
      assert.strictEqual((yield* send("POST", "/token", { json })).body["error"], "invalid_grant")
      const links = `select from app.one_time_tokens where tenant_id = '${admin.tenant}' and voided_at is null and used_at is null`
      assert.deepStrictEqual(yield* query(links), [])
      // From now on it is proven, and a key of it stays.
      const made = yield* send("POST", "/keys", { token: own.token, json: { name: "k", scopes: ["messages:read"] } })
      yield* logIn(`/login/${slug}`, vera)
      assert.strictEqual((yield* send("GET", "/me", { token: String(made.body["key"]) })).status, 200)
    })
  )

  it.effect("of a disabled or unknown person, or of a suspended tenant, leads to nothing", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { admin, person, set, slug } = yield* office()
      const subject = person()
      const { token } = yield* tokenOf(send, (yield* logIn(`/login/${slug}`, subject)).headers.getSetCookie())
      const { id } = yield* me(send, token)
      yield* send("PATCH", `/admin/users/${String(id)}`, { token: admin.token, json: { status: "disabled" } })
      assert.strictEqual((yield* logIn(`/login/${slug}`, subject)).body["code"], "sso_refused")
      yield* set({ jit: false })
      assert.strictEqual((yield* logIn(`/login/${slug}`, person())).body["code"], "sso_refused")
      const late = yield* arrive(`/login/${slug}`, subject)
      yield* set({ enabled: false })
      assert.strictEqual((yield* late.finish()).body["code"], "sso_expired")
      assert.strictEqual((yield* send("GET", `/login/${slug}`)).body["code"], "sso_not_found")
      yield* set()
      yield* query(`update app.tenants set status = 'suspended' where id = '${admin.tenant}'`)
      assert.strictEqual((yield* send("GET", `/login/${slug}`)).body["code"], "sso_not_found")
    })
  )

  it.effect("gives the role of the claim each time, and never takes the last admin away", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { people } = yield* OidcServer
      const { admin, domain, person, slug } = yield* office({ role_claim: "groups", admin_values: ["boss"] })
      const role = Effect.fnUntraced(function* (subject: string) {
        const { token } = yield* tokenOf(send, (yield* logIn(`/login/${slug}`, subject)).headers.getSetCookie())
        return (yield* me(send, token))["role"]
      })
      const subject = person({ groups: ["staff", "boss"] })
      assert.strictEqual(yield* role(subject), "admin")
      people.set(subject, { ...people.get(subject), groups: "staff" })
      assert.strictEqual(yield* role(subject), "user")
      people.set(subject, { ...people.get(subject), groups: ["boss"] })
      assert.strictEqual(yield* role(subject), "admin")
      yield* query(`update app.users set role = 'user' where id = '${admin.id}'`)
      people.set(subject, { email: `x@${domain}`, email_verified: true })
      assert.strictEqual(yield* role(subject), "admin")
    })
  )

  it.effect("of an app ends in a code for its session, which works once, with the app's verifier", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { person, slug } = yield* office()
      const verifier = "v".repeat(64)
      const challenge = createHash("sha256").update(verifier).digest("base64url")
      const app = "http://127.0.0.1:51234/done?from=us"
      const path = (uri: string) =>
        `/login/${slug}?redirect_uri=${encodeURIComponent(uri)}&code_challenge=${challenge}&code_challenge_method=S256&state=mine`
      const codeOf = Effect.fnUntraced(function* (uri: string) {
        const { headers } = yield* logIn(path(uri), person())
        assert.isFalse(headers.getSetCookie().some((each) => each.startsWith("__Host-refresh")))
        const url = new URL(headers.get("location") ?? "")
        assert.strictEqual(url.searchParams.get("state"), "mine")
        return { code: url.searchParams.get("code") ?? "", url }
      })
      const exchange = (code: string, code_verifier: string) =>
        send("POST", "/token", { form: { grant_type: "authorization_code", code, code_verifier } })
      const { code, url } = yield* codeOf(app)
      assert.strictEqual(url.searchParams.get("from"), "us")
      const answer = yield* exchange(code, verifier)
      assert.strictEqual(answer.status, 200)
      const { access_token, refresh_token } = answer.body
      assert.isString(refresh_token)
      // Without the verifier a second use says nothing. With it two have the code, and its session ends.
      assert.strictEqual((yield* exchange(code, "w".repeat(64))).body["error"], "invalid_grant")
      const profile = yield* me(send, String(access_token))
      assert.strictEqual(profile["role"], "user")
      assert.strictEqual((yield* exchange(code, verifier)).body["error"], "invalid_grant")
      assert.strictEqual((yield* me(send, String(access_token)))["code"], "unauthenticated")
      const renewed = yield* send("POST", "/token", {
        form: { grant_type: "refresh_token", refresh_token: String(refresh_token) }
      })
      assert.strictEqual(renewed.body["error"], "invalid_grant")
      assert.deepStrictEqual(
        yield* query(`select detail ->> 'by' as by from app.audit_events
          where tenant_id = '${String(profile["tenant_id"])}' and action = 'session.reused'`),
        [{ by: "code" }]
      )
      // Whichever of them is first, and wherever it is just then.
      const race = yield* codeOf(app)
      const answers = yield* Effect.all(
        Array.from({ length: 6 }, () => exchange(race.code, verifier)),
        { concurrency: "unbounded" }
      )
      for (const { body, status } of answers)
        if (status === 200)
          assert.strictEqual((yield* me(send, String(body["access_token"])))["code"], "unauthenticated")
        else assert.strictEqual(body["error"], "invalid_grant")
      // Whoever sees the code has not the verifier, and a wrong one ends the code.
      const stolen = yield* codeOf("https://app.acme.test/login")
      assert.strictEqual((yield* exchange(stolen.code, "w".repeat(64))).body["error"], "invalid_grant")
      assert.strictEqual((yield* exchange(stolen.code, verifier)).body["error"], "invalid_grant")
      assert.strictEqual((yield* exchange("sc_forged", verifier)).body["error"], "invalid_grant")

      const refused = [
        "https://evil.example.com/",
        "http://localhost:51234/",
        "http://127.0.0.1.evil.example.com/",
        "http://127.0.0.1@evil.example.com/",
        "https://app.acme.test@evil.example.com/",
        "https://app.acme.test.evil.example.com/",
        // As text: not the origin alone, and no port but of this machine.
        "https://app.acme.test/",
        "https://app.acme.test/login/",
        "https://app.acme.test/login?to=us",
        "https://app.acme.test/%6cogin",
        "https://app.acme.test:444/login",
        "https://APP.acme.test/login",
        "http://127.0.0.1:51234/done",
        "http://127.0.0.1:51234/done?from=us&more",
        "http://127.0.0.1:51234/x/../done?from=us",
        "http://127.0.0.1:51234@evil.example.com/done?from=us",
        "http://127.0.0.1:123456/done?from=us",
        "http://[::1]:51234/done?from=us"
      ]
      for (const uri of refused)
        assert.strictEqual((yield* send("GET", path(uri))).body["code"], "redirect_refused", uri)
      assert.strictEqual(
        (yield* send("GET", `/login/${slug}?redirect_uri=${encodeURIComponent(app)}`)).body["code"],
        "redirect_refused"
      )
      for (const to of [
        "//evil.example.com",
        "/\\evil.example.com",
        "https://evil.example.com",
        "javascript:alert(1)",
        "/%09/evil"
      ])
        if (to !== "/%09/evil")
          assert.strictEqual(
            (yield* send("GET", `/login/${slug}?return_to=${encodeURIComponent(to)}`)).body["code"],
            "invalid_request",
            to
          )
    })
  )

  it.effect("ends the session that the browser had, whose cookie does not come back from the provider", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { logIn: atProvider } = yield* OidcServer
      const { person, slug } = yield* office()
      const first = yield* tokenOf(send, (yield* logIn(`/login/${slug}`, person())).headers.getSetCookie())
      const kept = (first.renewed.headers.get("set-cookie") ?? "").split(";")[0] ?? ""
      assert.match(kept, /^__Host-refresh=rt_/u)
      const { cookie, location } = yield* begin(send, `/login/${slug}`, { cookie: kept })
      assert.notInclude(cookie, kept.split("=")[1] ?? "-")
      assert.isString((yield* me(send, first.token))["id"])
      const { search } = yield* atProvider(location, person())
      const back = yield* send("GET", `/sso/callback${search}`, { headers: { cookie } })
      const second = yield* tokenOf(send, back.headers.getSetCookie())
      assert.isString((yield* me(send, second.token))["id"])
      assert.strictEqual((yield* me(send, first.token))["code"], "unauthenticated")
    })
  )

  it.effect("that changes roles, and who sets single sign-on up meanwhile, wait for each other and not for ever", () =>
    Effect.gen(function* () {
      const { people } = yield* OidcServer
      const { person, set, slug } = yield* office({ role_claim: "groups", admin_values: ["boss"] })
      const subjects = [person(), person(), person()]
      for (const subject of subjects) yield* logIn(`/login/${slug}`, subject)
      for (let round = 0; round < 6; round++) {
        const trips = yield* Effect.forEach(subjects, (subject) => {
          people.set(subject, { ...people.get(subject), groups: round % 2 === 0 ? ["boss"] : [] })
          return arrive(`/login/${slug}`, subject)
        })
        const statuses = yield* Effect.all(
          [...trips.map(({ finish }) => finish()), set(), set({ trust_email: true }), set()].map((each) =>
            Effect.map(each, ({ body, status }) => (status === 303 || status === 200 ? "fine" : JSON.stringify(body)))
          ),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual([...new Set(statuses)], ["fine"])
      }
    })
  )

  it.effect("that another site begins asks its reader first", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { slug } = yield* office()
      const led = yield* send("GET", `/login/${slug}?return_to=/docs`, { headers: { "sec-fetch-site": "cross-site" } })
      assert.strictEqual(led.status, 200)
      assert.isNull(led.headers.get("set-cookie"))
      assert.include(led.headers.get("content-security-policy"), "default-src 'none'")
      const own = yield* send("GET", `/login/${slug}`, { headers: { "sec-fetch-site": "same-origin" } })
      assert.strictEqual(own.status, 302)
    })
  )

  it.effect("can be required: then passwords and what was logged in by them end, and keys go on", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { admin, domain, person, set, slug } = yield* office({ role_claim: "groups", admin_values: ["boss"] })
      const colleague: Person = yield* signUp(send, admin.tenant)
      const key = yield* send("POST", "/keys", { token: colleague.token, json: { name: "k", scopes: ["chat"] } })
      const boss = person({ groups: ["boss"] })
      yield* logIn(`/login/${slug}`, boss)
      const email = `dora@${domain}`
      const password = "a long and quiet river"
      yield* send("POST", "/admin/users", { token: admin.token, json: { email, password } })
      const credentials = { username: email, password, tenant_id: admin.tenant, session: true }
      const before = yield* send("POST", "/login", { json: credentials })
      assert.strictEqual(before.status, 200)
      assert.strictEqual((yield* set({ required: true })).status, 200)
      assert.strictEqual((yield* send("GET", "/me", { token: colleague.token })).status, 401)
      const renewed = yield* send("POST", "/token", {
        json: { grant_type: "refresh_token", refresh_token: before.body["refresh_token"] }
      })
      assert.strictEqual(renewed.body["error"], "invalid_grant")
      assert.strictEqual((yield* send("POST", "/login", { json: credentials })).body["code"], "invalid_credentials")
      const register = { email: `eve@${domain}`, password, tenant_id: admin.tenant }
      assert.strictEqual((yield* send("POST", "/register", { json: register })).body["code"], "registration_refused")
      assert.strictEqual((yield* send("GET", "/v1/models", { token: String(key.body["key"]) })).status, 200)
      const { token } = yield* tokenOf(send, (yield* logIn(`/login/${slug}`, boss)).headers.getSetCookie())
      assert.strictEqual((yield* me(send, token))["role"], "admin")
    })
  )

  it.effect("is required until the operator says that it is not, where nobody of the tenant can", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { adminUrl } = yield* TestDatabase
      const operator = Redacted.value(
        (yield* createOperatorToken(adminUrl, { name: "test", lifetime: undefined })).text
      )
      const { admin, domain, person, set, slug } = yield* office({ role_claim: "groups", admin_values: ["boss"] })
      const other = yield* office({ role_claim: "groups", admin_values: ["boss"] })
      const [email, password] = [`dora@${domain}`, "a long and quiet river"]
      yield* send("POST", "/admin/users", { token: admin.token, json: { email, password } })
      const logInByPassword = send("POST", "/login", { json: { username: email, password, tenant_id: admin.tenant } })
      for (const each of [{ person, set, slug }, other]) {
        yield* logIn(`/login/${each.slug}`, each.person({ groups: ["boss"] }))
        assert.strictEqual((yield* each.set({ required: true })).status, 200)
      }
      const tenant = `/operator/tenants/${admin.tenant}`
      assert.isTrue((yield* send("GET", tenant, { token: operator })).body["sso_required"])
      assert.strictEqual((yield* logInByPassword).body["code"], "invalid_credentials")

      for (let times = 0; times < 2; times++) {
        const answer = yield* send("POST", `${tenant}/sso-optional`, { token: operator })
        assert.deepStrictEqual([answer.status, answer.body["sso_required"]], [200, false])
      }
      assert.strictEqual((yield* logInByPassword).status, 200)
      // The provider is still there for who can use it, and other tenants' is as it was.
      assert.strictEqual((yield* logIn(`/login/${slug}`, person())).status, 303)
      const theirs = yield* send("GET", `/operator/tenants/${other.admin.tenant}`, { token: operator })
      assert.isTrue(theirs.body["sso_required"])
      const events = yield* query(
        `select action from app.audit_events where tenant_id = '${admin.tenant}' and action like 'operator.%'`
      )
      assert.deepStrictEqual(events, [{ action: "operator.tenant.sso_optional" }])
      const unknown = yield* send("POST", `/operator/tenants/${randomUUID()}/sso-optional`, { token: operator })
      assert.strictEqual(unknown.body["code"], "tenant_not_found")
      assert.strictEqual((yield* send("POST", `${tenant}/sso-optional`, { token: admin.token })).status, 401)
    })
  )

  it.effect("where it is required is the only way in", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { admin, domain, person, set, slug } = yield* office({ role_claim: "groups", admin_values: ["boss"] })
      const tenant_id = admin.tenant
      const password = "a long and quiet river"
      const boss = person({ groups: ["boss"] })
      yield* logIn(`/login/${slug}`, boss)
      const make = Effect.fnUntraced(function* (name: string, token: string) {
        const email = `${name}-${randomUUID().slice(0, 8)}@${domain}`
        assert.strictEqual((yield* send("POST", "/admin/users", { token, json: { email, password } })).status, 201)
        return email
      })
      const credentials = (email: string) => ({ username: email, password, tenant_id })
      const login = (email: string) => send("POST", "/login", { json: { ...credentials(email), session: true } })

      // All that leads to a login before.
      const dora = yield* make("dora", admin.token)
      const before = yield* login(dora)
      const token = String(before.body["access_token"])
      yield* send("POST", "/password/reset", { json: { email: dora, tenant_id } })
      const reset = yield* linkTo(dora)
      const erin = yield* make("erin", admin.token)
      const plain = { token: String((yield* login(erin)).body["access_token"]) }
      const { body: proven } = yield* send("POST", "/me/proof", { ...plain, json: { password } })
      const headers = { proof: String(proven["proof"]) }
      const totp = yield* send("POST", "/me/factors/totp", { ...plain, headers, json: { name: "phone" } })
      const code = codeAt(String(totp.body["secret"]))
      const confirmed = yield* send("POST", "/me/factors/totp/confirm", { ...plain, json: { code } })
      const [recovery_code]: ReadonlyArray<string> = Object(confirmed.body["recovery_codes"])
      const { challenge } = (yield* login(erin)).body
      assert.isString(challenge)
      // The same address in another tenant, whose session has shown the password here.
      const elsewhere = yield* signUp(send)
      const json = { email: dora, password }
      assert.strictEqual((yield* send("POST", "/admin/users", { token: elsewhere.token, json })).status, 201)
      const there = yield* send("POST", "/login", {
        json: { username: dora, password, tenant_id: elsewhere.tenant, session: true }
      })
      const other = String(there.body["access_token"])
      assert.strictEqual(
        (yield* send("POST", "/me/tenants", { token: other, json: { tenant_id, password } })).status,
        200
      )
      const invited = `ida@${domain}`
      const invite = (email: string, token: string) =>
        send("POST", `/tenants/${tenant_id}/invitations`, { token, json: { email, role: "user" } })
      assert.strictEqual((yield* invite(invited, admin.token)).status, 201)
      const link = yield* linkTo(invited)

      assert.strictEqual((yield* set({ required: true })).status, 200)
      const now = yield* tokenOf(send, (yield* logIn(`/login/${slug}`, boss)).headers.getSetCookie())
      const late = yield* make("late", now.token)
      // As a link that is written in this very moment.
      yield* query(
        `update app.one_time_tokens set voided_at = null where address = '${dora}' and purpose = 'password_reset'`
      )
      const renew = { grant_type: "refresh_token", refresh_token: before.body["refresh_token"] }
      const confirm = { token: reset, new_password: "another quiet river" }
      const ways: Readonly<Record<string, readonly [string, Effect.Effect<Answer>]>> = {
        "a password": ["invalid_credentials", login(dora)],
        "a password, without the tenant's id": [
          "invalid_credentials",
          send("POST", "/login", { json: { username: late, password } })
        ],
        "an account that an admin made since": ["invalid_credentials", login(late)],
        "a token of before": ["unauthenticated", send("GET", "/me", { token })],
        "a session of before": ["invalid_grant", send("POST", "/token", { json: renew })],
        "a changed password": [
          "unauthenticated",
          send("POST", "/me/password", {
            token,
            json: { current_password: password, new_password: "a new long river" }
          })
        ],
        "a second factor": [
          "challenge_ended",
          send("POST", "/login/second-factor", { json: { challenge, recovery_code } })
        ],
        "a registration": [
          "registration_refused",
          send("POST", "/register", { json: { email: `eve@${domain}`, password, tenant_id } })
        ],
        "an invitation": ["sso_required", send("POST", "/invitations/accept", { json: { token: link, password } })],
        "an invitation, with a session": [
          "sso_required",
          send("POST", "/invitations/accept", { json: { token: link, password, session: true } })
        ],
        "a password by mail": ["link_refused", send("POST", "/password/reset/confirm", { json: confirm })],
        "another tenant's session": [
          "tenant_not_found",
          send("POST", `/me/tenants/${tenant_id}/session`, { token: other })
        ],
        "another tenant's session, anew": [
          "invalid_credentials",
          send("POST", "/me/tenants", { token: other, json: { tenant_id, password } })
        ]
      }
      for (const [way, [refusal, answer]] of Object.entries(ways)) {
        const { body } = yield* answer
        assert.strictEqual(body["code"], refusal, way)
        assert.notProperty(body, "access_token", way)
      }
      const looked = yield* send("POST", "/invitations/look", { json: { token: link } })
      assert.deepInclude(looked.body, { email: invited, login_url: `http://localhost:8000/login/${slug}` })
      const accepted = yield* send("POST", "/invitations/accept", { json: { token: link, password } })
      assert.deepInclude(accepted.body, { status: 403, login_url: `http://localhost:8000/login/${slug}` })

      // A mail that says so, instead of a link.
      assert.strictEqual((yield* send("POST", "/password/reset", { json: { email: late, tenant_id } })).status, 202)
      assert.deepStrictEqual(yield* query(`select template from app.mails where address = '${late}'`), [
        { template: "password_reset_sso" }
      ])
      const ida = yield* logIn(`/login/${slug}`, person({ email: invited }))
      const come = yield* tokenOf(send, ida.headers.getSetCookie())
      assert.strictEqual((yield* me(send, come.token))["email"], invited)
      assert.strictEqual(
        (yield* send("POST", "/invitations/look", { json: { token: link } })).body["code"],
        "invitation_refused"
      )
    })
  )

  it.effect("takes the invitation of the address, with its role, where no other person gets an account", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { admin, domain, person, slug } = yield* office({ jit: false })
      const email = `ida@${domain}`
      const path = `/tenants/${admin.tenant}/invitations`
      const made = yield* send("POST", path, { token: admin.token, json: { email, role: "admin" } })
      assert.strictEqual(made.status, 201)
      assert.strictEqual((yield* logIn(`/login/${slug}`, person())).body["code"], "sso_refused")
      const ida = person({ email })
      const { token } = yield* tokenOf(send, (yield* logIn(`/login/${slug}`, ida)).headers.getSetCookie())
      assert.deepInclude(yield* me(send, token), { email, role: "admin" })
      const rows = yield* query(
        `select i.accepted_at is not null as accepted, u.email_verified_at is not null as verified
         from app.invitations i join app.users u on u.id = i.user_id where i.email = '${email}'`
      )
      assert.deepStrictEqual(rows, [{ accepted: true, verified: true }])
    })
  )

  it.effect("of two first requests of a person is one account", () =>
    Effect.gen(function* () {
      const { admin, person, slug } = yield* office()
      const subject = person()
      const both = [yield* arrive(`/login/${slug}`, subject), yield* arrive(`/login/${slug}`, subject)]
      const answers = yield* Effect.all(
        both.map(({ finish }) => finish()),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        answers.map(({ status }) => status),
        [303, 303]
      )
      const rows = yield* query(
        `select count(*)::int4 as n from app.sso_identities where tenant_id = '${admin.tenant}'`
      )
      assert.deepStrictEqual(rows, [{ n: 1 }])
    })
  )
})
