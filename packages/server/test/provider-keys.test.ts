import * as Databases from "@llm-saas/database/backup/Databases"
import { TenantId } from "@llm-saas/domain/Tenant"
import { Encryption } from "@llm-saas/engine/providerKeys/Encryption"
import * as FakeUpstream from "@llm-saas/testing/FakeUpstream"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Layer, Redacted } from "effect"
import { randomBytes, randomUUID } from "node:crypto"
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { EncryptionKeys, of } from "../src/auth/EncryptionKeys.ts"
import { EncryptionLayer } from "../src/auth/Envelope.ts"
import { spawned } from "./Process.ts"
import { signUp } from "./People.ts"
import { type Answer, Running, running, type Send } from "./Running.ts"

// Tenants' own keys at providers, on a running server whose provider the test controls.

const OURS = "sk-of-the-installation"
const CLI = fileURLToPath(new URL("../src/cli.ts", import.meta.url))

/** Tenants whose data keys are rotated: so many that it is killed in their middle. */
const MANY = 2000

const encryptionKey = () => randomBytes(32).toString("base64")
const FIRST = encryptionKey()

const variables = (url: string, more: Record<string, string> = {}) => ({
  OPENAI_BASE_URL: url,
  OPENAI_API_KEY: OURS,
  LLM_MODEL: "fake-1",
  LLM_RETRIES: "0",
  ENCRYPTION_KEY: FIRST,
  LOG_LEVEL: "debug",
  TENANTS_PER_ADDRESS: "100000",
  REGISTRATIONS_PER_ADDRESS: "100000",
  ...more
})

const Program = Layer.effect(
  Running,
  Effect.flatMap(FakeUpstream.FakeUpstream, ({ url }) => running(variables(url)))
).pipe(Layer.provideMerge(Layer.merge(FakeUpstream.layer, TestDatabase.layer)))

/** Another process of the same installation. */
const another = (more: Record<string, string> = {}) =>
  Effect.flatMap(FakeUpstream.FakeUpstream, ({ url }) => running(variables(url, more)))

const query = Effect.fnUntraced(function* (sql: string) {
  const { adminUrl } = yield* TestDatabase
  return (yield* Databases.execute(adminUrl, sql)).rows
})

const office = Effect.fnUntraced(function* (send: Send) {
  const admin = yield* signUp(send)
  return { admin, member: yield* signUp(send, admin.tenant) }
})

const bring = (send: Send, token: string, key: string, more: object = {}) =>
  send("POST", "/provider-keys", { token, json: { provider: "openai", name: "ours", key, ...more } })

const list = (send: Send, token: string) =>
  Effect.map(send("GET", "/provider-keys", { token }), ({ body }) => (Array.isArray(body["data"]) ? body["data"] : []))

const says = ({ body, status }: Answer) => [status, body["code"]]

/** Asks a question, and returns the authorization that the provider got, and the answer's status. */
const asked = Effect.fnUntraced(function* (send: Send, token: string) {
  const upstream = yield* FakeUpstream.FakeUpstream
  const before = upstream.asked()
  const asking = yield* Effect.forkChild(send("POST", "/messages", { token, json: { content: "Hello?" } }), {
    startImmediately: true
  })
  const call = yield* Effect.raceFirst(upstream.next, Effect.as(Fiber.await(asking), undefined))
  if (call === undefined) return { status: (yield* Fiber.join(asking)).status, sent: upstream.asked() - before }
  call.head()
  call.say("Hi.")
  call.finish("stop", { input: 1, output: 1 })
  const { body, status } = yield* Fiber.join(asking)
  return { status, key: call.headers["authorization"], generation: String(body["generation_id"]) }
})

layer(Program, { timeout: "240 seconds", excludeTestServices: true })("a tenant's own key at a provider", (it) => {
  it.effect("is used for that tenant's questions and no other's, and is in no answer, row or log line", () =>
    Effect.gen(function* () {
      const { process, send } = yield* Running
      const [mine, theirs] = [yield* office(send), yield* office(send)]
      assert.strictEqual((yield* asked(send, mine.member.token)).key, `Bearer ${OURS}`)
      const secret = `sk-mine-${randomUUID()}`
      const made = yield* bring(send, mine.admin.token, secret)
      assert.strictEqual(made.status, 201)
      assert.deepInclude(made.body, {
        tenant_id: mine.admin.tenant,
        provider: "openai",
        name: "ours",
        models: null,
        status: "active",
        disabled_at: null
      })
      assert.deepStrictEqual(yield* list(send, mine.admin.token), [made.body])
      const question = yield* asked(send, mine.member.token)
      assert.deepStrictEqual([question.status, question.key], [201, `Bearer ${secret}`])
      assert.strictEqual((yield* asked(send, theirs.member.token)).key, `Bearer ${OURS}`)
      assert.deepStrictEqual(
        yield* query(
          `select provider, model, key_source from app.attempts where generation_id = '${question.generation}'`
        ),
        [{ provider: "openai", model: "fake-1", key_source: "tenant" }]
      )
      // Nothing that is stored, said or logged has it.
      const { stderr, stdout } = process.output()
      const rows = JSON.stringify(
        yield* query(
          `select to_jsonb(k) as row, encode(sealed, 'escape') as text from app.provider_keys k
           union all select to_jsonb(e), e.detail::text from app.audit_events e
           union all select to_jsonb(i), i.answer::text from app.idempotent_answers i`
        )
      )
      for (const text of [rows, stdout, stderr, JSON.stringify(made.body)]) {
        assert.notInclude(text, secret)
        assert.notInclude(text, Buffer.from(secret).toString("hex"))
      }
      assert.deepStrictEqual(
        yield* query(
          `select action, target_id, detail - 'key_id' as detail from app.audit_events
           where tenant_id = '${mine.admin.tenant}' and action like 'provider_key.%'`
        ),
        [{ action: "provider_key.created", target_id: made.body["id"], detail: { provider: "openai", models: null } }]
      )
    })
  )

  it.effect("is the admins' to bring, see, change and remove, and another tenant's is like none", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const [mine, theirs] = [yield* office(send), yield* office(send)]
      const { body } = yield* bring(send, mine.admin.token, "sk-mine")
      const path = `/provider-keys/${String(body["id"])}`
      const nowhere = `/provider-keys/${randomUUID()}`
      const change = { json: { disabled: true } }
      const attempts = (token: string, at: string) =>
        Effect.forEach(
          [
            send("PATCH", at, { token, ...change }),
            send("DELETE", at, { token }),
            send("GET", "/provider-keys", { token }),
            send("POST", "/provider-keys", { token, json: { provider: "openai", name: "x", key: "sk-x" } })
          ],
          (sent) => Effect.map(sent, says)
        )
      assert.deepStrictEqual(
        yield* attempts(mine.member.token, path),
        Array.from({ length: 4 }, () => [403, "forbidden"])
      )
      const foreign = yield* attempts(theirs.admin.token, path)
      assert.deepStrictEqual(
        foreign.slice(0, 2),
        Array.from({ length: 2 }, () => [404, "provider_key_not_found"])
      )
      assert.deepStrictEqual(foreign.slice(0, 2), (yield* attempts(theirs.admin.token, nowhere)).slice(0, 2))
      assert.deepStrictEqual(
        (yield* list(send, theirs.admin.token)).filter((each) => Object(each)["id"] === body["id"]),
        []
      )
      // Keys of an API key: only with the scope for admins.
      for (const [scopes, status] of [
        [["chat", "keys:write"], 403],
        [["admin"], 200]
      ] as const) {
        const key = yield* send("POST", "/keys", { token: mine.admin.token, json: { name: "k", scopes } })
        assert.strictEqual((yield* send("GET", "/provider-keys", { token: String(key.body["key"]) })).status, status)
      }
      assert.strictEqual((yield* asked(send, mine.member.token)).key, "Bearer sk-mine")
      assert.deepInclude((yield* send("PATCH", path, { token: mine.admin.token, ...change })).body, {
        status: "disabled"
      })
      assert.strictEqual((yield* asked(send, mine.member.token)).key, `Bearer ${OURS}`)
      const enabled = yield* send("PATCH", path, { token: mine.admin.token, json: { disabled: false, name: "again" } })
      assert.deepInclude(enabled.body, { status: "active", name: "again", disabled_at: null })
      assert.strictEqual((yield* asked(send, mine.member.token)).key, "Bearer sk-mine")
      assert.strictEqual((yield* send("DELETE", path, { token: mine.admin.token })).status, 204)
      assert.strictEqual((yield* asked(send, mine.member.token)).key, `Bearer ${OURS}`)
      assert.deepStrictEqual(yield* query(`select from app.provider_keys where id = '${String(body["id"])}'`), [])
      assert.deepStrictEqual(says(yield* send("DELETE", path, { token: mine.admin.token })), [
        404,
        "provider_key_not_found"
      ])
      assert.deepStrictEqual(
        (yield* query(
          `select action from app.audit_events where tenant_id = '${mine.admin.tenant}' and action like 'provider_key.%' order by at, id`
        )).map(({ action }) => action),
        ["created", "changed", "changed", "deleted"].map((what) => `provider_key.${what}`)
      )
    })
  )

  it.effect("of several: the newest that names the model, else the newest for all", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { admin, member } = yield* office(send)
      const key = Effect.map(asked(send, member.token), ({ key }) => key)
      yield* bring(send, admin.token, "sk-old")
      yield* bring(send, admin.token, "sk-named", { models: ["fake-1"] })
      yield* bring(send, admin.token, "sk-new")
      assert.strictEqual(yield* key, "Bearer sk-named")
      const keys = yield* list(send, admin.token)
      const id = String(Object(keys[1])["id"])
      const changed = yield* send("PATCH", `/provider-keys/${id}`, {
        token: admin.token,
        json: { models: ["another"] }
      })
      assert.deepStrictEqual(changed.body["models"], ["another"])
      assert.strictEqual(yield* key, "Bearer sk-new")
      const page = yield* send("GET", "/provider-keys?limit=2", { token: admin.token })
      const next = yield* send("GET", `/provider-keys?limit=2&cursor=${String(page.body["next_cursor"])}`, {
        token: admin.token
      })
      assert.deepStrictEqual(
        [page, next].map(({ body }) => (Array.isArray(body["data"]) ? body["data"].length : 0)),
        [2, 1]
      )
    })
  )

  it.effect("is made once with an Idempotency-Key, and refused where it cannot be one", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { token } = yield* signUp(send)
      const headers = { "idempotency-key": randomUUID() }
      const json = { provider: "openai", name: "once", key: "sk-once" }
      const first = yield* send("POST", "/provider-keys", { token, json, headers })
      const second = yield* send("POST", "/provider-keys", { token, json, headers })
      assert.deepStrictEqual([second.status, second.body], [201, first.body])
      const other = yield* send("POST", "/provider-keys", { token, json: { ...json, key: "sk-two" }, headers })
      assert.deepStrictEqual(says(other), [422, "idempotency_mismatch"])
      assert.lengthOf(yield* list(send, token), 1)
      assert.deepStrictEqual(says(yield* bring(send, token, "sk-x", { provider: "nobody" })), [
        404,
        "provider_not_found"
      ])
      for (const wrong of [{ key: "" }, { key: "two words" }, { key: "ключ" }, { key: "k".repeat(1001) }, { name: "" }])
        assert.deepStrictEqual(says(yield* bring(send, token, "sk-x", wrong)), [400, "invalid_request"])
      assert.notInclude((yield* Running).process.output().stdout, "sk-once")
    })
  )

  it.effect("that cannot be decrypted shows as such, fails its tenant's questions, and stops nothing else", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const [mine, theirs] = [yield* office(send), yield* office(send)]
      yield* bring(send, mine.admin.token, "sk-lost")
      const lost = yield* another({ ENCRYPTION_KEY: encryptionKey() })
      const [shown] = yield* list(lost.send, mine.admin.token)
      assert.deepInclude(shown, { name: "ours", status: "unreadable" })
      // Never with the installation's key instead.
      assert.deepStrictEqual(yield* asked(lost.send, mine.member.token), { status: 502, sent: 0 })
      assert.strictEqual((yield* asked(lost.send, theirs.member.token)).key, `Bearer ${OURS}`)
      // Another one is under a new data key.
      assert.strictEqual((yield* bring(lost.send, mine.admin.token, "sk-found")).status, 201)
      assert.strictEqual((yield* asked(lost.send, mine.member.token)).key, "Bearer sk-found")
      assert.deepStrictEqual(
        (yield* list(lost.send, mine.admin.token)).map((each) => Object(each)["status"]),
        ["active", "unreadable"]
      )
      const id = String(Object(shown)["id"])
      assert.strictEqual((yield* lost.send("DELETE", `/provider-keys/${id}`, { token: mine.admin.token })).status, 204)
    })
  )

  it.effect("moves to a new key of the installation by keys:rotate, which may be killed and run again", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { admin, member } = yield* office(send)
      yield* bring(send, admin.token, "sk-kept")
      // Data keys of many tenants, and one that is under a key which nobody has.
      const second = encryptionKey()
      const tenants = Array.from({ length: MANY }, () => TenantId.make(randomUUID()))
      const keys = yield* Effect.forEach(tenants, (tenant) =>
        Effect.flatMap(Encryption, ({ makeKey }) =>
          Effect.map(makeKey(tenant, 1), ({ wrapped, wrapped_by }) => `('${tenant}', '\\x${wrapped}', '${wrapped_by}')`)
        )
      ).pipe(
        Effect.provide(
          Layer.provide(
            EncryptionLayer,
            Layer.succeed(EncryptionKeys, { all: Effect.succeed(of(Redacted.make(FIRST), [])) })
          )
        )
      )
      yield* query(
        `insert into app.tenants (id, name) select id, 'many' from unnest(array['${tenants.join("', '")}']::uuid[]) id`
      )
      yield* query(
        `insert into app.tenant_keys (tenant_id, version, wrapped, wrapped_by)
         select tenant::uuid, 1, wrapped::bytea, wrapped_by from (values ${keys.join(", ")}) v (tenant, wrapped, wrapped_by)`
      )
      yield* query(`update app.tenant_keys set wrapped_by = 'ffffffffffffffff' where tenant_id = '${tenants[0]}'`)
      const { adminUrl } = yield* TestDatabase
      const rotate = spawned(
        globalThis.process.execPath,
        [CLI, "keys:rotate"],
        { DATABASE_ADMIN_URL: Redacted.value(adminUrl), ENCRYPTION_KEY: second, ENCRYPTION_KEYS_OLD: FIRST },
        mkdtempSync(join(tmpdir(), "llm-saas-test-"))
      )
      const killed = yield* rotate
      yield* killed.says(/^100 …/mu)
      killed.child.kill("SIGKILL")
      yield* killed.ended
      // Both kinds are read meanwhile, by a process that has both keys.
      const both = yield* another({ ENCRYPTION_KEY: second, ENCRYPTION_KEYS_OLD: FIRST })
      assert.strictEqual((yield* asked(both.send, member.token)).key, "Bearer sk-kept")
      const again = yield* rotate
      assert.strictEqual((yield* again.ended).code, 1)
      const said =
        /^(\d+) data keys are encrypted with the current key now, (\d+) were before, (\d+) cannot be decrypted$/mu.exec(
          again.output().stdout
        )
      const [rotated = 0, before = 0, unreadable = 0] = (said ?? []).slice(1).map(Number)
      const [counted] = yield* query("select count(*)::int4 as count from app.tenant_keys")
      assert.isAtLeast(before, 99)
      assert.deepStrictEqual([rotated + before + unreadable, unreadable >= 1], [counted?.["count"], true])
      assert.match(again.output().stderr, /data keys? cannot be decrypted: what was ENCRYPTION_KEY then is missing/u)
      const third = yield* rotate
      yield* third.ended
      assert.match(third.output().stdout, /^0 data keys are encrypted with the current key now, /mu)
      const only = yield* another({ ENCRYPTION_KEY: second })
      assert.strictEqual((yield* asked(only.send, member.token)).key, "Bearer sk-kept")
      for (const text of [again.output(), third.output(), killed.output()].flatMap(({ stderr, stdout }) => [
        stderr,
        stdout
      ]))
        for (const secret of [FIRST, second, "sk-kept"]) assert.notInclude(text, secret)
    })
  )
})
