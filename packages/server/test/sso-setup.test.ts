import { dnsServer } from "@llm-saas/testing/DnsServer"
import { CLIENT, OidcServer } from "@llm-saas/testing/OidcServer"
import * as Databases from "@llm-saas/database/backup/Databases"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { randomUUID } from "node:crypto"
import { type Person, signUp } from "./People.ts"
import { Running, running } from "./Running.ts"

// How admins set up single sign-on, on a running server.

class Names extends Context.Service<Names, Map<string, ReadonlyArray<string>>>()("test/Names") {}

const Program = Layer.effectContext(
  Effect.gen(function* () {
    const names = new Map<string, ReadonlyArray<string>>()
    const server = yield* running({
      PUBLIC_URL: "https://llm.example.com",
      SSO_DNS_SERVERS: JSON.stringify([yield* dnsServer(names)]),
      LOG_LEVEL: "debug"
    })
    return Context.add(Context.make(Names, names), Running, server)
  })
).pipe(Layer.provideMerge(Layer.merge(TestDatabase.layer, OidcServer.layer)))

const SECRET = "s3cret-of-the-client"
const slugged = () => `acme-${randomUUID().slice(0, 8)}`
const at = ({ tenant }: Person, rest = "") => `/tenants/${tenant}/sso${rest}`

const choice = (issuer: string, more: Readonly<Record<string, unknown>> = {}) => ({
  slug: slugged(),
  issuer,
  client_id: CLIENT.id,
  client_secret: SECRET,
  ...more
})

layer(Program)("single sign-on of a tenant", (it) => {
  it.effect("is set up, read and removed by its admins, and no answer, row or log has the secret", () =>
    Effect.gen(function* () {
      const { process, send } = yield* Running
      const { issuer } = yield* OidcServer
      const admin = yield* signUp(send)
      const { token } = admin
      assert.strictEqual((yield* send("GET", at(admin), { token })).body["code"], "sso_not_found")
      const json = choice(issuer, { domains: ["acme.com"], jit: true, role_claim: "groups", admin_values: ["admins"] })
      const made = yield* send("PUT", at(admin), { token, json })
      assert.deepInclude(made.body, {
        slug: json.slug,
        has_secret: true,
        status: "active",
        login_url: `https://llm.example.com/login/${json.slug}`,
        redirect_uri: "https://llm.example.com/sso/callback"
      })
      assert.deepStrictEqual((yield* send("GET", at(admin), { token })).body, made.body)
      const { adminUrl } = yield* TestDatabase
      const { rows } = yield* Databases.execute(
        adminUrl,
        "select c::text || coalesce((select string_agg(e::text, '') from app.audit_events e), '') as text from app.sso_connections c"
      )
      for (const text of [JSON.stringify(made.body), JSON.stringify(rows), JSON.stringify(process.output())])
        assert.notInclude(text, SECRET)
      assert.strictEqual((yield* send("POST", at(admin, "/test"), { token })).status, 204)
      assert.strictEqual((yield* send("DELETE", at(admin), { token })).status, 204)
      assert.strictEqual((yield* send("DELETE", at(admin), { token })).body["code"], "sso_not_found")
    })
  )

  it.effect("is nothing to users, keys, strangers and other tenants", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { issuer } = yield* OidcServer
      const admin = yield* signUp(send)
      const json = choice(issuer)
      yield* send("PUT", at(admin), { token: admin.token, json })
      const user = yield* signUp(send, admin.tenant)
      const other = yield* signUp(send)
      const key = (yield* send("POST", "/keys", {
        token: admin.token,
        json: { name: "an admin's", scopes: ["admin", "chat"] }
      })).body["key"]
      assert.strictEqual((yield* send("GET", at(admin))).status, 401)
      for (const [method, path] of [
        ["GET", ""],
        ["PUT", ""],
        ["POST", "/test"],
        ["DELETE", ""]
      ] as const) {
        const rest = method === "PUT" ? { json } : {}
        assert.strictEqual((yield* send(method, at(admin, path), { token: user.token, ...rest })).status, 403)
        const foreign = yield* send(method, at(admin, path), { token: other.token, ...rest })
        assert.include([404], foreign.status)
        assert.include(["tenant_not_found", "sso_not_found"], foreign.body["code"])
      }
      assert.strictEqual((yield* send("PUT", at(admin), { token: String(key), json })).body["code"], "forbidden")
      assert.strictEqual((yield* send("GET", at(admin), { token: String(key) })).status, 200)
      // A slug is one tenant's.
      const taken = yield* send("PUT", at(other), { token: other.token, json })
      assert.strictEqual(taken.body["code"], "slug_taken")
      assert.strictEqual((yield* send("GET", at(other), { token: other.token })).body["code"], "sso_not_found")
    })
  )

  it.effect("sends the secret to no other issuer than the one it was given for", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { issuer } = yield* OidcServer
      const admin = yield* signUp(send)
      const put = (json: object) => Effect.map(send("PUT", at(admin), { token: admin.token, json }), ({ body }) => body)
      const { client_secret, ...json } = choice(issuer)
      assert.isTrue((yield* put({ ...json, client_secret }))["has_secret"])
      assert.isTrue((yield* put({ ...json, jit: true }))["has_secret"])
      assert.isFalse((yield* put({ ...json, issuer: "http://127.0.0.1:1" }))["has_secret"])
      assert.isFalse((yield* put(json))["has_secret"])
      yield* put({ ...json, client_secret })
      assert.isFalse((yield* put({ ...json, client_id: "another" }))["has_secret"])
    })
  )

  it.effect("is not required before an admin has tried it", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { issuer } = yield* OidcServer
      const admin = yield* signUp(send)
      const answer = yield* send("PUT", at(admin), { token: admin.token, json: choice(issuer, { required: true }) })
      assert.strictEqual(answer.body["code"], "sso_untried")
    })
  )

  it.effect("is the same after two admins set it up at once: there is one", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { issuer } = yield* OidcServer
      const admin = yield* signUp(send)
      const answers = yield* Effect.all(
        Array.from({ length: 8 }, () => send("PUT", at(admin), { token: admin.token, json: choice(issuer) })),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual([...new Set(answers.map(({ status }) => status))], [200])
      const { adminUrl } = yield* TestDatabase
      const { rows } = yield* Databases.execute(
        adminUrl,
        `select (select count(*)::int4 from app.sso_connections where tenant_id = '${admin.tenant}') as connections,
           (select count(*)::int4 from meta.sso_slugs where tenant_id = '${admin.tenant}') as slugs`
      )
      assert.deepStrictEqual(rows, [{ connections: 1, slugs: 1 }])
    })
  )

  it.effect("leads people there whose domain is proven, and says nothing about accounts", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { issuer } = yield* OidcServer
      const names = yield* Names
      const [admin, rival] = [yield* signUp(send), yield* signUp(send)]
      const where = (email: string) =>
        Effect.map(send("GET", `/login?email=${encodeURIComponent(email)}`), ({ body }) => body["login_url"])
      const domain = `d${randomUUID().slice(0, 8)}.com`
      const record = Effect.fnUntraced(function* (person: Person) {
        const json = choice(issuer, { domains: [domain] })
        const { body } = yield* send("PUT", at(person), { token: person.token, json })
        const [{ record }] = body["domains"] as [{ record: { name: string; value: string } }]
        return { ...record, url: body["login_url"] }
      })
      const prove = (person: Person) => send("POST", at(person, `/domains/${domain}/prove`), { token: person.token })
      const mine = yield* record(admin)
      const theirs = yield* record(rival)
      assert.notStrictEqual(mine.value, theirs.value)
      assert.strictEqual((yield* prove(admin)).body["code"], "domain_unproven")
      assert.isNull(yield* where(`alice@${domain}`))

      names.set(mine.name, ["v=spf1 -all", mine.value])
      // The record of one tenant proves nothing for another.
      assert.strictEqual((yield* prove(rival)).body["code"], "domain_unproven")
      assert.strictEqual((yield* prove(admin)).status, 200)
      assert.strictEqual(yield* where(`Alice@${domain.toUpperCase()}`), mine.url)
      assert.strictEqual(yield* where(`nobody@${domain}`), mine.url)
      assert.isNull(yield* where(`alice@sub.${domain}`))

      // The domain's owner moves to another tenant: the last proof counts.
      names.set(mine.name, [theirs.value])
      assert.strictEqual((yield* prove(rival)).status, 200)
      assert.strictEqual(yield* where(`alice@${domain}`), theirs.url)
      const json = choice(issuer, { enabled: false, domains: [domain] })
      yield* send("PUT", at(rival), { token: rival.token, json })
      assert.isNull(yield* where(`alice@${domain}`))
    })
  )
})
