import { assert, layer } from "@effect/vitest"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect } from "effect"
import { createHash, randomUUID } from "node:crypto"
import { open, type Session, stateOf } from "./Session.ts"

const login = Effect.flatMap(TestDatabase, ({ apiUrl }) => open(apiUrl))
const administrator = Effect.flatMap(TestDatabase, ({ adminUrl }) => open(adminUrl))

/** A tenant with an admin and a user, whose registration is closed. */
const office = Effect.fnUntraced(function* (admin: Session) {
  const [tenant, boss, user] = [randomUUID(), randomUUID(), randomUUID()]
  yield* admin.rows(
    "insert into app.tenants (id, name, registration, bootstrapped_at) values ($1, 'Acme', 'closed', now())",
    [tenant]
  )
  yield* admin.rows(
    `insert into app.users (tenant_id, id, email, role)
     values ($1, $2, 'boss@example.com', 'admin'), ($1, $3, 'user@example.com', 'user')`,
    [tenant, boss, user]
  )
  return { tenant, boss, user }
})

/** An invitation with its link; returns its id, and the hash of the link's token. */
const invite = Effect.fnUntraced(function* (admin: Session, tenant: string, by: string, role = "user") {
  const [id, email] = [randomUUID(), `${randomUUID()}@example.com`]
  yield* admin.rows(
    `insert into app.invitations (tenant_id, id, email, role, invited_by, expires_at)
     values ($1, $2, $3, $4, $5, now() + interval '7 days')`,
    [tenant, id, email, role, by]
  )
  const hash = createHash("sha256").update(id).digest()
  yield* admin.rows(
    `insert into app.one_time_tokens (tenant_id, id, purpose, subject_id, address, hash, expires_at)
     values ($1, $2, 'invitation', $3, $4, $5, now() + interval '7 days')`,
    [tenant, randomUUID(), id, email, hash]
  )
  return { id, email, hash }
})

const find = (api: Session, hash: Buffer) => api.rows("select * from auth.find_invitation($1)", [hash])
const accept = (api: Session, hash: Buffer, user = randomUUID()) =>
  api.rows("select outcome, role from auth.accept_invitation($1, $2, '$argon2id$new', 'request')", [hash, user])

layer(TestDatabase.layer)("an invitation", (it) => {
  it.effect("makes the account it offers, with its address proven, though registration is closed", () =>
    Effect.gen(function* () {
      const [api, admin] = [yield* login, yield* administrator]
      const { boss, tenant } = yield* office(admin)
      const { email, hash, id } = yield* invite(admin, tenant, boss, "admin")
      assert.deepInclude((yield* find(api, hash))[0], { tenant_id: tenant, tenant_name: "Acme", email, role: "admin" })
      const user = randomUUID()
      assert.deepStrictEqual(yield* accept(api, hash, user), [{ outcome: "accepted", role: "admin" }])
      assert.deepStrictEqual(
        yield* admin.rows(
          `select u.role, u.email_verified_at is not null as proven, c.password_hash, i.accepted_at is not null as accepted
           from app.users u join app.credentials c on c.user_id = u.id join app.invitations i on i.user_id = u.id
           where u.tenant_id = $1 and u.email = $2`,
          [tenant, email]
        ),
        [{ role: "admin", proven: true, password_hash: "$argon2id$new", accepted: true }]
      )
      assert.deepStrictEqual(
        yield* admin.rows("select action, target_id from app.audit_events where actor_user_id = $1 order by id", [
          user
        ]),
        [
          { action: "user.registered", target_id: user },
          { action: "invitation.accepted", target_id: id }
        ]
      )
      assert.deepStrictEqual([yield* find(api, hash), yield* accept(api, hash)], [[], []])
    }).pipe(Effect.scoped)
  )

  it.effect("is accepted once, by however many at once", () =>
    Effect.gen(function* () {
      const admin = yield* administrator
      const { boss, tenant } = yield* office(admin)
      const sessions = yield* Effect.all(
        Array.from({ length: 8 }, () => login),
        { concurrency: "unbounded" }
      )
      const { email, hash } = yield* invite(admin, tenant, boss)
      const all = yield* Effect.forEach(sessions, (session) => accept(session, hash), { concurrency: "unbounded" })
      assert.deepStrictEqual(all.flat(), [{ outcome: "accepted", role: "user" }])
      assert.lengthOf(yield* admin.rows("select from app.users where email = $1", [email]), 1)
    }).pipe(Effect.scoped)
  )

  it.effect(
    "is as good as its sender: not of one who was demoted, disabled or deleted, and not of a suspended tenant",
    () =>
      Effect.gen(function* () {
        const [api, admin] = [yield* login, yield* administrator]
        const { boss, tenant, user } = yield* office(admin)
        yield* admin.rows("update app.users set role = 'admin' where id = $1", [user])
        const { hash } = yield* invite(admin, tenant, boss)
        for (const [change, back] of [
          ["role = 'user'", "role = 'admin'"],
          ["status = 'disabled'", "status = 'active'"],
          ["deleted_at = now()", "deleted_at = null"]
        ]) {
          yield* admin.rows(`update app.users set ${change} where id = $1`, [boss])
          assert.deepStrictEqual([yield* find(api, hash), yield* accept(api, hash)], [[], []], change)
          yield* admin.rows(`update app.users set ${back} where id = $1`, [boss])
        }
        yield* admin.rows("update app.tenants set status = 'suspended' where id = $1", [tenant])
        assert.deepStrictEqual([yield* find(api, hash), yield* accept(api, hash)], [[], []])
        yield* admin.rows("update app.tenants set status = 'active' where id = $1", [tenant])
        assert.lengthOf(yield* accept(api, hash), 1)
      }).pipe(Effect.scoped)
  )

  it.effect("does not hold once it is revoked or too old, or its link is void, or for another address", () =>
    Effect.gen(function* () {
      const [api, admin] = [yield* login, yield* administrator]
      const { boss, tenant } = yield* office(admin)
      for (const [table, change] of [
        ["invitations", "revoked_at = now()"],
        ["invitations", "expires_at = now()"],
        ["invitations", "email = 'another@example.com'"],
        ["one_time_tokens", "voided_at = now()"],
        ["one_time_tokens", "expires_at = now()"],
        ["one_time_tokens", "purpose = 'email_verify'"]
      ]) {
        const { hash, id } = yield* invite(admin, tenant, boss)
        yield* admin.rows(
          `update app.${table} set ${change} where tenant_id = $1 and $2 in (id${table === "invitations" ? "" : ", subject_id"})`,
          [tenant, id]
        )
        assert.deepStrictEqual([yield* find(api, hash), yield* accept(api, hash)], [[], []], change)
      }
      assert.deepStrictEqual(yield* accept(api, Buffer.alloc(32)), [])
    }).pipe(Effect.scoped)
  )

  it.effect("of an address that has an account by now says so, and is not used up", () =>
    Effect.gen(function* () {
      const [api, admin] = [yield* login, yield* administrator]
      const { boss, tenant } = yield* office(admin)
      const { email, hash } = yield* invite(admin, tenant, boss)
      const taken = randomUUID()
      yield* admin.rows("insert into app.users (tenant_id, id, email, role) values ($1, $2, $3, 'user')", [
        tenant,
        taken,
        email
      ])
      assert.deepStrictEqual(yield* accept(api, hash), [{ outcome: "taken", role: null }])
      yield* admin.rows("update app.users set deleted_at = now() where id = $1", [taken])
      assert.deepStrictEqual(yield* accept(api, hash), [{ outcome: "accepted", role: "user" }])
    }).pipe(Effect.scoped)
  )

  it.effect("is the admins' to see, to make in their own name, and to change while it is open", () =>
    Effect.gen(function* () {
      const [api, admin] = [yield* login, yield* administrator]
      const { boss, tenant, user } = yield* office(admin)
      const { id } = yield* invite(admin, tenant, boss)
      const inRoom = (as: string, sql: string, values: ReadonlyArray<unknown> = []) =>
        Effect.gen(function* () {
          yield* api.rows("begin")
          yield* api.rows("select app.enter($1, $2, 0, 'user')", [tenant, as])
          return yield* Effect.ensuring(api.rows(sql, values), Effect.ignore(api.rows("rollback")))
        })
      const insert = `insert into app.invitations (tenant_id, id, email, role, invited_by, expires_at)
        values (app.tenant_id(), gen_random_uuid(), 'x@example.com', 'user', $1, now())`
      assert.lengthOf(yield* inRoom(boss, "select from app.invitations"), 1)
      assert.lengthOf(yield* inRoom(user, "select from app.invitations"), 0)
      assert.strictEqual(yield* stateOf(inRoom(boss, insert, [boss])), "fine")
      assert.strictEqual(yield* stateOf(inRoom(boss, insert, [user])), "42501")
      assert.strictEqual(yield* stateOf(inRoom(user, insert, [user])), "42501")
      assert.strictEqual(yield* stateOf(inRoom(boss, "update app.invitations set accepted_at = now()")), "42501")
      assert.strictEqual(yield* stateOf(inRoom(boss, "update app.invitations set email = 'y@example.com'")), "42501")
      assert.strictEqual(yield* stateOf(inRoom(boss, "delete from app.invitations")), "42501")
      const revoke = "update app.invitations set revoked_at = now() returning id"
      assert.deepStrictEqual(yield* inRoom(boss, revoke), [{ id }])
      yield* admin.rows("update app.invitations set revoked_at = now() where id = $1", [id])
      assert.deepStrictEqual(yield* inRoom(boss, "update app.invitations set revoked_at = null returning id"), [])
    }).pipe(Effect.scoped)
  )

  it.effect("is removed a month after it expired, and with the account that it made", () =>
    Effect.gen(function* () {
      const [api, admin] = [yield* login, yield* administrator]
      const { boss, tenant } = yield* office(admin)
      const old = yield* invite(admin, tenant, boss)
      const kept = yield* invite(admin, tenant, boss)
      const used = yield* invite(admin, tenant, boss)
      yield* admin.rows("update app.invitations set expires_at = now() - interval '31 days' where id = $1", [old.id])
      yield* admin.rows("update app.invitations set expires_at = now() - interval '29 days' where id = $1", [kept.id])
      const user = randomUUID()
      yield* accept(api, used.hash, user)
      yield* admin.rows("insert into app.deletions (tenant_id, id, kind, user_id) values ($1, $2, 'user', $2)", [
        tenant,
        user
      ])
      while (Number((yield* api.rows("select work.purge(100) as n"))[0]?.["n"]) > 0);
      assert.deepStrictEqual(yield* admin.rows("select id from app.invitations where tenant_id = $1", [tenant]), [
        { id: kept.id }
      ])
    }).pipe(Effect.scoped)
  )
})
