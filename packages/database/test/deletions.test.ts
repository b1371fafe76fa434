import { assert, layer } from "@effect/vitest"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { DIRECTORY } from "@llm-saas/database/SqlFiles"
import { Effect, Fiber } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { randomUUID } from "node:crypto"
import { append, ask, asked, finish, inRoom, office, type Person, purge, remove, untilBlocked } from "./Questions.ts"
import { open, type Session, stateOf } from "./Session.ts"

const SECRET = "xyzzy"

const conversation = Effect.fnUntraced(function* (session: Session, who: Person) {
  const id = randomUUID()
  yield* inRoom(
    session,
    who,
    "insert into app.conversations (tenant_id, id, user_id, title) values (app.tenant_id(), $1, app.user_id(), $2)",
    [id, SECRET]
  )
  return id
})

/** Everything that one user can have: in a conversation and not, answered and under way, with a key and an opinion. */
const busy = Effect.gen(function* () {
  const people = yield* office
  const { alice, api } = people
  const talk = yield* conversation(api, alice)
  const ended = yield* asked(api, alice, { content: SECRET, conversation: talk, key: "key" })
  yield* finish(api, ended, { response: SECRET })
  const running = yield* asked(api, alice, { content: SECRET, conversation: talk })
  yield* append(api, running, 1, [SECRET])
  for (const who of [alice, people.admin])
    yield* inRoom(
      api,
      who,
      "insert into app.feedback (tenant_id, message_id, user_id, rating, comment) values (app.tenant_id(), $1, app.user_id(), 1, $2)",
      [ended.message, SECRET]
    )
  return { ...people, talk, ended, running }
})

/** The tables in which a login sees texts of this tenant. */
const TOLD: Readonly<Record<string, string>> = {
  users: "email like $2 || '@%'",
  conversations: "user_id::text = $2",
  messages: "user_id::text = $2",
  generation_chunks: "user_id::text = $2",
  feedback: "true"
}
const told = (session: Session, { tenant, user }: Person, room?: Person) =>
  Effect.map(
    Effect.forEach(Object.entries(TOLD), ([table, condition]) => {
      const sql = `select from app.${table} t where tenant_id = $1 and ($2::text is not null) and ${condition}`
      const values = [tenant, user]
      const count = room === undefined ? session.rows(sql, values) : inRoom(session, room, sql, values)
      return Effect.map(
        Effect.catch(count, () => Effect.succeed([])),
        (rows) => (rows.length === 0 ? [] : [table])
      )
    }),
    (tables) => tables.flat()
  )

/** A login of an auditor at psql, in its role. Other databases of the server see it too: it has the limits that `audit:grant` gives. */
const atPsql = Effect.fnUntraced(function* (role: string, tenant: string) {
  const { adminUrl } = yield* TestDatabase
  const session = yield* open(adminUrl)
  const login = `llm_reader_${randomUUID().slice(-12)}`
  const limits = "valid until 'tomorrow' connection limit 3"
  yield* session.rows(
    role === "llm_auditor"
      ? `create role ${login} login in role llm_auditor ${limits}`
      : `create role ${login} login in role llm_reader, llm_reader_content ${limits};
         insert into meta.readers (role, tenant_id, content) values ('${login}', '${tenant}', true)`
  )
  yield* session.rows(`set session authorization ${login}`)
  yield* Effect.addFinalizer(() => Effect.orDie(session.rows(`reset session authorization; drop role ${login}`)))
  return session
})

/** What PostgreSQL stores of a user, whether visible or not. */
const rest = (superuser: Session, { tenant, user }: Person) =>
  Effect.map(
    superuser.rows(
      `select (select count(*)::int from app.users where tenant_id = $1 and id = $2) as users,
         (select count(*)::int from app.credentials where tenant_id = $1 and user_id = $2) as credentials,
         (select count(*)::int from app.conversations where tenant_id = $1 and user_id = $2) as conversations,
         (select count(*)::int from app.messages where tenant_id = $1 and user_id = $2) as messages,
         (select count(*)::int from app.idempotency_keys where tenant_id = $1 and user_id = $2) as keys,
         (select count(*)::int from app.feedback where tenant_id = $1) as opinions,
         (select count(*)::int from app.deletions where tenant_id = $1) as orders,
         (select count(*)::int from app.generations where tenant_id = $1 and user_id = $2) as accounts,
         (select count(*)::int from app.generations where tenant_id = $1 and user_id = $2 and message_id is not null) as tied`,
      [tenant, user]
    ),
    ([row]) => row
  )

layer(TestDatabase.layer)("what is deleted", (it) => {
  for (const [kind, hidden] of [
    ["message", ["generation_chunks", "feedback"]],
    ["conversation", ["conversations", "messages", "generation_chunks", "feedback"]],
    ["user", Object.keys(TOLD)]
  ] as const) {
    it.effect(`a ${kind}: no login reads any of it from that moment, and the accounts stay`, () =>
      Effect.gen(function* () {
        const { admin, alice, api, ended, running, superuser, talk } = yield* busy
        const watching: ReadonlyArray<readonly [string, Session, Person | undefined]> = [
          ["admin", api, admin],
          ...(kind === "user" ? [] : ([["user", api, alice]] as const)),
          ["reader", yield* atPsql("llm_reader", alice.tenant), undefined],
          ["auditor", yield* atPsql("llm_auditor", alice.tenant), undefined]
        ]
        const before = yield* Effect.forEach(watching, ([, session, room]) => told(session, alice, room))
        for (const [index, [name]] of watching.entries())
          assert.deepStrictEqual(
            before[index],
            Object.keys(TOLD).filter((table) => table !== "generation_chunks" || name === "admin" || name === "user"),
            name
          )
        // Of the message it is the answer under way for chunks, and the ended one for opinions.
        if (kind === "message") {
          assert.isTrue(yield* remove(api, alice, kind, ended.message))
          assert.isTrue(yield* remove(api, alice, kind, running.message))
          assert.isFalse(yield* remove(api, alice, kind, running.message))
        } else assert.isTrue(yield* remove(api, admin, kind, kind === "user" ? alice.user : talk))
        const still = Object.keys(TOLD).filter((table) => kind !== "message" || table !== "messages")
        for (const [name, session, room] of watching)
          assert.deepStrictEqual(
            yield* told(session, alice, room),
            still.filter((table) => !(hidden as ReadonlyArray<string>).includes(table)),
            name
          )
        yield* purge(api)
        yield* finish(api, running, { status: "cancelled", response: SECRET })
        assert.deepInclude(yield* rest(superuser, alice), {
          users: kind === "user" ? 0 : 1,
          credentials: kind === "user" ? 0 : 1,
          conversations: kind === "message" ? 1 : 0,
          messages: 0,
          keys: 0,
          opinions: 0,
          orders: 0,
          accounts: 2,
          tied: 0
        })
        const dump = yield* superuser.rows(
          `select string_agg(t::text, ' ') as said from (
             select m::text from app.messages m where tenant_id = $1 union all
             select c::text from app.generation_chunks c where tenant_id = $1 union all
             select f::text from app.feedback f where tenant_id = $1) t`,
          [alice.tenant]
        )
        assert.deepStrictEqual(dump, [{ said: null }])
      }).pipe(Effect.scoped)
    )
  }

  it.effect("costs one written row, however many rows belong to it", () =>
    Effect.gen(function* () {
      const { admin, alice, another, api, superuser, talk } = yield* busy
      yield* superuser.rows(
        `insert into app.messages (tenant_id, id, user_id, conversation_id, content)
         select $1, gen_random_uuid(), $2, $3, 'x' from generate_series(1, 5000)`,
        [alice.tenant, alice.user, talk]
      )
      for (const [kind, id, rows] of [
        ["conversation", talk, 1],
        ["user", alice.user, 2]
      ] as const) {
        const session = yield* another
        yield* session.rows("begin")
        yield* session.rows("select role from app.enter($1, $2, 0, 'user')", [admin.tenant, admin.user])
        yield* session.rows(
          `insert into app.deletions (tenant_id, id, kind, user_id) values (app.tenant_id(), $1, $2, $3)`,
          [id, kind, alice.user]
        )
        yield* session.rows("reset role")
        const [written] = yield* session.rows(
          "select sum(pg_stat_get_xact_tuples_inserted(oid) + pg_stat_get_xact_tuples_updated(oid) + pg_stat_get_xact_tuples_deleted(oid))::int as n, "
            + "sum(pg_stat_get_xact_tuples_fetched(oid) + pg_stat_get_xact_tuples_returned(oid))::int as looked_at "
            + "from pg_class where relnamespace = 'app'::regnamespace"
        )
        yield* session.rows("rollback")
        assert.strictEqual(written?.["n"], rows, kind)
        assert.isBelow(Number(written?.["looked_at"]), 50, kind)
      }
      assert.strictEqual(yield* purge(api), 0)
    }).pipe(Effect.scoped)
  )

  it.effect(
    "is removed in bounded batches, by several processes at once, and others continue after one was killed",
    () =>
      Effect.gen(function* () {
        const { admin, alice, another, api, bob, superuser } = yield* busy
        for (let n = 0; n < 20; n++) {
          const talk = n % 4 === 0 ? yield* conversation(api, alice) : undefined
          yield* asked(api, alice, talk === undefined ? {} : { conversation: talk })
          yield* asked(api, bob)
        }
        yield* remove(api, admin, "user", alice.user)
        const killed = yield* another
        yield* killed.rows("begin")
        assert.strictEqual(yield* Effect.map(killed.rows("select work.purge(7) as n"), ([row]) => row?.["n"]), 7)
        // A process skips rows that another is removing, without waiting.
        yield* api.rows("set lock_timeout = '1ms'")
        assert.strictEqual(yield* purge(api), 0)
        yield* killed.rows("rollback")
        const [before] = yield* superuser.rows("select count(*)::int as n from app.messages where user_id = $1", [
          alice.user
        ])
        assert.strictEqual(before?.["n"], 22)
        const workers = yield* Effect.all(Array.from({ length: 4 }, () => another))
        const removed = yield* Effect.forEach(workers, (session) => purge(session, 3), { concurrency: "unbounded" })
        yield* purge(api, 3)
        assert.isAbove(
          removed.reduce((sum, count) => sum + count, 0),
          0
        )
        assert.deepInclude(yield* rest(superuser, alice), {
          users: 0,
          messages: 0,
          conversations: 0,
          orders: 0,
          accounts: 22,
          tied: 0
        })
        assert.deepInclude(yield* rest(superuser, bob), { users: 1, messages: 20, tied: 20 })
      }).pipe(Effect.scoped)
  )

  it.effect("and large does not delay a small one, and a locked row delays nothing else", () =>
    Effect.gen(function* () {
      const { alice, another, api, superuser } = yield* office
      const stranger = yield* office
      const large = yield* conversation(api, alice)
      for (let n = 0; n < 30; n++) yield* asked(api, alice, { conversation: large })
      const small = yield* asked(api, stranger.alice)
      const held = yield* asked(api, alice)
      yield* remove(api, alice, "message", held.message)
      yield* remove(api, alice, "conversation", large)
      yield* remove(api, stranger.alice, "message", small.message)
      const holder = yield* another
      yield* holder.rows("begin")
      yield* holder.rows("select role from app.enter($1, $2, 0, 'user')", [alice.tenant, alice.user])
      yield* holder.rows("update app.generations set followed_until = now() where id = $1", [held.generation])
      yield* api.rows("set lock_timeout = '1ms'")
      for (let n = 0; n < 2; n++) yield* api.rows("select work.purge(5)")
      assert.deepInclude(yield* rest(superuser, stranger.alice), { messages: 0, orders: 0 })
      yield* purge(api, 5)
      assert.deepInclude(yield* rest(superuser, alice), { messages: 1, conversations: 0, orders: 1 })
      yield* holder.rows("commit")
      yield* purge(api, 5)
      assert.deepInclude(yield* rest(superuser, alice), { messages: 0, orders: 0 })
    }).pipe(Effect.scoped)
  )

  it.effect("cannot belong to another user or tenant, and the job can remove nothing that is not marked", () =>
    Effect.gen(function* () {
      const { admin, alice, api, bob, ended, superuser, talk } = yield* busy
      const stranger = yield* office
      const mark = (who: Person, kind: string, id: string, owner: string, tenant = alice.tenant) =>
        stateOf(
          inRoom(api, who, "insert into app.deletions (tenant_id, id, kind, user_id) values ($1, $2, $3, $4)", [
            tenant,
            id,
            kind,
            owner
          ])
        )
      for (const [kind, id] of [
        ["message", ended.message],
        ["conversation", talk],
        ["user", alice.user]
      ] as const) {
        assert.strictEqual(yield* mark(bob, kind, id, alice.user), "42501", kind)
        assert.strictEqual(yield* mark(bob, kind, id, bob.user), "42501", kind)
        assert.strictEqual(yield* mark(stranger.admin, kind, id, alice.user), "42501", kind)
        assert.strictEqual(yield* mark(stranger.admin, kind, id, alice.user, stranger.alice.tenant), "42501", kind)
        assert.isFalse(yield* remove(api, stranger.admin, kind, id), kind)
      }
      assert.strictEqual(yield* mark(alice, "user", alice.user, alice.user), "42501")
      assert.strictEqual(yield* mark(admin, "message", talk, alice.user), "42501")
      for (const sql of [
        "update app.deletions set kind = 'user'",
        "delete from app.deletions",
        "delete from app.messages"
      ])
        assert.strictEqual(yield* stateOf(inRoom(api, admin, sql)), "42501", sql)
      const before = yield* rest(superuser, alice)
      yield* superuser.rows("begin; set local role llm_work")
      for (const table of ["messages", "conversations", "credentials", "users"])
        assert.strictEqual(yield* superuser.count(`delete from app.${table}`), 0, table)
      yield* superuser.rows("commit")
      assert.deepStrictEqual(yield* rest(superuser, alice), before)
    }).pipe(Effect.scoped)
  )
})

layer(TestDatabase.layer)("the migration", (it) => {
  it.effect("is rolled back without making deleted rows visible, and applied again", () =>
    Effect.gen(function* () {
      const { admin, alice, api, bob, superuser, talk } = yield* busy
      const kept = yield* asked(api, bob)
      const file = (name: string) => readFileSync(join(DIRECTORY, name), "utf8")
      yield* remove(api, alice, "conversation", talk)
      yield* remove(api, admin, "user", alice.user)
      yield* superuser.rows(`begin; set local role llm_owner; ${file("clean.sql")}`)
      yield* superuser.rows(file("migrations/0008_deletions.down.sql"))
      yield* superuser.rows("set local role none")
      const [left] = yield* superuser.rows(
        `select (select array_agg(id) from app.messages where tenant_id = $1) as messages,
           (select count(*)::int from app.users where tenant_id = $1) as users,
           (select count(*)::int from app.generations where tenant_id = $1) as accounts`,
        [alice.tenant]
      )
      assert.deepStrictEqual(left, { messages: [kept.message], users: 2, accounts: 3 })
      yield* superuser.rows(`set local role llm_owner; ${file("migrations/0008_deletions.sql")}`)
      yield* superuser.rows("rollback")
    }).pipe(Effect.scoped)
  )
})

layer(TestDatabase.layer)("a deleted user", (it) => {
  it.effect("is not let in, cannot log in, and their address is free at once", () =>
    Effect.gen(function* () {
      const { admin, alice, api, superuser } = yield* office
      const email = `${alice.user}@example.com`
      assert.isTrue(yield* remove(api, admin, "user", alice.user))
      assert.strictEqual(yield* stateOf(inRoom(api, alice, "select 1")), "LL401")
      assert.deepStrictEqual(yield* api.rows("select * from auth.login_candidates($1, $2)", [email, alice.tenant]), [])
      const again = randomUUID()
      const registered = yield* api.rows("select role from auth.register($1, $2, $3, '$argon2id$x', 'request')", [
        alice.tenant,
        again,
        email
      ])
      assert.deepStrictEqual(registered, [{ role: "user" }])
      const taken = `insert into app.users (tenant_id, id, email, role) values (app.tenant_id(), gen_random_uuid(), '${email}', 'user')`
      assert.strictEqual(yield* stateOf(inRoom(api, admin, taken)), "23505")
      yield* purge(api)
      assert.deepStrictEqual(
        yield* superuser.rows("select id from app.users where tenant_id = $1 and email = $2", [alice.tenant, email]),
        [{ id: again }]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("cannot be the last admin: of two who delete each other at once, one stays", () =>
    Effect.gen(function* () {
      const { admin, alice, another, api, superuser } = yield* office
      assert.strictEqual(yield* stateOf(remove(api, admin, "user", admin.user)), "LL409")
      yield* inRoom(api, admin, "update app.users set role = 'admin' where id = $1", [alice.user])
      const [one, two] = [yield* another, yield* another]
      yield* one.rows("begin")
      yield* one.rows("select role from app.enter($1, $2, 0, 'admin')", [admin.tenant, admin.user])
      const mark = "insert into app.deletions (tenant_id, id, kind, user_id) values (app.tenant_id(), $1, 'user', $1)"
      yield* one.rows(mark, [alice.user])
      const second = yield* Effect.forkChild(stateOf(remove(two, alice, "user", admin.user)), {
        startImmediately: true
      })
      yield* untilBlocked(superuser)
      yield* one.rows("commit")
      assert.strictEqual(yield* Fiber.join(second), "LL409")
      assert.deepStrictEqual(
        yield* superuser.rows(
          "select id from app.users where tenant_id = $1 and role = 'admin' and deleted_at is null",
          [admin.tenant]
        ),
        [{ id: admin.user }]
      )
    }).pipe(Effect.scoped)
  )

  it.effect(
    "who asks meanwhile, and whose conversation is deleted meanwhile: no request waits for ever, and nothing is left over",
    () =>
      Effect.gen(function* () {
        const { admin, alice, another, api, bob, superuser } = yield* office
        const talk = yield* conversation(api, bob)
        const sessions = yield* Effect.all(Array.from({ length: 12 }, () => another))
        const states = yield* Effect.forEach(
          sessions,
          (session, n) => {
            const one = (): Effect.Effect<string> => {
              if (n === 9) return stateOf(remove(session, admin, "user", alice.user))
              if (n === 10) return stateOf(remove(session, bob, "conversation", talk))
              if (n === 11) return stateOf(purge(session, 2))
              return stateOf(n % 2 === 0 ? asked(session, alice) : asked(session, bob, { conversation: talk }))
            }
            return Effect.forEach(Array.from({ length: 8 }), one)
          },
          { concurrency: "unbounded" }
        )
        // 23503: the user's row was removed between entering and storing; `Tenancy.call` asks the client to try again, and then it is LL401.
        assert.deepStrictEqual(
          states.flat().filter((state) => !["fine", "LL401", "23503"].includes(state)),
          []
        )
        yield* purge(api)
        assert.deepInclude(yield* rest(superuser, alice), { users: 0, messages: 0, tied: 0, orders: 0 })
        assert.deepInclude(yield* rest(superuser, bob), { users: 1, conversations: 0, messages: 0, tied: 0 })
      }).pipe(Effect.scoped)
  )
})

layer(TestDatabase.layer)("a key", (it) => {
  it.effect("used a hundred times at once is one question", () =>
    Effect.gen(function* () {
      const { alice, another, api, superuser } = yield* office
      const talk = yield* conversation(api, alice)
      const sessions = yield* Effect.all(Array.from({ length: 20 }, () => another))
      const answers = yield* Effect.forEach(
        Array.from({ length: 100 }),
        (_, n) => ask(sessions[n % 20] ?? api, alice, { key: "one", ...(n % 3 === 0 ? { conversation: talk } : {}) }),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(answers.filter(({ outcome }) => outcome === "asked").length, 1)
      assert.deepStrictEqual(new Set(answers.map(({ generation }) => generation)).size, 1)
      assert.deepStrictEqual(
        yield* superuser.rows(
          `select (select count(*)::int from app.messages where tenant_id = $1) as messages,
             (select count(*)::int from app.generations where tenant_id = $1) as generations,
             (select count(*)::int from app.idempotency_keys where tenant_id = $1) as keys`,
          [alice.tenant]
        ),
        [{ messages: 1, generations: 1, keys: 1 }]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("whose first request is rolled back belongs to the second", () =>
    Effect.gen(function* () {
      const { alice, another, api, superuser } = yield* office
      const first = yield* another
      yield* first.rows("begin")
      const taken = yield* ask(first, alice, { key: "k" })
      assert.strictEqual(taken.outcome, "asked")
      const second = yield* Effect.forkChild(ask(api, alice, { key: "k" }), { startImmediately: true })
      yield* untilBlocked(superuser)
      yield* first.rows("rollback")
      assert.strictEqual((yield* Fiber.join(second)).outcome, "asked")
    }).pipe(Effect.scoped)
  )

  it.effect("whose message is deleted may be used again at once, before the message is removed and after", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      const talk = yield* conversation(api, alice)
      const first = yield* asked(api, alice, { key: "k", conversation: talk })
      yield* remove(api, alice, "conversation", talk)
      assert.strictEqual((yield* ask(api, alice, { key: "k", conversation: talk })).outcome, "no_conversation")
      const second = yield* ask(api, alice, { key: "k", bodyHash: "another" })
      assert.strictEqual(second.outcome, "asked")
      yield* purge(api)
      const known = yield* ask(api, alice, { key: "k", bodyHash: "another" })
      assert.deepStrictEqual([known.outcome, known.generation], ["known", second.generation])
      yield* remove(api, alice, "message", second.message)
      yield* purge(api)
      assert.strictEqual((yield* ask(api, alice, { key: "k" })).outcome, "asked")
      assert.notStrictEqual(first.generation, second.generation)
      assert.deepInclude(yield* rest(superuser, alice), { messages: 1, keys: 1, accounts: 3 })
    }).pipe(Effect.scoped)
  )
})
