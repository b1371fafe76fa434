import { assert, layer } from "@effect/vitest"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import {
  abandon,
  append,
  ask,
  type Asked,
  asked,
  finish,
  inRoom,
  office,
  purge,
  remove,
  renew,
  sweep
} from "./Questions.ts"
import { type Session, stateOf } from "./Session.ts"

/** The stored state of an answer. */
const picture = (superuser: Session, { generation, message }: Asked) =>
  Effect.map(
    superuser.rows(
      `select g.status, g.failure, g.response_length as length, g.ended_at is not null as ended, g.message_id = $2 as has_message,
         (select response from app.messages m where m.id = $2) as response,
         (select token_lengths from app.messages m where m.id = $2) as lengths,
         (select count(*)::int from app.generation_chunks c where c.generation_id = g.id) as chunks,
         (select count(*)::int from app.tracking_outbox o where o.generation_id = g.id) as records,
         (select count(*)::int from app.idempotency_keys k where k.generation_id = g.id) as keys
       from app.generations g where g.id = $1`,
      [generation, message]
    ),
    ([row]) => row
  )

layer(TestDatabase.layer)("the work on an answer", (it) => {
  it.effect("looks each of many up by its key, also by a plan that was made for any number of them", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      const lease = randomUUID()
      const all = yield* Effect.forEach(Array.from({ length: 30 }), () => asked(api, alice, { lease }))
      yield* superuser.rows(
        `load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_analyze = on; set client_min_messages = log;
         set auto_explain.log_nested_statements = on; set auto_explain.log_level = notice; set plan_cache_mode = force_generic_plan`
      )
      const [tenants, ids] = [all.map(({ tenant }) => tenant), all.map(({ generation }) => generation)]
      const chunks = [all.map(() => 1), all.map(() => '["a"]')]
      yield* superuser.rows("select * from work.append($1, $2, $3, $4, $5)", [lease, tenants, ids, ...chunks])
      yield* superuser.rows("select * from work.renew($1, $2, $3)", [lease, tenants, ids])
      const endings = all.map(({ generation, tenant }) => ({
        tenant_id: tenant,
        id: generation,
        lease_owner: lease,
        status: "completed",
        finish_reason: "stop"
      }))
      const texts = [all.map(() => "Because."), all.map(() => "{8}")]
      yield* superuser.rows("select * from work.finish_many($1, $2, $3)", [JSON.stringify(endings), ...texts])
      const plans = superuser.notices.filter((plan) => /CTE given/u.test(plan))
      assert.strictEqual(plans.length, 3)
      // Every one compared with every other one: unnoticed with thirty, a fifth of a second with a thousand.
      for (const plan of plans) assert.notMatch(plan, /Rows Removed by Join Filter/u)
    }).pipe(Effect.scoped)
  )

  it.effect("writes the account that a list would compute, whatever the end", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      for (const [status, response] of [
        ["completed", "Because."],
        ["failed", ""],
        ["cancelled", 'half a "quote"']
      ] as const) {
        const question = yield* asked(api, alice)
        yield* finish(api, question, { status, response })
        const [row] = yield* superuser.rows(
          "select account, app.account_of($1, $2) as computed from app.messages where id = $2",
          [question.tenant, question.message]
        )
        assert.isString(row?.["account"])
        assert.strictEqual(row?.["account"], row?.["computed"])
        assert.deepInclude(JSON.parse(`{${String(row?.["account"])}}`), { generation_id: question.generation, status })
      }
      // Before its end, and for answers of before, it is computed.
      const running = yield* asked(api, alice)
      yield* superuser.rows("update app.messages set account = null where user_id = $1", [alice.user])
      const [page] = yield* api.rows("select app.message_page($1, $2, 0, 'user', 'own', null, null, 10) as it", [
        alice.tenant,
        alice.user
      ])
      const { data } = JSON.parse(String(page?.["it"])) as { readonly data: ReadonlyArray<Record<string, unknown>> }
      assert.deepStrictEqual(
        data.map(({ generation_id, status }) => [generation_id === running.generation, status]),
        [
          [true, "streaming"],
          [false, "cancelled"],
          [false, "failed"],
          [false, "completed"]
        ]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("goes on under its lease, for many at once, and says which are to stop", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      const stranger = yield* office
      const lease = randomUUID()
      const mine = yield* asked(api, alice, { lease })
      const theirs = yield* asked(api, stranger.bob, { lease })
      const cancelled = yield* asked(api, alice, { lease })
      const elsewhere = yield* asked(api, alice)
      const ended = yield* asked(api, alice, { lease })
      yield* finish(api, ended)
      yield* inRoom(api, alice, "update app.generations set cancel_requested_at = now() where id = $1", [
        cancelled.generation
      ])
      const all = [mine, theirs, cancelled, elsewhere, ended]
      const notices = (sql: string, values: ReadonlyArray<unknown> = []) =>
        Effect.map(
          api.rows(sql, [lease, all.map(({ tenant }) => tenant), all.map(({ generation }) => generation), ...values]),
          (rows) => Object.fromEntries(rows.map((row) => [row["generation_id"], row["reason"]]))
        )
      const expected = {
        [cancelled.generation]: "cancel",
        [elsewhere.generation]: "lost",
        [ended.generation]: "lost"
      }
      const appended = "select * from work.append($1, $2, $3, $4, $5)"
      const chunks = [all.map(() => 1), all.map(() => '["a","🏠"]')]
      assert.deepStrictEqual(yield* notices(appended, chunks), expected)
      // Sent again, since the answer to it was lost: the same, and nothing twice.
      assert.deepStrictEqual(yield* notices(appended, chunks), expected)
      assert.deepStrictEqual(yield* notices("select * from work.renew($1, $2, $3)"), expected)
      const written = yield* superuser.rows(
        "select generation_id as id, user_id as whose, tokens from app.generation_chunks where generation_id = any ($1) order by user_id = $2",
        [all.map(({ generation }) => generation), alice.user]
      )
      assert.deepStrictEqual(
        written.filter(({ id }) => id !== cancelled.generation),
        [
          { id: theirs.generation, whose: stranger.bob.user, tokens: ["a", "🏠"] },
          { id: mine.generation, whose: alice.user, tokens: ["a", "🏠"] }
        ]
      )
      assert.strictEqual(written.length, 3)
    }).pipe(Effect.scoped)
  )

  it.effect("of another tenant's id under the right lease, or of the right id under another lease, is lost", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      const stranger = yield* office
      const mine = yield* asked(api, alice)
      const before = yield* picture(superuser, mine)
      for (const wrong of [
        { ...mine, lease: randomUUID() },
        { ...mine, tenant: stranger.alice.tenant },
        { ...mine, generation: randomUUID() }
      ]) {
        assert.deepStrictEqual(yield* append(api, wrong, 1, ["x"]), ["lost"])
        assert.deepStrictEqual(yield* renew(api, wrong), ["lost"])
        assert.isFalse(yield* finish(api, wrong))
      }
      assert.deepStrictEqual(yield* picture(superuser, mine), before)
    }).pipe(Effect.scoped)
  )

  it.effect("renews the lease, and learns that a reader follows at another process", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      const question = yield* asked(api, alice)
      yield* abandon(superuser, question)
      assert.deepStrictEqual(yield* renew(api, question), [])
      assert.deepStrictEqual(
        yield* superuser.rows(
          "select lease_until > now() + interval '20 seconds' as renewed from app.generations where id = $1",
          [question.generation]
        ),
        [{ renewed: true }]
      )
      yield* inRoom(
        api,
        alice,
        "update app.generations set followed_until = now() + interval '9 seconds' where id = $1",
        [question.generation]
      )
      assert.deepStrictEqual(yield* renew(api, question), ["followed"])
      yield* inRoom(api, alice, "update app.generations set cancel_requested_at = now() where id = $1", [
        question.generation
      ])
      assert.deepStrictEqual(yield* renew(api, question), ["cancel"])
    }).pipe(Effect.scoped)
  )

  it.effect("ends once: the answer, its account and its record together, and nothing after that counts", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      const question = yield* asked(api, alice, { key: "k" })
      yield* append(api, question, 1, ["Be", "cause."])
      assert.isTrue(yield* finish(api, question))
      const end = yield* picture(superuser, question)
      assert.deepStrictEqual(end, {
        status: "completed",
        failure: null,
        length: 8,
        ended: true,
        has_message: true,
        response: "Because.",
        lengths: [8],
        chunks: 0,
        records: 1,
        keys: 1
      })
      assert.isFalse(yield* finish(api, question, { status: "failed", response: "else" }))
      assert.deepStrictEqual(yield* append(api, question, 3, ["late"]), ["lost"])
      assert.deepStrictEqual(yield* renew(api, question), ["lost"])
      yield* abandon(superuser, question)
      assert.strictEqual(yield* sweep(api), 0)
      assert.deepStrictEqual(yield* picture(superuser, question), end)
    }).pipe(Effect.scoped)
  )

  it.effect("that cannot be recorded for tracking is not ended either", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      const question = yield* asked(api, alice)
      const before = yield* picture(superuser, question)
      yield* superuser.rows("alter table app.tracking_outbox add constraint closed check (attempts > 0) not valid")
      const refused = yield* stateOf(finish(api, question))
      yield* superuser.rows("alter table app.tracking_outbox drop constraint closed")
      assert.strictEqual(refused, "23514")
      assert.deepStrictEqual(yield* picture(superuser, question), before)
    }).pipe(Effect.scoped)
  )

  it.effect("that produced nothing gives its idempotency key back; with a text it keeps it", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      const keys = Effect.fnUntraced(function* (status: string, response: string) {
        const question = yield* asked(api, alice, { key: `${status} ${response}` })
        yield* finish(api, question, { status, response })
        return (yield* picture(superuser, question))?.["keys"]
      })
      assert.strictEqual(yield* keys("failed", ""), 0)
      assert.strictEqual(yield* keys("interrupted", ""), 0)
      assert.strictEqual(yield* keys("failed", "some"), 1)
      assert.strictEqual(yield* keys("interrupted", "some"), 1)
      assert.strictEqual(yield* keys("completed", ""), 1)
      assert.strictEqual(yield* keys("cancelled", ""), 1)
      assert.strictEqual((yield* ask(api, alice, { key: "failed " })).outcome, "asked")
    }).pipe(Effect.scoped)
  )

  it.effect("whose message is deleted meanwhile keeps its account, and the text is kept nowhere", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      const question = yield* asked(api, alice, { key: "k" })
      yield* append(api, question, 1, ["gone"])
      assert.isTrue(yield* remove(api, alice, "message", question.message))
      assert.deepStrictEqual(yield* append(api, question, 2, ["more"]), ["cancel"])
      assert.deepStrictEqual(yield* renew(api, question), ["cancel"])
      yield* purge(api)
      assert.deepStrictEqual(yield* append(api, question, 3, ["more"]), ["cancel"])
      assert.isTrue(yield* finish(api, question, { status: "cancelled", response: "gone" }))
      assert.deepInclude(yield* picture(superuser, question), {
        status: "cancelled",
        length: 4,
        has_message: null,
        response: null,
        chunks: 0,
        records: 1,
        keys: 0
      })
    }).pipe(Effect.scoped)
  )

  it.effect("whose user is deleted meanwhile keeps its account too", () =>
    Effect.gen(function* () {
      const { admin, alice, api, superuser } = yield* office
      const [finished, lost] = [yield* asked(api, alice), yield* asked(api, alice)]
      yield* append(api, lost, 1, ["gone"])
      assert.isTrue(yield* remove(api, admin, "user", alice.user))
      assert.isTrue(yield* finish(api, finished))
      yield* abandon(superuser, lost)
      assert.strictEqual(yield* sweep(api), 1)
      yield* purge(api)
      for (const [question, status] of [
        [finished, "completed"],
        [lost, "interrupted"]
      ] as const) {
        assert.deepInclude(yield* picture(superuser, question), { status, response: null, chunks: 0, records: 1 })
      }
      assert.deepStrictEqual(
        yield* superuser.rows("select distinct user_id as spender from app.generations where tenant_id = $1", [
          alice.tenant
        ]),
        [{ spender: alice.user }]
      )
    }).pipe(Effect.scoped)
  )
})

layer(TestDatabase.layer)("a sweeper", (it) => {
  it.effect("ends the generations of a lost process, with their text so far in order", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      const lost = yield* asked(api, alice, { key: "lost" })
      const silent = yield* asked(api, alice, { key: "silent" })
      const alive = yield* asked(api, alice)
      yield* append(api, lost, 4, ["née", "\n", "\u{1f469}\u200d\u{1f680}"])
      yield* append(api, lost, 1, ["日本", "🏠", "e\u0301"])
      yield* append(api, alive, 1, ["here"])
      yield* abandon(superuser, lost)
      yield* abandon(superuser, silent)
      assert.strictEqual(yield* sweep(api), 2)
      assert.deepStrictEqual(yield* picture(superuser, lost), {
        status: "interrupted",
        failure: "process_lost",
        length: 12,
        ended: true,
        has_message: true,
        response: "日本🏠e\u0301née\n\u{1f469}\u200d\u{1f680}",
        lengths: [2, 1, 2, 3, 1, 3],
        chunks: 0,
        records: 1,
        keys: 1
      })
      // There was no text, so nothing is lost or paid twice when the question is sent again.
      assert.deepInclude(yield* picture(superuser, silent), {
        status: "interrupted",
        response: "",
        lengths: [],
        keys: 0
      })
      assert.strictEqual((yield* ask(api, alice, { key: "silent" })).outcome, "asked")
      assert.deepInclude(yield* picture(superuser, alive), { status: "streaming", chunks: 1 })
      assert.deepStrictEqual(yield* append(api, lost, 7, ["late"]), ["lost"])
      assert.isFalse(yield* finish(api, lost))
    }).pipe(Effect.scoped)
  )

  it.effect("takes at most as many as its limit, the longest lost first", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      const questions = [yield* asked(api, alice), yield* asked(api, alice), yield* asked(api, alice)]
      for (const [place, { generation }] of questions.entries())
        yield* superuser.rows(
          "update app.generations set lease_until = now() - make_interval(secs => $2::int) where id = $1",
          [generation, place + 1]
        )
      assert.strictEqual(yield* sweep(api, 2), 2)
      const states = yield* Effect.forEach(questions, (question) =>
        Effect.map(picture(superuser, question), (row) => row?.["status"])
      )
      assert.deepStrictEqual(states, ["streaming", "interrupted", "interrupted"])
      assert.strictEqual(yield* sweep(api, 2), 1)
    }).pipe(Effect.scoped)
  )

  it.effect("beside eleven others: each answer is ended by one of them, and recorded once", () =>
    Effect.gen(function* () {
      const { alice, another, api, superuser } = yield* office
      const questions = yield* Effect.forEach(Array.from({ length: 30 }), () => asked(api, alice))
      for (const question of questions) {
        yield* append(api, question, 1, ["half"])
        yield* abandon(superuser, question)
      }
      const sweepers = yield* Effect.all(Array.from({ length: 12 }, () => another))
      const counts = yield* Effect.forEach(sweepers, (session) => sweep(session), { concurrency: "unbounded" })
      assert.strictEqual(
        counts.reduce((sum, count) => sum + count, 0),
        30
      )
      for (const question of questions)
        assert.deepInclude(yield* picture(superuser, question), { status: "interrupted", response: "half", records: 1 })
    }).pipe(Effect.scoped)
  )

  it.effect("finds the old keys among many by a plan from when there were none", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      for (let call = 0; call < 7; call++) yield* sweep(api)
      yield* superuser.rows(
        `set session_replication_role = replica;
         insert into app.idempotency_keys (tenant_id, user_id, key, body_hash, message_id, generation_id, created_at)
           select '${alice.tenant}', '${alice.user}', n, 'h', gen_random_uuid(), gen_random_uuid(),
             now() - case when n % 10 = 0 then interval '25 hours' else interval '1 hour' end from generate_series(1, 11000) n;
         insert into app.idempotent_answers (tenant_id, user_id, key, body_hash, created_at)
           select '${alice.tenant}', '${alice.user}', n, 'h',
             now() - case when n % 10 = 0 then interval '25 hours' else interval '1 hour' end from generate_series(1, 11000) n;
         reset session_replication_role`
      )
      yield* api.rows("begin")
      yield* sweep(api)
      const looked = yield* api.rows(
        `select sum(pg_stat_get_xact_tuples_returned(oid) + pg_stat_get_xact_tuples_fetched(oid))::int as n
         from pg_class where relname like 'idempoten%' and relkind in ('r', 'i')`
      )
      yield* api.rows("commit")
      // A thousand of each are found, and looked up once more to be removed.
      assert.isBelow(Number(looked[0]?.["n"]), 10_000)
      assert.deepStrictEqual(
        yield* superuser.rows(
          `select (select count(*)::int from app.idempotency_keys where user_id = $1) as keys,
             (select count(*)::int from app.idempotent_answers where user_id = $1) as answers`,
          [alice.user]
        ),
        [{ keys: 10_000, answers: 10_000 }]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("forgets idempotency keys after a day, and not before", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      const question = yield* asked(api, alice, { key: "k" })
      const age = (hours: number) =>
        superuser.rows(
          "update app.idempotency_keys set created_at = now() - make_interval(hours => $2::int) where generation_id = $1",
          [question.generation, hours]
        )
      yield* age(23)
      yield* sweep(api)
      assert.strictEqual((yield* ask(api, alice, { key: "k" })).outcome, "known")
      yield* age(25)
      yield* sweep(api)
      assert.strictEqual((yield* ask(api, alice, { key: "k" })).outcome, "asked")
    }).pipe(Effect.scoped)
  )
})

layer(TestDatabase.layer)("at the same moment", (it) => {
  it.effect("a chunk and a sweep: the chunk does not wait, and one after the end is lost and stored nowhere", () =>
    Effect.gen(function* () {
      const { alice, another, api, superuser } = yield* office
      const question = yield* asked(api, alice)
      yield* append(api, question, 1, ["in", " time"])
      yield* abandon(superuser, question)
      const sweeper = yield* another
      yield* sweeper.rows("begin")
      assert.strictEqual(yield* sweep(sweeper), 1)
      assert.deepStrictEqual(yield* append(api, question, 3, ["late"]), ["busy"])
      assert.deepStrictEqual(yield* renew(api, question), ["busy"])
      assert.strictEqual(yield* stateOf(finish(api, question)), "55P03")
      yield* sweeper.rows("commit")
      assert.deepStrictEqual(yield* append(api, question, 3, ["late"]), ["lost"])
      assert.deepStrictEqual(yield* renew(api, question), ["lost"])
      assert.isFalse(yield* finish(api, question))
      assert.deepInclude(yield* picture(superuser, question), {
        status: "interrupted",
        response: "in time",
        chunks: 0
      })
    }).pipe(Effect.scoped)
  )

  it.effect("another tenant's transaction holds a row: all other chunks, leases and ends go through", () =>
    Effect.gen(function* () {
      const { alice, another, api, superuser } = yield* office
      const stranger = yield* office
      const lease = randomUUID()
      const held = yield* asked(api, stranger.alice, { lease })
      const mine = yield* asked(api, alice, { lease })
      const holder = yield* another
      yield* holder.rows("begin")
      yield* holder.rows("select role from app.enter($1, $2, 0, 'user')", [held.tenant, stranger.alice.user])
      yield* holder.rows("update app.generations set followed_until = now() where id = $1", [held.generation])
      const both = [
        [held.tenant, mine.tenant],
        [held.generation, mine.generation]
      ]
      yield* api.rows("set lock_timeout = '1ms'")
      const written = "select reason, generation_id as id from work.append($1, $2, $3, '{1,1}', $4)"
      assert.deepStrictEqual(yield* api.rows(written, [lease, ...both, ['["a"]', '["b"]']]), [
        { reason: "busy", id: held.generation }
      ])
      assert.deepStrictEqual(
        yield* api.rows("select reason, generation_id as id from work.renew($1, $2, $3)", [lease, ...both]),
        [{ reason: "busy", id: held.generation }]
      )
      assert.isTrue(yield* finish(api, mine))
      assert.deepInclude(yield* picture(superuser, held), { status: "streaming", chunks: 0 })
      yield* holder.rows("commit")
      // Sent again, with the new tokens.
      assert.deepStrictEqual(yield* append(api, held, 1, ["a", "b"]), [])
      // And with more, because the answer to it was lost: the chunk grows.
      assert.deepStrictEqual(yield* append(api, held, 1, ["a", "b", "c"]), [])
      assert.deepStrictEqual(yield* append(api, held, 1, ["a"]), [])
      assert.deepStrictEqual(
        yield* superuser.rows("select tokens from app.generation_chunks where generation_id = $1", [held.generation]),
        [{ tokens: ["a", "b", "c"] }]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("an end, and its message being removed: neither waits for the other, and the account stays", () =>
    Effect.gen(function* () {
      const { alice, another, api, superuser } = yield* office
      const question = yield* asked(api, alice)
      yield* remove(api, alice, "message", question.message)
      const other = yield* another
      yield* other.rows("begin")
      yield* finish(other, question)
      assert.strictEqual(yield* purge(api), 0)
      yield* other.rows("rollback")
      yield* other.rows("begin")
      assert.strictEqual(yield* purge(other), 1)
      assert.strictEqual(yield* stateOf(finish(api, question)), "55P03")
      yield* other.rows("rollback")
      assert.isTrue(yield* finish(api, question))
      yield* purge(api)
      assert.deepInclude(yield* picture(superuser, question), {
        status: "completed",
        response: null,
        records: 1,
        has_message: null
      })
    }).pipe(Effect.scoped)
  )

  it.effect("a sweep skips an answer whose message another process is removing", () =>
    Effect.gen(function* () {
      const { alice, another, api, superuser } = yield* office
      const question = yield* asked(api, alice)
      yield* abandon(superuser, question)
      yield* remove(api, alice, "message", question.message)
      const remover = yield* another
      yield* remover.rows("begin")
      assert.strictEqual(yield* purge(remover), 1)
      assert.strictEqual(yield* sweep(api), 0)
      yield* remover.rows("commit")
      assert.strictEqual(yield* sweep(api), 1)
      assert.deepInclude(yield* picture(superuser, question), { status: "interrupted", has_message: null, records: 1 })
    }).pipe(Effect.scoped)
  )
})

layer(TestDatabase.layer)("an answer in the room", (it) => {
  const TABLES = ["messages", "generations", "generation_chunks", "idempotency_keys", "tracking_outbox"]

  it.effect("is visible to its user and the tenant's admins only", () =>
    Effect.gen(function* () {
      const { admin, alice, api, bob } = yield* office
      const stranger = yield* office
      const running = yield* asked(api, alice, { key: "k" })
      yield* append(api, running, 1, ["a"])
      yield* finish(api, yield* asked(api, alice))
      const seen = (who: typeof alice) =>
        Effect.forEach(TABLES, (table) =>
          Effect.map(inRoom(api, who, `select count(*)::int from app.${table}`), ([row]) => row?.["count"])
        )
      assert.deepStrictEqual(yield* seen(alice), [2, 2, 1, 1, 0])
      // Keys are visible to their user, and untracked records to the admins.
      assert.deepStrictEqual(yield* seen(admin), [2, 2, 1, 0, 1])
      assert.deepStrictEqual(yield* seen(bob), [0, 0, 0, 0, 0])
      assert.deepStrictEqual(yield* seen(stranger.admin), [0, 0, 0, 0, 0])
    }).pipe(Effect.scoped)
  )

  it.effect("can be asked to stop, and changed in no other way", () =>
    Effect.gen(function* () {
      const { admin, alice, api, bob } = yield* office
      const question = yield* asked(api, alice)
      const change = (who: typeof alice, sql: string) =>
        stateOf(
          inRoom(api, who, `${sql} where ${sql.includes("chunks") ? "generation_id" : "id"} = $1`, [
            question.generation
          ])
        )
      for (const who of [alice, admin]) {
        assert.strictEqual(yield* change(who, "update app.generations set cancel_requested_at = now()"), "fine")
        for (const sql of [
          "update app.generations set status = 'completed'",
          "update app.generations set lease_until = now()",
          "update app.generations set tokens_out = 0",
          "update app.generations set user_id = app.user_id()",
          "delete from app.generations",
          "update app.generation_chunks set tokens = '{x}'",
          "delete from app.generation_chunks",
          "update app.messages set content = 'x'",
          "update app.messages set response = 'x', token_lengths = '{1}'"
        ])
          assert.strictEqual(yield* change(who, sql), "42501", sql)
      }
      const cancelled = yield* inRoom(
        api,
        bob,
        "update app.generations set cancel_requested_at = null where id = $1 returning id",
        [question.generation]
      )
      assert.deepStrictEqual(cancelled, [])
    }).pipe(Effect.scoped)
  )

  it.effect("does not tell under which lease it is written, and the room cannot write one", () =>
    Effect.gen(function* () {
      const { alice, api } = yield* office
      yield* asked(api, alice)
      for (const sql of [
        "select lease_owner from app.generations",
        "select * from app.generations",
        "select to_jsonb(g) from app.generations g",
        "select work.sweep(1)",
        "select work.renew(gen_random_uuid(), '{}', '{}')"
      ])
        assert.strictEqual(yield* stateOf(inRoom(api, alice, sql)), "42501", sql)
    }).pipe(Effect.scoped)
  )
})
