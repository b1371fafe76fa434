import * as Databases from "@llm-saas/database/backup/Databases"
import { CLIENT, OidcServer, PUBLIC_CLIENT, serve } from "@llm-saas/testing/OidcServer"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { createHash, randomUUID } from "node:crypto"
import { type Answer, Running, running, type Send } from "./Running.ts"
import { codeAt } from "./Totp.ts"

// People who log in by a provider of the installation: the program with two of them, which are real.

/** A second provider, which is a public client's. */
class Other extends Context.Service<Other, OidcServer["Service"]>()("test/Other") {}

const Program = Layer.effect(
  Running,
  Effect.gen(function* () {
    const { issuer } = yield* OidcServer
    const other = yield* Other
    return yield* running({
      PUBLIC_URL: "http://localhost:8000",
      LOG_LEVEL: "debug",
      APP_REDIRECT_URIS: '["http://127.0.0.1/done"]',
      OIDC_ISSUER: issuer,
      OIDC_CLIENT_ID: CLIENT.id,
      OIDC_CLIENT_SECRET: CLIENT.secret,
      OIDC_NAME: "acme-id",
      OIDC_TITLE: "Acme <ID>",
      OIDC_PROVIDERS: JSON.stringify([{ name: "other", issuer: other.issuer, client_id: PUBLIC_CLIENT }]),
      SSO_LOGINS_PER_ADDRESS: "100000",
      REGISTRATIONS_PER_ADDRESS: "100000"
    })
  })
).pipe(Layer.provideMerge(Layer.mergeAll(TestDatabase.layer, OidcServer.layer, Layer.effect(Other, serve))))

const PASSWORD = "a long and quiet river"
const HTML = { accept: "text/html,application/xhtml+xml" }
const SAME_ORIGIN = { "x-csrf": "1", "sec-fetch-site": "same-origin" }
const CHOICES = /^http:\/\/localhost:8000(\/login\/with\/.*)$/u

const query = Effect.fnUntraced(function* (sql: string) {
  const { adminUrl } = yield* TestDatabase
  return (yield* Databases.execute(adminUrl, sql)).rows
})

/** A tenant, with an admin whose token is for the tests. */
const tenant = Effect.fnUntraced(function* (policy: object = {}) {
  const { send } = yield* Running
  const id = String(
    (yield* send("POST", "/create-tenant", { json: { name: `Acme ${randomUUID().slice(0, 8)}` } })).body["id"]
  )
  const email = `admin-${randomUUID()}@acme.test`
  yield* send("POST", "/register", { json: { email, password: PASSWORD, tenant_id: id } })
  const credentials = { username: email, password: PASSWORD, tenant_id: id }
  const token = String((yield* send("POST", "/login", { json: credentials })).body["access_token"])
  const json = { second_factor: "optional", second_factor_after_sso: false, tenant_switch: true, ...policy }
  assert.strictEqual((yield* send("PUT", `/tenants/${id}/login-policy`, { token, json })).status, 200)
  return { id, token }
})

/** An account with a verified address, logged in. */
const account = Effect.fnUntraced(function* (of: { readonly id: string; readonly token: string }, email: string) {
  const { send } = yield* Running
  const made = yield* send("POST", "/admin/users", { token: of.token, json: { email, password: PASSWORD } })
  assert.strictEqual(made.status, 201)
  yield* query(`update app.users set email_verified_at = now() where tenant_id = '${of.id}' and email = '${email}'`)
  const json = { username: email, password: PASSWORD, tenant_id: of.id }
  const token = String((yield* send("POST", "/login", { json })).body["access_token"])
  return { id: String(made.body["id"]), token, email }
})

const address = () => `p-${randomUUID().slice(0, 12)}@people.test`

/** A person at the first provider. */
const person = Effect.fnUntraced(function* (claims: Readonly<Record<string, unknown>> = {}) {
  const subject = randomUUID()
  const { people } = yield* OidcServer
  people.set(subject, { email: address(), email_verified: true, ...claims })
  return subject
})

/** To the provider as this person, and back. */
const trip = Effect.fnUntraced(function* (start: Answer, location: string, subject: string) {
  const { send } = yield* Running
  const { issuer, logIn } = yield* OidcServer
  const as = location.startsWith(issuer) ? logIn : (yield* Other).logIn
  const [cookie = ""] = (start.headers.get("set-cookie") ?? "").split(";")
  const { search } = yield* as(location, subject)
  return {
    cookie,
    search,
    finish: (headers: Record<string, string> = {}) =>
      send("GET", `/sso/callback${search}`, { headers: { cookie, ...headers } })
  }
})

const arrive = Effect.fnUntraced(function* (path: string, subject: string) {
  const { send } = yield* Running
  const start = yield* send("GET", path)
  assert.strictEqual(start.status, 302, JSON.stringify(start.body))
  return yield* trip(start, start.headers.get("location") ?? "", subject)
})

const logIn = (subject: string, path = "/login/with/acme-id?return_to=/docs") =>
  Effect.flatMap(arrive(path, subject), ({ finish }) => finish())

/** Who a browser is after its login. */
const whoIs = Effect.fnUntraced(function* (send: Send, { headers }: Answer) {
  const [cookie = ""] = (headers.getSetCookie().find((each) => each.startsWith("__Host-refresh=")) ?? "").split(";")
  const json = { grant_type: "refresh_token" }
  const renewed = yield* send("POST", "/token", { json, headers: { cookie, ...SAME_ORIGIN } })
  const token = String(renewed.body["access_token"])
  return { token, profile: (yield* send("GET", "/me", { token })).body }
})

const proofOf = Effect.fnUntraced(function* (send: Send, token: string) {
  return String((yield* send("POST", "/me/proof", { token, json: { password: PASSWORD } })).body["proof"])
})

/** Begins a link in a browser that is logged in. */
const beginLink = Effect.fnUntraced(function* (token: string, provider = "acme-id") {
  const { send } = yield* Running
  const headers = { ...SAME_ORIGIN, proof: yield* proofOf(send, token) }
  const answer = yield* send("POST", "/me/identities", {
    token,
    headers,
    json: { provider, return_to: "/docs?linked" }
  })
  assert.strictEqual(answer.status, 200, JSON.stringify(answer.body))
  return answer
})

const link = Effect.fnUntraced(function* (token: string, subject: string, provider?: string) {
  const start = yield* beginLink(token, provider)
  return yield* trip(start, String(start.body["location"]), subject)
})

/** The choices of an answer that asks for one: paths of ours, by their tenants. */
const choicesOf = ({ body }: Answer) => {
  assert.strictEqual(body["code"], "tenant_required", JSON.stringify(body))
  const tenants = body["tenants"] as ReadonlyArray<Readonly<Record<string, string>>>
  return new Map(tenants.map((each) => [each["tenant_id"], CHOICES.exec(each["login_url"] ?? "")?.[1] ?? ""]))
}

layer(Program, { timeout: "120 seconds" })("a login by a provider of the installation", (it) => {
  it.effect("is offered to a login form, by its name", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { body, status } = yield* send("GET", "/sso/providers")
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(body["data"], [
        { name: "acme-id", title: "Acme <ID>", login_url: "http://localhost:8000/login/with/acme-id" },
        { name: "other", title: "other", login_url: "http://localhost:8000/login/with/other" }
      ])
      assert.strictEqual((yield* send("GET", "/login/with/nobody")).body["code"], "sso_not_found")
      const led = yield* send("GET", "/login/with/acme-id", { headers: { "sec-fetch-site": "cross-site" } })
      assert.deepStrictEqual([led.status, led.headers.get("set-cookie")], [200, null])
    })
  )

  it.effect("leads to the account whose user has linked the person, with a proof, and to no other by its address", () =>
    Effect.gen(function* () {
      const { process, send } = yield* Running
      const { issuer } = yield* OidcServer
      const acme = yield* tenant()
      const ada = yield* account(acme, address())
      const subject = yield* person({ email: ada.email })
      assert.strictEqual((yield* logIn(subject)).body["code"], "sso_refused")

      const json = { provider: "acme-id" }
      const plain = yield* send("POST", "/me/identities", { token: ada.token, json, headers: SAME_ORIGIN })
      assert.strictEqual(plain.body["code"], "proof_required")
      const proof = yield* proofOf(send, ada.token)
      for (const headers of [{ proof }, { proof, "x-csrf": "1", "sec-fetch-site": "same-site" }]) {
        const elsewhere = yield* send("POST", "/me/identities", { token: ada.token, json, headers })
        assert.strictEqual(elsewhere.body["code"], "csrf_refused")
        assert.isNull(elsewhere.headers.get("set-cookie"))
      }
      const unknown = { token: ada.token, json: { provider: "nobody" }, headers: { ...SAME_ORIGIN, proof } }
      assert.strictEqual((yield* send("POST", "/me/identities", unknown)).body["code"], "sso_not_found")

      const { finish } = yield* link(ada.token, subject)
      const stranger = yield* finish({ cookie: "" })
      assert.strictEqual(stranger.body["code"], "sso_expired")
      const back = yield* finish()
      assert.deepStrictEqual([back.status, back.headers.get("location")], [303, "/docs?linked"])
      // It begins no session: who linked it is logged in.
      assert.isFalse(back.headers.getSetCookie().some((each) => each.startsWith("__Host-refresh")))
      assert.strictEqual((yield* finish()).body["code"], "sso_expired")
      const listed = (yield* send("GET", "/me/identities", { token: ada.token })).body["data"]
      assert.lengthOf(Object(listed), 1)
      assert.deepInclude(Object(listed)[0], { origin: "installation", issuer, subject, last_login_at: null })
      assert.deepStrictEqual(
        yield* query(`select template from app.mails where address = '${ada.email}' and template like 'identity%'`),
        [{ template: "identity_linked" }]
      )

      const answer = yield* logIn(subject)
      assert.deepStrictEqual([answer.status, answer.headers.get("location")], [303, "/docs"])
      const { profile, token } = yield* whoIs(send, answer)
      assert.deepInclude(profile, { id: ada.id, tenant_id: acme.id })
      const sessions = yield* send("GET", "/me/sessions", { token })
      assert.include(JSON.stringify(sessions.body), `"method":"provider"`)
      assert.deepStrictEqual(
        yield* query(`select action, detail ->> 'provider' as provider from app.audit_events
          where tenant_id = '${acme.id}' and detail ? 'provider' order by id`),
        [
          { action: "sso.linked", provider: "acme-id" },
          { action: "login.succeeded", provider: "acme-id" }
        ]
      )
      const log = JSON.stringify(process.output())
      for (const secret of [CLIENT.secret, token, subject]) assert.notInclude(log, secret)
    })
  )

  it.effect("is not linked to an account that changed since, or in which another person of the tenant is", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const acme = yield* tenant()
      const [ada, bob] = [yield* account(acme, address()), yield* account(acme, address())]
      const subject = yield* person()
      const stolen = yield* link(ada.token, subject)
      const change = { current_password: PASSWORD, new_password: "another quiet river" }
      const changed = yield* send("POST", "/me/password", { token: ada.token, json: change })
      assert.strictEqual(changed.status, 200)
      assert.strictEqual((yield* stolen.finish()).body["code"], "sso_expired")
      assert.strictEqual((yield* logIn(subject)).body["code"], "sso_refused")

      assert.strictEqual((yield* (yield* link(bob.token, subject)).finish()).status, 303)
      const carol = yield* account(acme, address())
      const taken = yield* (yield* link(carol.token, subject)).finish()
      assert.deepStrictEqual([taken.status, taken.body["code"]], [409, "identity_taken"])
      const key = yield* send("POST", "/keys", { token: carol.token, json: { name: "k", scopes: ["chat"] } })
      const byKey = yield* send("POST", "/me/identities", {
        token: String(key.body["key"]),
        json: { provider: "other" },
        headers: SAME_ORIGIN
      })
      assert.strictEqual(byKey.body["code"], "forbidden")
      const late = yield* link(carol.token, yield* person())
      yield* send("PATCH", `/admin/users/${carol.id}`, { token: acme.token, json: { status: "disabled" } })
      assert.strictEqual((yield* late.finish()).body["code"], "sso_expired")
    })
  )

  it.effect("links an address that both have verified, where the tenant says so, once the person agrees", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const acme = yield* tenant({ link_by_email: true })
      const ada = yield* account(acme, address())
      const unproven = address()
      yield* send("POST", "/admin/users", { token: acme.token, json: { email: unproven, password: PASSWORD } })
      for (const claims of [{ email: ada.email, email_verified: false }, { email: unproven }, { email: address() }])
        assert.strictEqual((yield* logIn(yield* person(claims))).body["code"], "sso_refused", JSON.stringify(claims))

      const subject = yield* person({ email: ada.email })
      const asked = yield* logIn(subject)
      assert.strictEqual(asked.status, 409)
      const choice = choicesOf(asked).get(acme.id) ?? ""
      assert.include(choice, "return_to=%2Fdocs")
      const identities = `select from app.sso_identities where tenant_id = '${acme.id}'`
      assert.lengthOf(yield* query(identities), 0)
      // A choice is its person's: with it another one is asked, or refused.
      assert.strictEqual((yield* logIn(yield* person(), choice)).body["code"], "sso_refused")
      const twin = yield* person({ email: ada.email })
      assert.strictEqual((yield* logIn(twin, choice)).body["code"], "tenant_required")
      assert.lengthOf(yield* query(identities), 0)

      // Of two logins at once there is one link.
      const both = [yield* arrive(choice, subject), yield* arrive(choice, subject)]
      const answers = yield* Effect.all(
        both.map(({ finish }) => finish()),
        { concurrency: "unbounded" }
      )
      for (const each of answers) {
        assert.strictEqual(each.status, 303, JSON.stringify(each.body))
        assert.strictEqual((yield* whoIs(send, each)).profile["id"], ada.id)
      }
      assert.lengthOf(yield* query(identities), 1)
      // From now on it is theirs, without a question, and no other person's with the address.
      assert.strictEqual((yield* whoIs(send, yield* logIn(subject))).profile["id"], ada.id)
      assert.strictEqual((yield* logIn(twin)).body["code"], "sso_refused")
    })
  )

  it.effect("asks which tenant, where a person has several accounts: a page for a browser", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const [one, two] = [yield* tenant(), yield* tenant()]
      const email = address()
      const accounts = [yield* account(one, email), yield* account(two, email)]
      const subject = yield* person()
      for (const { token } of accounts) yield* (yield* link(token, subject)).finish()
      // A tenant that has an account with the address is not among them, whatever it says.
      const mallory = yield* tenant({ link_by_email: true })
      yield* account(mallory, email)
      const asked = yield* logIn(subject, "/login/with/acme-id?return_to=/docs%3Fa%3D%3Cb%3E")
      const choices = choicesOf(asked)
      assert.sameMembers([...choices.keys()], [one.id, two.id])
      for (const [index, { id }] of [one, two].entries()) {
        const answer = yield* logIn(subject, choices.get(id))
        assert.strictEqual(answer.headers.get("location"), "/docs?a=<b>")
        assert.strictEqual((yield* whoIs(send, answer)).profile["id"], accounts[index]?.id)
      }

      yield* query(`update app.tenants set name = '<script>alert(1)</script>' where id = '${two.id}'`)
      const { cookie, search } = yield* arrive("/login/with/acme-id", subject)
      const open = (path: string) =>
        Effect.promise(async () => {
          const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { ...HTML, cookie } })
          return { answer, text: await answer.text() }
        })
      const page = yield* open(`/sso/callback${search}`)
      assert.strictEqual(page.answer.status, 409)
      assert.strictEqual(page.answer.headers.get("content-type"), "text/html; charset=utf-8")
      assert.include(page.answer.headers.get("content-security-policy"), "default-src 'none'")
      assert.include(page.text, "&lt;script&gt;alert(1)&lt;/script&gt;</a>")
      const addresses = [...page.text.matchAll(/<a href="(http[^"]*)"/gu)].map(([, href = ""]) => href)
      assert.lengthOf(addresses, 2)
      const first = CHOICES.exec(addresses[0]?.replaceAll("&amp;", "&") ?? "")?.[1] ?? ""
      assert.strictEqual((yield* logIn(subject, first)).status, 303)
      // A refusal is one too.
      const ended = yield* open(`/sso/callback${search}`)
      assert.strictEqual(ended.answer.status, 400)
      assert.include(ended.text, "This login cannot be finished")
      assert.include(ended.text, "/problems/sso_expired")
      for (const path of ["/login/nobody-here", "/login/with/nobody"]) {
        const { answer, text } = yield* open(path)
        assert.deepStrictEqual([answer.status, answer.headers.get("content-type")], [404, "text/html; charset=utf-8"])
        assert.include(text, "No such single sign-on")
      }
    })
  )

  it.effect("and a tenant's own single sign-on do not stand in for each other, at the same issuer too", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { issuer } = yield* OidcServer
      const acme = yield* tenant({ link_by_email: true })
      const slug = `acme-${randomUUID().slice(0, 8)}`
      const choice = { slug, issuer, client_id: CLIENT.id, client_secret: CLIENT.secret, domains: ["people.test"] }
      const path = `/tenants/${acme.id}/sso`
      const set = (more: object) => send("PUT", path, { token: acme.token, json: { ...choice, ...more } })
      assert.strictEqual((yield* set({})).status, 200)
      const ada = yield* account(acme, address())
      const subject = yield* person({ email: address() })
      yield* (yield* link(ada.token, subject)).finish()
      assert.strictEqual((yield* logIn(subject, `/login/${slug}`)).body["code"], "sso_refused")
      const bob = yield* account(acme, address())
      const colleague = yield* person({ email: bob.email })
      assert.strictEqual((yield* logIn(colleague, `/login/${slug}`)).status, 303)
      yield* send("PUT", `/tenants/${acme.id}/login-policy`, {
        token: acme.token,
        json: { second_factor: "optional", second_factor_after_sso: false, tenant_switch: true }
      })
      assert.strictEqual((yield* logIn(colleague)).body["code"], "sso_refused")
      // Another issuer of the tenant's takes away its own links, and no others.
      assert.strictEqual((yield* set({ issuer: "https://login.acme.example" })).status, 200)
      assert.deepStrictEqual(yield* query(`select origin from app.sso_identities where tenant_id = '${acme.id}'`), [
        { origin: "installation" }
      ])
      assert.strictEqual((yield* logIn(subject)).status, 303)
    })
  )

  it.effect("is refused by a tenant that requires its own single sign-on, and by a suspended one", () =>
    Effect.gen(function* () {
      const acme = yield* tenant({ link_by_email: true })
      const ada = yield* account(acme, address())
      const subject = yield* person()
      yield* (yield* link(ada.token, subject)).finish()
      const during = yield* arrive("/login/with/acme-id", subject)
      const linking = yield* link(ada.token, yield* person())
      yield* query(
        `insert into app.sso_connections (tenant_id, id, slug, issuer, client_id, required) values
          ('${acme.id}', gen_random_uuid(), 'x-${acme.id.slice(-12)}', 'https://login.acme.example', 'x', true)`
      )
      assert.strictEqual((yield* during.finish()).body["code"], "sso_refused")
      assert.strictEqual((yield* linking.finish()).body["code"], "sso_expired")
      assert.strictEqual((yield* logIn(yield* person({ email: ada.email }))).body["code"], "sso_refused")
      assert.deepStrictEqual(
        yield* query(`select detail ->> 'reason' as reason from app.audit_events
          where tenant_id = '${acme.id}' and action = 'login.failed' and target_id = '${ada.id}'`),
        [{ reason: "sso_required" }]
      )
      yield* query(`delete from app.sso_connections where tenant_id = '${acme.id}'`)
      assert.strictEqual((yield* logIn(subject)).status, 303)
      yield* query(`update app.tenants set status = 'suspended' where id = '${acme.id}'`)
      assert.strictEqual((yield* logIn(subject)).body["code"], "sso_refused")
    })
  )

  it.effect("is asked for a second factor as a password is: the page it goes to finishes it", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const acme = yield* tenant()
      const ada = yield* account(acme, address())
      const headers = { proof: yield* proofOf(send, ada.token) }
      const { token } = ada
      const totp = yield* send("POST", "/me/factors/totp", { token, headers, json: { name: "phone" } })
      const secret = String(totp.body["secret"])
      const added = yield* send("POST", "/me/factors/totp/confirm", { token, json: { code: codeAt(secret) } })
      const [recovery_code, another]: ReadonlyArray<string> = Object(added.body["recovery_codes"])
      // The password is no proof any more.
      const refused = yield* send("POST", "/me/identities", {
        token,
        json: { provider: "acme-id" },
        headers: { ...SAME_ORIGIN, ...headers }
      })
      assert.strictEqual(refused.body["code"], "proof_required")
      const factor = yield* send("POST", "/me/proof", { token, json: { code: codeAt(secret, 1) } })
      const subject = yield* person()
      const start = yield* send("POST", "/me/identities", {
        token,
        json: { provider: "acme-id" },
        headers: { ...SAME_ORIGIN, proof: String(factor.body["proof"]) }
      })
      assert.strictEqual((yield* (yield* trip(start, String(start.body["location"]), subject)).finish()).status, 303)
      const answer = yield* logIn(subject, "/login/with/acme-id?return_to=/docs%23part")
      const [page, fragment] = (answer.headers.get("location") ?? "").split("#", 2)
      assert.strictEqual(page, "/docs")
      assert.isFalse(answer.headers.getSetCookie().some((each) => each.startsWith("__Host-refresh")))
      const told = new URLSearchParams(fragment)
      assert.include(told.get("methods"), "totp")
      const challenge = told.get("challenge") ?? ""
      const json = { challenge, recovery_code }
      const finished = yield* send("POST", "/login/second-factor", { json, headers: SAME_ORIGIN })
      assert.strictEqual(finished.status, 200)
      assert.deepInclude((yield* whoIs(send, finished)).profile, { id: ada.id, tenant_id: acme.id })

      // Of an app's login too, whose code is good once: if it comes again meanwhile, no session begins.
      const verifier = "v".repeat(64)
      const hash = createHash("sha256").update(verifier).digest("base64url")
      const app = `redirect_uri=${encodeURIComponent("http://127.0.0.1:51234/done")}&code_challenge=${hash}`
      const called = (yield* logIn(subject, `/login/with/acme-id?${app}`)).headers.get("location") ?? ""
      const code = new URL(called).searchParams.get("code") ?? ""
      const form = { grant_type: "authorization_code", code, code_verifier: verifier }
      const stopped = yield* send("POST", "/token", { form })
      assert.strictEqual(stopped.body["code"], "second_factor_required")
      assert.strictEqual((yield* send("POST", "/token", { form })).body["error"], "invalid_grant")
      const late = { challenge: stopped.body["challenge"], recovery_code: another }
      assert.strictEqual((yield* send("POST", "/login/second-factor", { json: late })).body["code"], "challenge_ended")
    })
  )

  it.effect("of an app ends in a code, which begins a session of that kind once", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const acme = yield* tenant()
      const ada = yield* account(acme, address())
      const { people } = yield* Other
      const subject = randomUUID()
      people.set(subject, {})
      yield* (yield* link(ada.token, subject, "other")).finish()
      const verifier = "v".repeat(64)
      const challenge = createHash("sha256").update(verifier).digest("base64url")
      const app = `redirect_uri=${encodeURIComponent("http://127.0.0.1:51234/done")}&code_challenge=${challenge}&state=mine`
      const { headers } = yield* logIn(subject, `/login/with/other?${app}`)
      const { searchParams } = new URL(headers.get("location") ?? "")
      assert.strictEqual(searchParams.get("state"), "mine")
      const form = {
        grant_type: "authorization_code",
        code: searchParams.get("code") ?? "",
        code_verifier: verifier
      }
      const answer = yield* send("POST", "/token", { form })
      assert.strictEqual(answer.status, 200)
      const sessions = yield* send("GET", "/me/sessions", { token: String(answer.body["access_token"]) })
      assert.include(JSON.stringify(sessions.body), `"method":"provider"`)
      assert.strictEqual((yield* send("POST", "/token", { form })).body["error"], "invalid_grant")
      // The same subject at the other issuer is another person.
      const twin = yield* person()
      people.set(twin, {})
      assert.strictEqual((yield* logIn(twin, "/login/with/other")).body["code"], "sso_refused")
    })
  )

  it.effect("is the last way in of an account without a password, and leaves with the account", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const acme = yield* tenant()
      const ada = yield* account(acme, address())
      const subject = yield* person()
      yield* (yield* link(ada.token, subject)).finish()
      yield* query(`delete from app.credentials where tenant_id = '${acme.id}' and user_id = '${ada.id}'`)
      const [identity] = Object((yield* send("GET", "/me/identities", { token: ada.token })).body["data"])
      const path = `/me/identities/${String(identity?.["id"])}`
      assert.strictEqual((yield* send("DELETE", path, { token: ada.token })).body["code"], "last_login")
      assert.strictEqual((yield* send("DELETE", `/admin/users/${ada.id}`, { token: acme.token })).status, 204)
      assert.strictEqual((yield* logIn(subject)).body["code"], "sso_refused")
      // Another account of the tenant may have the person now.
      const bob = yield* account(acme, address())
      assert.strictEqual((yield* (yield* link(bob.token, subject)).finish()).status, 303)
      assert.strictEqual((yield* whoIs(send, yield* logIn(subject))).profile["id"], bob.id)
    })
  )
})
