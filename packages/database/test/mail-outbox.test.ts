import { assert, layer } from "@effect/vitest"
import { Pool } from "@llm-saas/database/connections/Pool"
import { type DueMail, MailOutbox } from "@llm-saas/database/MailOutbox"
import { MailId } from "@llm-saas/domain/Mail"
import { TenantId } from "@llm-saas/domain/Tenant"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Layer } from "effect"
import { createHash, randomUUID } from "node:crypto"
import { open, type Session, stateOf } from "./Session.ts"

const outbox = MailOutbox.layer.pipe(
  Layer.provide(
    Layer.unwrap(
      Effect.map(TestDatabase, ({ jobsUrl }) =>
        Pool.layer({ url: jobsUrl, size: 4, acquireTimeout: "5 seconds", waiting: 1000 })
      )
    )
  )
)
const world = outbox.pipe(Layer.provideMerge(TestDatabase.layer))

const NOBODY = TenantId.make("00000000-0000-0000-0000-000000000000")

const claim = (worker: string, after: TenantId = NOBODY, limit = 100) =>
  Effect.flatMap(MailOutbox, (mails) => mails.claim({ worker, after, limit, seconds: 60 }))

const admin = Effect.flatMap(TestDatabase, ({ adminUrl }) => open(adminUrl))

const newTenant = Effect.fnUntraced(function* (session: Session) {
  const id = TenantId.make(randomUUID())
  yield* session.rows("insert into app.tenants (id, name) values ($1, 'Acme')", [id])
  return id
})

const write = Effect.fnUntraced(function* (
  session: Session,
  tenant: TenantId,
  mail: { readonly user?: string; readonly token?: string; readonly created?: string } = {}
) {
  const id = MailId.make(randomUUID())
  yield* session.rows(
    `insert into app.mails (tenant_id, id, subject_id, address, template, data, token_id, created_at)
     values ($1, $2, $3, 'ann@example.com', 'email_changed', '{"next": "b@example.com"}', $4, now() - $5::interval)`,
    [tenant, id, mail.user ?? null, mail.token ?? null, mail.created ?? "0"]
  )
  return id
})

const writeToken = Effect.fnUntraced(function* (session: Session, tenant: TenantId, state = "used_at = null") {
  const id = randomUUID()
  yield* session.rows(
    `insert into app.one_time_tokens (tenant_id, id, purpose, subject_id, address, hash, expires_at)
     values ($1, $2, 'email_verify', gen_random_uuid(), 'token@example.com', $3, now() + interval '30 minutes')`,
    [tenant, id, createHash("sha256").update(id).digest()]
  )
  yield* session.rows(`update app.one_time_tokens set ${state} where id = $1`, [id])
  return id
})

const idsOf = (mails: ReadonlyArray<DueMail>) => mails.map(({ id }) => id)

const clear = (session: Session) => session.rows("delete from app.mails")

layer(world)("the outbox of mails", (it) => {
  it.effect("gives a mail to one process at a time, and to another one when that is lost", () =>
    Effect.gen(function* () {
      const session = yield* admin
      yield* clear(session)
      const id = yield* write(session, yield* newTenant(session))
      const [first, second] = [randomUUID(), randomUUID()]
      const both = yield* Effect.all([claim(first), claim(second)], { concurrency: 2 })
      assert.deepStrictEqual(both.flatMap(idsOf), [id])
      yield* session.rows("update app.mails set next_at = now()")
      const [again] = yield* claim(second)
      assert.strictEqual(again?.attempts, 2)
      const mails = yield* MailOutbox
      const lost = both[0].length === 1 ? first : second
      if (again !== undefined && lost === first) {
        yield* mails.settle(first, again, { outcome: "sent" })
        assert.lengthOf(yield* session.rows("select from app.mails where ended_at is not null"), 0)
      }
      if (again !== undefined) yield* mails.settle(second, again, { outcome: "sent" })
      assert.lengthOf(yield* session.rows("select from app.mails where ended_at is not null and failure is null"), 1)
      assert.lengthOf(yield* claim(randomUUID()), 0)
    }).pipe(Effect.scoped)
  )

  it.effect("lets tenants take turns: one with many mails makes no other wait", () =>
    Effect.gen(function* () {
      const session = yield* admin
      yield* clear(session)
      const loud = yield* newTenant(session)
      for (let count = 0; count < 7; count++) yield* write(session, loud)
      const quiet = [yield* newTenant(session), yield* newTenant(session)]
      for (const tenant of quiet) yield* write(session, tenant)
      const worker = randomUUID()
      const mails = yield* claim(worker)
      assert.strictEqual(mails.filter(({ tenant_id }) => tenant_id === loud).length, 2)
      assert.sameMembers(
        mails.map(({ tenant_id }) => tenant_id).filter((tenant) => tenant !== loud),
        quiet
      )
      const order = [...quiet, loud].sort()
      yield* session.rows("update app.mails set next_at = now()")
      // One at a time, after the tenant before: each once, round and round.
      const seen: Array<TenantId> = []
      let after = NOBODY
      for (let count = 0; count < 4; count++) {
        const [mail] = yield* claim(worker, after, 1)
        if (mail !== undefined) seen.push((after = mail.tenant_id))
      }
      assert.deepStrictEqual(seen.slice(0, 3), order)
      assert.strictEqual(seen[3], loud)
    }).pipe(Effect.scoped)
  )

  it.effect("gives up what has no use any more, and sends a link only to the address of its token", () =>
    Effect.gen(function* () {
      const session = yield* admin
      yield* clear(session)
      const tenant = yield* newTenant(session)
      const good = yield* write(session, tenant, { token: yield* writeToken(session, tenant) })
      const bad: Array<string> = [
        yield* write(session, tenant, { token: yield* writeToken(session, tenant, "used_at = now()") }),
        yield* write(session, tenant, { token: yield* writeToken(session, tenant, "voided_at = now()") }),
        yield* write(session, tenant, { token: yield* writeToken(session, tenant, "expires_at = now()") }),
        yield* write(session, tenant, { created: "3 days" })
      ]
      const user = randomUUID()
      yield* session.rows(
        "insert into app.users (tenant_id, id, email, role) values ($1, $2, 'ann@example.com', 'user')",
        [tenant, user]
      )
      bad.push(yield* write(session, tenant, { user }))
      yield* session.rows("insert into app.deletions (tenant_id, id, kind, user_id) values ($1, $2, 'message', $2)", [
        tenant,
        user
      ])
      const sent = [...(yield* claim(randomUUID())), ...(yield* claim(randomUUID())), ...(yield* claim(randomUUID()))]
      assert.deepStrictEqual(idsOf(sent), [good])
      assert.deepInclude(sent[0], { address: "token@example.com", tenant_name: "Acme", token_minutes: 30 })
      const ended = yield* session.rows("select id from app.mails where failure = 'of no use any more'")
      assert.sameMembers(
        ended.map(({ id }) => id),
        bad
      )
    }).pipe(Effect.scoped)
  )

  it.effect("keeps mails of a suspended tenant back", () =>
    Effect.gen(function* () {
      const session = yield* admin
      yield* clear(session)
      const tenant = yield* newTenant(session)
      const id = yield* write(session, tenant)
      yield* session.rows("update app.tenants set status = 'suspended' where id = $1", [tenant])
      assert.lengthOf(yield* claim(randomUUID()), 0)
      yield* session.rows("update app.tenants set status = 'active' where id = $1", [tenant])
      yield* session.rows("update app.mails set next_at = now()")
      assert.deepStrictEqual(idsOf(yield* claim(randomUUID())), [id])
    }).pipe(Effect.scoped)
  )

  it.effect("is not for the login that serves requests", () =>
    Effect.gen(function* () {
      const { apiUrl, jobsUrl } = yield* TestDatabase
      const [api, jobs] = [yield* open(apiUrl), yield* open(jobsUrl)]
      for (const call of [
        `select work.claim_mails('${randomUUID()}', '${NOBODY}', 0, 1)`,
        `select work.settle_mail('${randomUUID()}', '${NOBODY}', '${NOBODY}', 'sent', null, 0, false)`
      ]) {
        assert.strictEqual(yield* stateOf(api.rows(call)), "42501", call)
        assert.strictEqual(yield* stateOf(jobs.rows(call)), "fine", call)
      }
      for (const forbidden of [
        "select from app.mails",
        "select from app.one_time_tokens",
        "select auth.take_one_time_token('', 'email_verify')",
        "select auth.new_one_time_token(null, null, null, null, null, null, 1)"
      ]) {
        assert.strictEqual(yield* stateOf(api.rows(forbidden)), "42501", forbidden)
        assert.strictEqual(yield* stateOf(jobs.rows(forbidden)), "42501", forbidden)
      }
    }).pipe(Effect.scoped)
  )

  it.effect("lets users make tokens for their own address alone, and nobody in the room a reset of a password", () =>
    Effect.gen(function* () {
      const session = yield* admin
      const tenant = yield* newTenant(session)
      const users = { admin: randomUUID(), user: randomUUID() }
      for (const [role, id] of Object.entries(users))
        yield* session.rows("insert into app.users (tenant_id, id, email, role) values ($1, $2, $3, $4)", [
          tenant,
          id,
          `${id}@example.com`,
          role
        ])
      const { apiUrl } = yield* TestDatabase
      const api = yield* open(apiUrl)
      const issue = Effect.fnUntraced(function* (as: string, purpose: string, subject: string) {
        yield* api.rows("begin")
        yield* api.rows("select app.enter($1, $2, 0, 'user')", [tenant, as])
        const state = yield* stateOf(
          api.rows(
            `insert into app.one_time_tokens (tenant_id, id, purpose, subject_id, address, hash, expires_at)
             values (app.tenant_id(), gen_random_uuid(), $1, $2::uuid, 'a@example.com', sha256($3::text::bytea), now())`,
            [purpose, subject, subject]
          )
        )
        yield* api.rows("rollback")
        return state
      })
      for (const as of Object.values(users)) {
        assert.strictEqual(yield* issue(as, "email_verify", as), "fine")
        assert.strictEqual(yield* issue(as, "email_change", as), "fine")
        assert.strictEqual(yield* issue(as, "password_reset", as), "42501")
        const other = as === users.admin ? users.user : users.admin
        for (const purpose of ["email_verify", "email_change", "password_reset"])
          assert.strictEqual(yield* issue(as, purpose, other), "42501")
      }
      assert.strictEqual(yield* issue(users.admin, "invitation", randomUUID()), "fine")
      assert.strictEqual(yield* issue(users.user, "invitation", randomUUID()), "42501")
    }).pipe(Effect.scoped)
  )
})
