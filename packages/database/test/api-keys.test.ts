import { assert, layer } from "@effect/vitest"
import { Pool } from "@llm-saas/database/connections/Pool"
import { PreTenantAccess } from "@llm-saas/database/PreTenantAccess"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Fiber, Layer, Option } from "effect"
import { randomBytes, randomUUID } from "node:crypto"
import { open, type Session, stateOf } from "./Session.ts"

// What holds for API keys in the database itself, whatever the program above forgets.

interface Person {
  readonly tenant: string
  readonly user: string
}

const setting = Effect.gen(function* () {
  const { adminUrl, apiUrl } = yield* TestDatabase
  const admin = yield* open(adminUrl)
  const api = yield* open(apiUrl)
  const tenant = randomUUID()
  yield* api.rows("select * from auth.create_tenant($1, 'Acme', 'open', 'request')", [tenant])
  const person = Effect.gen(function* () {
    const user = randomUUID()
    yield* api.rows("select * from auth.register($1, $2, $3, '$argon2id$x', 'request')", [
      tenant,
      user,
      `${user}@example.com`
    ])
    return { tenant, user }
  })
  const boss = yield* person
  const member = yield* person
  const service = randomUUID()
  yield* admin.rows(
    "insert into app.users (tenant_id, id, email, role, kind, name) values ($1, $2, $3, 'user', 'service', 'nightly')",
    [tenant, service, `${service}@service.invalid`]
  )
  return { admin, api, tenant, boss, member, service: { tenant, user: service } }
})

const key = Effect.fnUntraced(function* (admin: Session, { tenant, user }: Person) {
  const id = randomUUID()
  const hash = randomBytes(32)
  yield* admin.rows(
    `insert into app.api_keys (tenant_id, id, user_id, public_id, secret_hash, name, scopes)
     values ($1, $2, $3, $4, $5, 'a key', '{chat}')`,
    [tenant, id, user, id.replaceAll("-", "").slice(0, 16), hash]
  )
  return { id, hash }
})

/** The state of statements in a room, which is left without a trace. */
const inside = (
  api: Session,
  { tenant, user }: Person,
  needs: string,
  sql: string,
  values: ReadonlyArray<unknown> = []
) =>
  Effect.gen(function* () {
    yield* api.rows("begin")
    yield* api.rows("select role from app.enter($1, $2, 0, $3)", [tenant, user, needs])
    const state = yield* Effect.match(api.count(sql, values), {
      onFailure: ({ state }) => state,
      onSuccess: (count) => `${count} rows`
    })
    yield* api.rows("rollback")
    return state
  })

const look = (api: Session, hash: Buffer) =>
  Effect.map(api.rows("select key_id, refused from auth.api_key($1)", [hash]), ([row]) => row)

layer(TestDatabase.layer)("API keys in a room", (it) => {
  it.effect("have a hash that nobody reads there, and no row of them is deleted or handed over there", () =>
    Effect.gen(function* () {
      const { admin, api, boss, member, tenant } = yield* setting
      const { id } = yield* key(admin, boss)
      for (const column of ["secret_hash", "previous_hash", "refused_at", "*"])
        assert.strictEqual(yield* inside(api, boss, "admin", `select ${column} from app.api_keys`), "42501", column)
      for (const sql of [
        "delete from app.api_keys",
        `update app.api_keys set user_id = '${member.user}'`,
        "update app.api_keys set previous_hash = secret_hash",
        "update app.api_keys set public_id = '0000000000000000'",
        "update app.api_keys set last_used_at = null"
      ])
        assert.strictEqual(yield* inside(api, boss, "admin", sql), "42501", sql)
      assert.strictEqual(
        yield* inside(api, boss, "admin", `update app.api_keys set name = 'x' where id = '${id}'`),
        "1 rows"
      )
      yield* api.rows("begin")
      for (const sql of ["select from app.api_keys", "update app.api_keys set name = 'x'"]) {
        yield* api.rows("savepoint s")
        assert.strictEqual(yield* stateOf(api.rows(sql)), "42501")
        yield* api.rows("rollback to s")
      }
      yield* api.rows("rollback")
      assert.isString(tenant)
    }).pipe(Effect.scoped)
  )

  it.effect("are made for oneself, and by admins for service accounts, and for nobody else", () =>
    Effect.gen(function* () {
      const { api, boss, member, service } = yield* setting
      const insert = (whose: Person) =>
        [
          `insert into app.api_keys (tenant_id, id, user_id, public_id, secret_hash, name, scopes)
          values (app.tenant_id(), gen_random_uuid(), $1, '0123456789abcdef', $2, 'x', '{chat}')`,
          [whose.user, randomBytes(32)]
        ] as const
      const made = (who: Person, needs: string, whose: Person) => inside(api, who, needs, ...insert(whose))
      assert.strictEqual(yield* made(member, "user", member), "1 rows")
      assert.strictEqual(yield* made(boss, "admin", boss), "1 rows")
      assert.strictEqual(yield* made(boss, "admin", service), "1 rows")
      assert.strictEqual(yield* made(service, "user", service), "1 rows")
      for (const [who, needs, whose] of [
        [boss, "admin", member],
        [member, "user", boss],
        [member, "user", service],
        [service, "user", member],
        // An admin who entered as a user.
        [boss, "own", service]
      ] as const)
        assert.strictEqual(yield* made(who, needs, whose), "42501")
    }).pipe(Effect.scoped)
  )

  it.effect(
    "get a new secret only by whom they act as, or by an admin for a service account; the old one is kept",
    () =>
      Effect.gen(function* () {
        const { admin, api, boss, member, service } = yield* setting
        const mine = yield* key(admin, member)
        const its = yield* key(admin, service)
        const rotate = (id: string) =>
          [
            `update app.api_keys set secret_hash = $1, previous_until = now() + interval '1 hour' where id = '${id}'`,
            [randomBytes(32)]
          ] as const
        assert.strictEqual(yield* inside(api, boss, "admin", ...rotate(mine.id)), "LL403")
        assert.strictEqual(yield* inside(api, boss, "admin", ...rotate(its.id)), "1 rows")
        assert.strictEqual(yield* inside(api, boss, "own", ...rotate(its.id)), "0 rows")
        assert.strictEqual(yield* inside(api, member, "user", ...rotate(its.id)), "0 rows")
        assert.strictEqual(yield* inside(api, member, "user", ...rotate(mine.id)), "1 rows")
        yield* api.rows("begin")
        yield* api.rows("select role from app.enter($1, $2, 0, 'user')", [member.tenant, member.user])
        const [sql, values] = rotate(mine.id)
        yield* api.rows(sql, values)
        yield* api.rows("commit")
        assert.deepStrictEqual(yield* look(api, mine.hash), { key_id: mine.id, refused: null })
        assert.deepStrictEqual(yield* look(api, values[0]), { key_id: mine.id, refused: null })
        yield* admin.rows("update app.api_keys set previous_until = now() where id = $1", [mine.id])
        assert.deepStrictEqual(yield* look(api, mine.hash), { key_id: mine.id, refused: "rotated" })
      }).pipe(Effect.scoped)
  )

  it.effect("that were deleted are not brought back, and an admin who entered as a user sees only their own", () =>
    Effect.gen(function* () {
      const { admin, api, boss, member } = yield* setting
      const mine = yield* key(admin, member)
      assert.strictEqual(
        yield* inside(api, boss, "admin", `select from app.api_keys where id = '${mine.id}'`),
        "1 rows"
      )
      assert.strictEqual(yield* inside(api, boss, "own", `select from app.api_keys where id = '${mine.id}'`), "0 rows")
      assert.strictEqual(yield* inside(api, boss, "own", "select from app.audit_events"), "0 rows")
      assert.strictEqual(yield* inside(api, boss, "own", "select from app.users"), "1 rows")
      yield* admin.rows("update app.api_keys set revoked_at = now() where id = $1", [mine.id])
      for (const who of [member, boss])
        assert.strictEqual(
          yield* inside(api, who, "user", `update app.api_keys set revoked_at = null where id = '${mine.id}'`),
          "0 rows"
        )
      assert.deepStrictEqual(yield* look(api, mine.hash), { key_id: mine.id, refused: "deleted" })
    }).pipe(Effect.scoped)
  )
})

layer(TestDatabase.layer)("the uses of API keys", (it) => {
  it.effect("are written once a minute, and wait for no row", () =>
    Effect.gen(function* () {
      const { admin, api, member } = yield* setting
      const { adminUrl } = yield* TestDatabase
      const [one, two] = [yield* key(admin, member), yield* key(admin, member)]
      const tenants = [member.tenant, member.tenant]
      const used = api.rows("select auth.api_keys_used($1, $2)", [tenants, [one.id, two.id]])
      const times = Effect.map(
        admin.rows("select last_used_at from app.api_keys where tenant_id = $1 order by id = $2 desc", [
          member.tenant,
          one.id
        ]),
        (rows) => rows.map((row) => row["last_used_at"])
      )
      const holder = yield* open(adminUrl)
      yield* holder.rows("begin")
      yield* holder.rows("select from app.api_keys where id = $1 for update", [one.id])
      yield* used
      const [held, free] = yield* times
      assert.isNull(held)
      assert.isNotNull(free)
      const refused = (id: string, reason: string) =>
        api.rows("select seen from auth.api_keys_refused($1, $2, $3, $4) seen", [
          [member.tenant],
          [id],
          [reason],
          ["r"]
        ])
      assert.deepStrictEqual(yield* refused(one.id, "disabled"), [])
      yield* holder.rows("rollback")
      yield* used
      const [first, second] = yield* times
      assert.isNotNull(first)
      assert.deepStrictEqual(second, free)
      yield* used
      assert.deepStrictEqual(yield* times, [first, second])

      for (let n = 0; n < 3; n++) assert.deepStrictEqual(yield* refused(one.id, "disabled"), [{ seen: one.id }])
      const events = Effect.map(
        admin.rows("select detail from app.audit_events where target_id = $1", [one.id]),
        (rows) => rows.map(({ detail }) => detail)
      )
      assert.deepStrictEqual(yield* events, [{ reason: "disabled" }])
      yield* admin.rows("update app.api_keys set refused_at = now() - interval '61 seconds' where id = $1", [one.id])
      yield* refused(one.id, "expired")
      assert.deepStrictEqual(yield* events, [{ reason: "disabled" }, { reason: "expired" }])
      // Of a key that there is not, or not in this tenant, nothing is written.
      assert.deepStrictEqual(
        yield* api.rows("select seen from auth.api_keys_refused($1, $2, $3, $4) seen", [
          [randomUUID()],
          [two.id],
          ["x"],
          ["r"]
        ]),
        []
      )
    }).pipe(Effect.scoped)
  )

  it.effect("are noticed for 30 days after a deletion; then the row is removed", () =>
    Effect.gen(function* () {
      const { admin, api, member } = yield* setting
      const [fresh, old] = [yield* key(admin, member), yield* key(admin, member)]
      yield* admin.rows("update app.api_keys set revoked_at = now() - interval '29 days' where id = $1", [fresh.id])
      yield* admin.rows("update app.api_keys set revoked_at = now() - interval '31 days' where id = $1", [old.id])
      while (Number((yield* api.rows("select work.purge(500) as n"))[0]?.["n"]) > 0);
      assert.deepStrictEqual(yield* look(api, fresh.hash), { key_id: fresh.id, refused: "deleted" })
      assert.isUndefined(yield* look(api, old.hash))
    }).pipe(Effect.scoped)
  )

  it.effect("are looked up after each request came, however many share a look", () =>
    Effect.gen(function* () {
      const { admin, boss } = yield* setting
      const { adminUrl, apiUrl } = yield* TestDatabase
      const locker = yield* open(adminUrl)
      const { hash, id } = yield* key(admin, boss)
      const pool = Pool.layer({ url: apiUrl, size: 8, acquireTimeout: "30 seconds", waiting: 100 })
      yield* Effect.gen(function* () {
        const access = yield* PreTenantAccess
        const ask = Effect.forkChild(access.key(hash.toString("hex"), undefined), { startImmediately: true })
        // The look reads the owner, too: so it is under way for as long as nobody may.
        yield* locker.rows("begin")
        yield* locker.rows("lock table app.users in access exclusive mode")
        const early = yield* ask
        const waits = admin.count(
          "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%auth.api_key%'"
        )
        while ((yield* waits) === 0) continue
        yield* admin.rows("update app.api_keys set disabled_at = now() where id = $1", [id])
        const late = [yield* ask, yield* ask, yield* ask]
        yield* locker.rows("commit")

        const refused = Option.map(({ refused }: { readonly refused: string | null }) => refused)
        // It asked while the key worked.
        assert.deepStrictEqual(refused(yield* Fiber.join(early)), Option.some(null))
        const found = yield* Effect.forEach(late, Fiber.join)
        for (const one of found) {
          assert.deepStrictEqual(refused(one), Option.some("disabled"))
          assert.strictEqual(one, found[0], "one look for all of them")
        }
      }).pipe(Effect.provide(Layer.provide(PreTenantAccess.layer, pool)))
    }).pipe(Effect.scoped)
  )
})
