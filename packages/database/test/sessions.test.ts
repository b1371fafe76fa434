import { assert, layer } from "@effect/vitest"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Fiber } from "effect"
import { createHash, randomUUID } from "node:crypto"
import { open, type Session, stateOf } from "./Session.ts"

// Sessions in the database: who begins, renews and ends them.

interface Person {
  readonly tenant: string
  readonly user: string
}

const hashOf = (text: string) => createHash("sha256").update(text).digest()

/** A tenant with an admin and a user, and logins to try things with. */
const setting = Effect.gen(function* () {
  const { adminUrl, apiUrl } = yield* TestDatabase
  const [admin, api, other] = [yield* open(adminUrl), yield* open(apiUrl), yield* open(apiUrl)]
  const tenant = randomUUID()
  yield* api.rows("select * from auth.create_tenant($1, 'Acme', 'open', null)", [tenant])
  const register = Effect.fnUntraced(function* (): Effect.fn.Return<Person> {
    const user = randomUUID()
    yield* Effect.orDie(
      api.rows("select * from auth.register($1, $2, $3, '$argon2id$x', null)", [tenant, user, `${user}@acme.test`])
    )
    return { tenant, user }
  })
  return { admin, api, other, boss: yield* register(), alice: yield* register() }
})

const inRoom = Effect.fnUntraced(function* <A, E>(
  session: Session,
  { tenant, user }: Person,
  work: Effect.Effect<A, E>,
  needs = "user",
  of: string | null = null
) {
  yield* session.rows("begin")
  return yield* session.rows("select role from app.enter($1, $2, 0, $3, $4)", [tenant, user, needs, of]).pipe(
    Effect.andThen(work),
    Effect.tap(() => session.rows("commit")),
    Effect.tapCause(() => Effect.ignore(session.rows("rollback")))
  )
})

const insert = (session: Session, { tenant, user }: Person, id: string, secret: string) =>
  session.rows(
    `insert into app.sessions (tenant_id, id, user_id, method, token_epoch, secret_hash, idle_until, ends_at)
     values ($1, $2, $3, 'password', 0, $4, now() + '1 day', now() + '2 days')`,
    [tenant, id, user, hashOf(secret)]
  )

const begin = Effect.fnUntraced(function* (session: Session, who: Person) {
  const [id, secret] = [randomUUID(), randomUUID()]
  yield* inRoom(session, who, insert(session, who, id, secret))
  return { id, secret }
})

const RENEW = "select * from auth.renew_session($1, $2, 3600, 30, '192.0.2.1', null)"

const renew = (session: Session, from: string, to: string) =>
  Effect.map(session.rows(RENEW, [hashOf(from), hashOf(to)]), ([row]) => row?.["outcome"])

layer(TestDatabase.layer)("a session in the database", (it) => {
  it.effect("is begun by its own user, for no one else, and ended by its user or an admin, for good", () =>
    Effect.gen(function* () {
      const { alice, api, boss } = yield* setting
      for (const needs of ["user", "admin"])
        assert.strictEqual(
          yield* stateOf(inRoom(api, boss, insert(api, alice, randomUUID(), randomUUID()), needs)),
          "42501"
        )
      const [hers, his] = [yield* begin(api, alice), yield* begin(api, boss)]
      const END = "update app.sessions set ended_at = now(), ended_reason = 'tried' where id = $1"
      const REVIVE = "update app.sessions set ended_at = null, ended_reason = null where id = $1"
      assert.strictEqual(yield* inRoom(api, alice, api.count(END, [his.id])), 0)
      assert.strictEqual(yield* inRoom(api, boss, api.count(END, [hers.id]), "own"), 0)
      assert.strictEqual(yield* inRoom(api, boss, api.count(END, [hers.id]), "admin"), 1)
      for (const who of [alice, boss]) assert.strictEqual(yield* inRoom(api, who, api.count(REVIVE, [hers.id])), 0)
      assert.strictEqual(yield* stateOf(inRoom(api, alice, api.rows("select secret_hash from app.sessions"))), "42501")
      assert.strictEqual(yield* stateOf(inRoom(api, alice, api.rows("select hash from app.session_tokens"))), "42501")
    }).pipe(Effect.scoped)
  )

  it.effect("lets its user in until it is over, and no one else", () =>
    Effect.gen(function* () {
      const { admin, alice, api, boss } = yield* setting
      const stranger = (yield* setting).alice
      const { id } = yield* begin(api, alice)
      const enter = (who: Person, of: string) => stateOf(inRoom(api, who, Effect.void, "user", of))
      assert.strictEqual(yield* enter(alice, id), "fine")
      for (const [who, of] of [
        [boss, id],
        [stranger, id],
        [alice, randomUUID()]
      ] as const)
        assert.strictEqual(yield* enter(who, of), "LL401")
      for (const over of ["ended_at = now(), ended_reason = 'tried'", "idle_until = now()"]) {
        yield* admin.rows(`update app.sessions set ${over} where id = $1`, [id])
        assert.strictEqual(yield* enter(alice, id), "LL401", over)
        yield* admin.rows(
          "update app.sessions set ended_at = null, ended_reason = null, idle_until = now() + '1 day' where id = $1",
          [id]
        )
        assert.strictEqual(yield* enter(alice, id), "fine")
      }
    }).pipe(Effect.scoped)
  )

  it.effect("that two renew at once is renewed by the first, and the second waits and gets the same successor", () =>
    Effect.gen(function* () {
      const { alice, api, other } = yield* setting
      const { id, secret } = yield* begin(api, alice)
      yield* api.rows("begin")
      assert.strictEqual(yield* renew(api, secret, "next"), "renewed")
      const second = yield* Effect.forkChild(renew(other, secret, "next"), { startImmediately: true })
      const waiting = Effect.gen(function* () {
        const { adminUrl } = yield* TestDatabase
        const admin = yield* open(adminUrl)
        for (let tries = 0; tries < 1000; tries++) {
          const rows = yield* admin.rows(
            "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%renew_session%'"
          )
          if (rows.length > 0) return true
        }
        return false
      }).pipe(Effect.scoped)
      assert.isTrue(yield* waiting)
      yield* api.rows("commit")
      assert.strictEqual(yield* Fiber.join(second), "repeated")
      const [row] = yield* inRoom(api, alice, api.rows("select rotations from app.sessions where id = $1", [id]))
      assert.strictEqual(row?.["rotations"], 1)
    }).pipe(Effect.scoped)
  )

  it.effect("that rolled back is as it was", () =>
    Effect.gen(function* () {
      const { alice, api } = yield* setting
      const { secret } = yield* begin(api, alice)
      yield* api.rows("begin")
      yield* renew(api, secret, "lost")
      yield* api.rows("rollback")
      assert.strictEqual(yield* renew(api, secret, "kept"), "renewed")
      assert.isUndefined(yield* renew(api, "lost", "again"))
    }).pipe(Effect.scoped)
  )

  it.effect("whose SECRET_KEY changed refuses a repeated token without ending, and goes on with the current one", () =>
    Effect.gen(function* () {
      const { alice, api } = yield* setting
      const { secret } = yield* begin(api, alice)
      assert.strictEqual(yield* renew(api, secret, "by the old key"), "renewed")
      assert.isUndefined(yield* renew(api, secret, "by the new key"))
      assert.strictEqual(yield* renew(api, "by the old key", "third"), "renewed")
    }).pipe(Effect.scoped)
  )

  it.effect("keeps the hashes of the last 500 of its tokens; an older one is unknown, and ends nothing", () =>
    Effect.gen(function* () {
      const { admin, alice, api } = yield* setting
      const { id, secret } = yield* begin(api, alice)
      assert.strictEqual(yield* renew(api, secret, "1"), "renewed")
      yield* admin.rows(
        `insert into app.session_tokens (tenant_id, session_id, place, hash)
         select $1, $2, n, sha256(('old ' || n)::bytea) from generate_series(1, 500) n`,
        [alice.tenant, id]
      )
      yield* admin.rows("update app.sessions set rotations = 501 where id = $1", [id])
      assert.strictEqual(yield* renew(api, "1", "2"), "renewed")
      const [row] = yield* admin.rows(
        "select count(*)::int4 as n, min(place) as least from app.session_tokens where session_id = $1",
        [id]
      )
      assert.deepStrictEqual(row, { n: 500, least: 2 })
      assert.isUndefined(yield* renew(api, secret, "x"))
      assert.strictEqual(yield* renew(api, "old 2", "x"), "reused")
      assert.strictEqual(yield* renew(api, "2", "3"), "ended")
    }).pipe(Effect.scoped)
  )

  it.effect("of a suspended tenant renews nothing, and goes on with the tenant", () =>
    Effect.gen(function* () {
      const { admin, alice, api } = yield* setting
      const { secret } = yield* begin(api, alice)
      yield* admin.rows("update app.tenants set status = 'suspended' where id = $1", [alice.tenant])
      assert.strictEqual(yield* renew(api, secret, "next"), "ended")
      yield* admin.rows("update app.tenants set status = 'active' where id = $1", [alice.tenant])
      assert.strictEqual(yield* renew(api, secret, "next"), "renewed")
    }).pipe(Effect.scoped)
  )

  it.effect("is removed thirty days after it was over, with its tokens, or with its user", () =>
    Effect.gen(function* () {
      const { admin, alice, api, boss } = yield* setting
      const [old, recent, deleted] = [yield* begin(api, boss), yield* begin(api, boss), yield* begin(api, alice)]
      for (const { secret } of [old, recent, deleted]) yield* renew(api, secret, `${secret} 2`)
      yield* admin.rows("update app.sessions set idle_until = now() - '31 days'::interval where id = $1", [old.id])
      yield* admin.rows(
        "update app.sessions set ended_at = now() - '29 days'::interval, ended_reason = 'tried', idle_until = now() - '31 days'::interval where id = $1",
        [recent.id]
      )
      yield* inRoom(
        api,
        boss,
        api.rows("insert into app.deletions (tenant_id, id, kind, user_id) values ($1, $2, 'user', $2)", [
          alice.tenant,
          alice.user
        ]),
        "admin"
      )
      while ((yield* api.rows("select work.purge(100) as n"))[0]?.["n"] !== 0);
      const left = yield* admin.rows(
        "select s.id, t.place from app.sessions s join app.session_tokens t on t.session_id = s.id where s.tenant_id = $1",
        [alice.tenant]
      )
      assert.deepStrictEqual(left, [{ id: recent.id, place: 0 }])
    }).pipe(Effect.scoped)
  )
})
