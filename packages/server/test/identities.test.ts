import * as Databases from "@llm-saas/database/backup/Databases"
import { CLIENT, OidcServer } from "@llm-saas/testing/OidcServer"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { randomUUID } from "node:crypto"
import { type Person, signUp } from "./People.ts"
import { Running, running } from "./Running.ts"

// Who at a provider logs in to an account, as its user sees it.

const Program = Layer.effect(
  Running,
  running({ PUBLIC_URL: "http://localhost:8000", SSO_LOGINS_PER_ADDRESS: "100000" })
).pipe(Layer.provideMerge(Layer.merge(TestDatabase.layer, OidcServer.layer)))

const PASSWORD = "a long and quiet river"

const query = Effect.fnUntraced(function* (sql: string) {
  const { adminUrl } = yield* TestDatabase
  return (yield* Databases.execute(adminUrl, sql)).rows
})

/** A tenant with single sign-on, and logins there. */
const office = Effect.gen(function* () {
  const { send } = yield* Running
  const provider = yield* OidcServer
  const admin = yield* signUp(send)
  const slug = `acme-${randomUUID().slice(0, 8)}`
  const domain = `${slug}.com`
  const { issuer } = provider
  const choice = { slug, issuer, client_id: CLIENT.id, client_secret: CLIENT.secret, domains: [domain], jit: true }
  const set = (change: object = {}) =>
    send("PUT", `/tenants/${admin.tenant}/sso`, { token: admin.token, json: { ...choice, ...change } })
  assert.strictEqual((yield* set()).status, 200)
  /** Logs in at the provider: the access token of the session. */
  const logIn = Effect.fnUntraced(function* (email: string, subject: string = randomUUID()) {
    provider.people.set(subject, { email, email_verified: true })
    const begun = yield* send("GET", `/login/${slug}`)
    const [cookie = ""] = (begun.headers.get("set-cookie") ?? "").split(";")
    const { search } = yield* provider.logIn(begun.headers.get("location") ?? "", subject)
    const back = yield* send("GET", `/sso/callback${search}`, { headers: { cookie } })
    const kept = back.headers.getSetCookie().find((each) => each.startsWith("__Host-refresh="))
    const renewed = yield* send("POST", "/token", {
      json: { grant_type: "refresh_token" },
      headers: { cookie: (kept ?? "").split(";")[0] ?? "", "x-csrf": "1", "sec-fetch-site": "same-origin" }
    })
    return { token: String(renewed.body["access_token"]), subject }
  })
  const colleague = Effect.fnUntraced(function* (name: string) {
    const email = `${name}@${domain}`
    yield* send("POST", "/admin/users", { token: admin.token, json: { email, password: PASSWORD } })
    // Else the first login takes the password away.
    yield* query(`update app.users set email_verified_at = now() where email = '${email}'`)
    return email
  })
  return { admin, colleague, domain, issuer, logIn, set }
})

const identities = Effect.fnUntraced(function* (token: string) {
  const { send } = yield* Running
  const { body } = yield* send("GET", "/me/identities", { token })
  return body["data"] as ReadonlyArray<Readonly<Record<string, unknown>>>
})

const me = Effect.fnUntraced(function* (token: string) {
  const { send } = yield* Running
  return (yield* send("GET", "/me", { token })).body
})

const proofOf = Effect.fnUntraced(function* (token: string) {
  const { send } = yield* Running
  const { body } = yield* send("POST", "/me/proof", { token, json: { password: PASSWORD } })
  return { proof: String(body["proof"]) }
})

const unlink = Effect.fnUntraced(function* (token: string, id: unknown, headers: Record<string, string> = {}) {
  const { send } = yield* Running
  const { body, status } = yield* send("DELETE", `/me/identities/${String(id)}`, { token, headers })
  return status === 204 ? status : body["code"]
})

layer(Program, { timeout: "120 seconds" })("a person at a provider", (it) => {
  it.effect("is shown to the account's user, and unlinked with a proof, where a password is another way in", () =>
    Effect.gen(function* () {
      const { admin, colleague, issuer, logIn } = yield* office
      const email = yield* colleague("carol")
      const { subject, token } = yield* logIn(email)
      const [identity, ...others] = yield* identities(token)
      assert.deepInclude(identity, { issuer, subject })
      assert.isString(identity?.["last_login_at"])
      assert.lengthOf(others, 0)
      assert.strictEqual(yield* unlink(token, identity?.["id"]), "proof_required")
      const proof = yield* proofOf(token)
      assert.strictEqual(yield* unlink(token, randomUUID(), proof), "identity_not_found")
      assert.strictEqual(yield* unlink(token, identity?.["id"], proof), 204)
      assert.strictEqual(yield* unlink(token, identity?.["id"], proof), "identity_not_found")
      assert.lengthOf(yield* identities(token), 0)
      const events = yield* query(
        `select detail ->> 'identity' as id from app.audit_events where tenant_id = '${admin.tenant}' and action = 'sso.unlinked'`
      )
      assert.deepStrictEqual(events, [{ id: identity?.["id"] }])
      // The address still leads there: the same person is linked again, under another id.
      const again = yield* identities((yield* logIn(email, subject)).token)
      assert.deepInclude(again[0], { subject })
      assert.notStrictEqual(again[0]?.["id"], identity?.["id"])
    })
  )

  it.effect("stays where there is no other way in: no password, or one that does not count", () =>
    Effect.gen(function* () {
      const { colleague, domain, logIn, set } = yield* office
      const made = yield* logIn(`jit@${domain}`)
      const [only] = yield* identities(made.token)
      assert.strictEqual(yield* unlink(made.token, only?.["id"]), "last_login")
      assert.lengthOf(yield* identities(made.token), 1)

      const email = yield* colleague("boss")
      const { subject, token } = yield* logIn(email)
      const { id } = yield* me(token)
      yield* query(`update app.users set role = 'admin' where id = '${String(id)}'`)
      assert.strictEqual((yield* set({ required: true })).status, 200)
      const fresh = yield* logIn(email, subject)
      const [identity] = yield* identities(fresh.token)
      // There is no proof by a password that does not count.
      assert.strictEqual(yield* unlink(fresh.token, identity?.["id"]), "last_login")
      assert.lengthOf(yield* identities(fresh.token), 1)
    })
  )

  it.effect("is nobody else's to see or to unlink: not a colleague's, an admin's, another tenant's or a key's", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { admin, colleague, logIn } = yield* office
      const { token } = yield* logIn(yield* colleague("dora"))
      const [identity] = yield* identities(token)
      const strangers: ReadonlyArray<Person> = [admin, yield* signUp(send, admin.tenant), yield* signUp(send)]
      for (const stranger of strangers) {
        assert.lengthOf(yield* identities(stranger.token), 0)
        const { body } = yield* send("POST", "/me/proof", {
          token: stranger.token,
          json: { password: "password123" }
        })
        const answer = yield* unlink(stranger.token, identity?.["id"], { proof: String(body["proof"]) })
        assert.strictEqual(answer, "identity_not_found")
      }
      const key = yield* send("POST", "/keys", { token, json: { name: "k", scopes: ["chat"] } })
      assert.strictEqual(yield* unlink(String(key.body["key"]), identity?.["id"]), "forbidden")
      assert.lengthOf(yield* identities(token), 1)
    })
  )

  it.effect("of two unlinked at once, one stays", () =>
    Effect.gen(function* () {
      const { admin, domain, issuer, logIn } = yield* office
      const { token } = yield* logIn(`eve@${domain}`)
      const { id } = yield* me(token)
      yield* query(
        `insert into app.sso_identities (tenant_id, issuer, subject, user_id) values ('${admin.tenant}', '${issuer}', '${randomUUID()}', '${String(id)}')`
      )
      const both = yield* identities(token)
      assert.lengthOf(both, 2)
      const answers = yield* Effect.all(
        both.map((each) => unlink(token, each["id"])),
        { concurrency: "unbounded" }
      )
      assert.sameMembers(answers, [204, "last_login"])
      assert.lengthOf(yield* identities(token), 1)
    })
  )
})
