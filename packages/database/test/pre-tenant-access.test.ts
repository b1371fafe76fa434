import { assert, layer } from "@effect/vitest"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { open, type Session } from "./Session.ts"

const login = Effect.flatMap(TestDatabase, ({ apiUrl }) => open(apiUrl))

const administrator = Effect.flatMap(TestDatabase, ({ adminUrl }) => open(adminUrl))

const create = (api: Session, registration = "open") => {
  const tenant = randomUUID()
  return Effect.as(
    api.rows("select * from auth.create_tenant($1, 'Acme', $2, 'request')", [tenant, registration]),
    tenant
  )
}

const register = (api: Session, tenant: string, email = `${randomUUID()}@example.com`) =>
  Effect.map(
    api.rows("select role from auth.register($1, $2, $3, '$argon2id$first', 'request')", [tenant, randomUUID(), email]),
    ([row]) => row?.["role"]
  )

layer(TestDatabase.layer)("a new installation", (it) => {
  it.effect("has no account, no key and no operator's token: there is no default one", () =>
    Effect.gen(function* () {
      const admin = yield* administrator
      for (const table of ["app.tenants", "app.users", "app.credentials", "app.api_keys", "operator.tokens"])
        assert.deepStrictEqual(yield* admin.rows(`select 1 from ${table} limit 1`), [], table)
    }).pipe(Effect.scoped)
  )
})

layer(TestDatabase.layer)("before a tenant is known", (it) => {
  it.effect("of twelve who register at once exactly one is admin, of a closed tenant too", () =>
    Effect.gen(function* () {
      const api = yield* login
      const others = yield* Effect.all(
        Array.from({ length: 12 }, () => login),
        { concurrency: "unbounded" }
      )
      for (const [registration, rest] of [
        ["open", "user"],
        ["closed", undefined]
      ] as const) {
        const tenant = yield* create(api, registration)
        const roles = yield* Effect.forEach(others, (session) => register(session, tenant), {
          concurrency: "unbounded"
        })
        assert.strictEqual(roles.filter((role) => role === "admin").length, 1)
        assert.strictEqual(roles.filter((role) => role === rest).length, 11)
      }
    }).pipe(Effect.scoped)
  )

  it.effect("registration is refused without a reason: unknown, suspended or closed tenant, address taken", () =>
    Effect.gen(function* () {
      const api = yield* login
      const admin = yield* administrator
      const tenant = yield* create(api)
      assert.strictEqual(yield* register(api, tenant, "first@example.com"), "admin")
      assert.strictEqual(yield* register(api, tenant, "first@example.com"), undefined)
      assert.strictEqual(yield* register(api, randomUUID()), undefined)
      assert.strictEqual(yield* register(api, tenant), "user")
      yield* admin.rows("update app.tenants set registration = 'closed' where id = $1", [tenant])
      assert.strictEqual(yield* register(api, tenant), undefined)
      yield* admin.rows("update app.tenants set registration = 'open', status = 'suspended' where id = $1", [tenant])
      assert.strictEqual(yield* register(api, tenant), undefined)
      assert.strictEqual(
        yield* register(api, yield* create(api), "first@example.com"),
        "admin",
        "the same address elsewhere"
      )
    }).pipe(Effect.scoped)
  )

  it.effect("a login finds active users of active tenants, oldest first, and however many there are", () =>
    Effect.gen(function* () {
      const api = yield* login
      const admin = yield* administrator
      const email = `${randomUUID()}@example.com`
      const tenants = yield* Effect.forEach(Array.from({ length: 7 }), () =>
        Effect.tap(create(api), (tenant) => register(api, tenant, email))
      )
      const found = (tenant: string | null = null) =>
        Effect.map(
          api.rows("select tenant_id, role, password_hash from auth.login_candidates($1, $2)", [email, tenant]),
          (rows) => rows.map((row) => row["tenant_id"])
        )
      assert.deepStrictEqual(yield* found(), tenants)
      assert.deepStrictEqual(yield* found(tenants[6]), tenants.slice(6))
      assert.deepStrictEqual(yield* found(randomUUID()), [])
      yield* admin.rows("update app.tenants set status = 'suspended' where id = $1", [tenants[0]])
      yield* admin.rows("update app.users set email = 'else@example.com' where tenant_id = $1", [tenants[1]])
      assert.deepStrictEqual(yield* found(), tenants.slice(2))
    }).pipe(Effect.scoped)
  )

  it.effect(
    "a hash is replaced only if the old one is unchanged, and a login is recorded only for existing users",
    () =>
      Effect.gen(function* () {
        const api = yield* login
        const admin = yield* administrator
        const tenant = yield* create(api)
        yield* register(api, tenant)
        const [row] = yield* admin.rows("select id from app.users where tenant_id = $1", [tenant])
        const user = row?.["id"]
        const rehash = (old: string, next: string) =>
          api.rows("select auth.rehash($1, $2, $3, $4)", [tenant, user, old, next])
        yield* rehash("$argon2id$other", "$argon2id$wrong")
        yield* rehash("$argon2id$first", "$argon2id$second")
        assert.deepStrictEqual(
          yield* admin.rows("select password_hash from app.credentials where user_id = $1", [user]),
          [{ password_hash: "$argon2id$second" }]
        )
        const other = yield* create(api)
        const record = (tenants: ReadonlyArray<unknown>, users: ReadonlyArray<unknown>, succeeded: unknown) =>
          api.rows("select auth.login_record($1::uuid[], $2::uuid[], $3::uuid, 'request')", [tenants, users, succeeded])
        yield* record([tenant], [user], user)
        yield* record([other, tenant], [user, user], null)
        yield* record([tenant], [randomUUID()], null)
        yield* record([], [], null)
        const events = yield* admin.rows(
          "select action, actor_user_id = $2 as own, target_id = $2 as target, request_id from app.audit_events where tenant_id = $1 order by at",
          [tenant, user]
        )
        assert.deepStrictEqual(events, [
          { action: "tenant.created", own: null, target: false, request_id: "request" },
          { action: "user.registered", own: true, target: true, request_id: "request" },
          { action: "login.succeeded", own: true, target: true, request_id: "request" },
          { action: "login.failed", own: null, target: true, request_id: "request" }
        ])
      }).pipe(Effect.scoped)
  )
})
