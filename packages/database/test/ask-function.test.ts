import { assert, layer } from "@effect/vitest"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { ask, asked, finish, inRoom, office, type Person } from "./Questions.ts"
import { type Session, stateOf } from "./Session.ts"

const conversation = Effect.fnUntraced(function* (session: Session, who: Person, title: string | null = null) {
  const id = randomUUID()
  yield* inRoom(
    session,
    who,
    "insert into app.conversations (tenant_id, id, user_id, title) values (app.tenant_id(), $1, app.user_id(), $2)",
    [id, title]
  )
  return id
})

layer(TestDatabase.layer)("asking", (it) => {
  it.effect("stores the question and its generation under the lease, as the user's own", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      const question = yield* asked(api, alice, { content: "Why 🏠?" })
      assert.deepStrictEqual([question.outcome, question.status, question.history], ["asked", "streaming", []])
      assert.deepStrictEqual(
        yield* superuser.rows(
          `select m.content, m.response, m.user_id as asker, g.user_id as spender, g.lease_owner as lease, g.status, g.prompt_length,
             g.lease_until > now() + interval '20 seconds' as leased
           from app.messages m join app.generations g on g.message_id = m.id where m.tenant_id = $1`,
          [alice.tenant]
        ),
        [
          {
            content: "Why 🏠?",
            response: null,
            asker: alice.user,
            spender: alice.user,
            lease: question.lease,
            status: "streaming",
            prompt_length: 6,
            leased: true
          }
        ]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("twelve times at once with one key asks once; the key counts for this user and this body only", () =>
    Effect.gen(function* () {
      const { alice, another, api, bob, superuser } = yield* office
      const sessions = yield* Effect.all(Array.from({ length: 12 }, () => another))
      const answers = yield* Effect.forEach(sessions, (session) => ask(session, alice, { key: "one" }), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(answers.map(({ outcome }) => outcome).sort(), ["asked", ...Array(11).fill("known")])
      assert.strictEqual(new Set(answers.map(({ generation }) => generation)).size, 1)
      assert.strictEqual(new Set(answers.map(({ message }) => message)).size, 1)
      assert.deepStrictEqual(
        yield* superuser.rows("select count(*)::int from app.generations where tenant_id = $1", [alice.tenant]),
        [{ count: 1 }]
      )
      assert.strictEqual((yield* ask(api, alice, { key: "one", bodyHash: "another" })).outcome, "mismatch")
      const other = yield* ask(api, bob, { key: "one", bodyHash: "another" })
      assert.strictEqual(other.outcome, "asked")
      assert.notStrictEqual(other.generation, answers[0]?.generation)
    }).pipe(Effect.scoped)
  )

  it.effect("with a known key returns the state of the answer, and a mismatch reveals nothing of it", () =>
    Effect.gen(function* () {
      const { alice, api } = yield* office
      const first = yield* asked(api, alice, { key: "again" })
      const running = yield* ask(api, alice, { key: "again" })
      assert.deepStrictEqual([running.outcome, running.status], ["known", "streaming"])
      yield* finish(api, first)
      const ended = yield* ask(api, alice, { key: "again" })
      assert.deepStrictEqual(
        [ended.outcome, ended.status, ended.message, ended.generation],
        ["known", "completed", first.message, first.generation]
      )
      const { generation, history, message } = yield* ask(api, alice, { key: "again", bodyHash: "x" })
      assert.deepStrictEqual([generation, message, history], ["null", "null", []])
    }).pipe(Effect.scoped)
  )

  it.effect("in a conversation returns its earlier turns, oldest first, as many as fit, and none of them cut", () =>
    Effect.gen(function* () {
      const { alice, api } = yield* office
      const talk = yield* conversation(api, alice)
      const turn = Effect.fnUntraced(function* (content: string, response: string, status = "completed") {
        const question = yield* asked(api, alice, { content, conversation: talk })
        if (status !== "running") yield* finish(api, question, { response, status })
      })
      yield* turn("aaaa", "bbbb")
      yield* turn("an answer without text", "", "failed")
      yield* turn("cccc", "dd🏠d")
      yield* turn("never answered", "", "running")
      const history = (historyCharacters: number) =>
        Effect.map(ask(api, alice, { conversation: talk, historyCharacters }), (taken) => taken.history)
      const older = { content: "aaaa", response: "bbbb" }
      const newer = { content: "cccc", response: "dd🏠d" }
      assert.deepStrictEqual(yield* history(16), [older, newer])
      assert.deepStrictEqual(yield* history(15), [newer])
      assert.deepStrictEqual(yield* history(8), [newer])
      assert.deepStrictEqual(yield* history(7), [])
      // Outside a conversation there are none.
      assert.deepStrictEqual((yield* ask(api, alice)).history, [])
    }).pipe(Effect.scoped)
  )

  it.effect("names a conversation after its first question, once, in one line of 80 characters", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      const titleAfter = Effect.fnUntraced(function* (content: string, title: string | null = null) {
        const talk = yield* conversation(api, alice, title)
        yield* ask(api, alice, { conversation: talk, content })
        const [row] = yield* superuser.rows("select title from app.conversations where id = $1", [talk])
        yield* ask(api, alice, { conversation: talk, content: "Something else" })
        const [later] = yield* superuser.rows("select title from app.conversations where id = $1", [talk])
        return [row?.["title"], later?.["title"]]
      })
      assert.deepStrictEqual(yield* titleAfter("  Why\n\n is\tit? "), ["Why is it?", "Why is it?"])
      assert.deepStrictEqual(yield* titleAfter("🏠".repeat(100)), ["🏠".repeat(80), "🏠".repeat(80)])
      assert.deepStrictEqual(yield* titleAfter("Why?", "Mine"), ["Mine", "Mine"])
      assert.deepStrictEqual(yield* titleAfter(" \n\t "), [null, "Something else"])
    }).pipe(Effect.scoped)
  )

  it.effect(
    "in a conversation of another user or tenant, or in none that exists, is refused alike, and leaves no trace",
    () =>
      Effect.gen(function* () {
        const { admin, alice, api, bob, superuser } = yield* office
        const stranger = yield* office
        const talk = yield* conversation(api, alice)
        for (const [who, id] of [
          [bob, talk],
          [admin, talk],
          [stranger.admin, talk],
          [alice, randomUUID()]
        ] as const) {
          const { generation, history, outcome } = yield* ask(api, who, { conversation: id, key: "k" })
          assert.deepStrictEqual([outcome, generation, history], ["no_conversation", "null", []])
        }
        assert.deepStrictEqual(
          yield* superuser.rows(
            `select (select count(*)::int from app.messages where tenant_id in ($1, $2)) as messages,
            (select count(*)::int from app.idempotency_keys where tenant_id in ($1, $2)) as keys,
            (select title from app.conversations where id = $3) as title`,
            [alice.tenant, stranger.alice.tenant, talk]
          ),
          [{ messages: 0, keys: 0, title: null }]
        )
      }).pipe(Effect.scoped)
  )

  it.effect("nothing can be attached to another user's rows, even without app.ask", () =>
    Effect.gen(function* () {
      const { alice, api, bob } = yield* office
      const talk = yield* conversation(api, alice)
      const hers = yield* asked(api, alice)
      const generation = `insert into app.generations (tenant_id, id, message_id, user_id, source, provider, model, lease_owner, approx_tokens_in,
          prompt_length, trace_id, created_at, admitted_at)
        values (app.tenant_id(), gen_random_uuid(), $1, app.user_id(), 'rpc', 'p', 'm', gen_random_uuid(), 1, 1, repeat('a', 32), now(), now())`
      const message = `insert into app.messages (tenant_id, id, user_id, conversation_id, content)
        values (app.tenant_id(), gen_random_uuid(), app.user_id(), $1, 'x')`
      const key = `insert into app.idempotency_keys (tenant_id, user_id, key, body_hash, message_id, generation_id)
        values (app.tenant_id(), app.user_id(), 'k', 'h', $1, gen_random_uuid())`
      for (const [sql, id] of [
        [generation, hers.message],
        [message, talk],
        [key, hers.message]
      ] as const) {
        assert.strictEqual(yield* stateOf(inRoom(api, bob, sql, [id])), "23503", sql)
        assert.strictEqual(yield* stateOf(inRoom(api, alice, sql, [id])), "fine", sql)
      }
    }).pipe(Effect.scoped)
  )
})
