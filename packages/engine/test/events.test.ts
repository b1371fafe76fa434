import { assert, layer } from "@effect/vitest"
import * as Databases from "@llm-saas/database/backup/Databases"
import { GenerationStore } from "@llm-saas/database/GenerationStore"
import type { Attempt } from "@llm-saas/domain/Attempt"
import { entryOf, type ModelPiece } from "@llm-saas/domain/ModelEvent"
import { type ModelRequest, questionText } from "@llm-saas/domain/ModelRequest"
import { Generations } from "@llm-saas/engine/generations/Generations"
import { Messages } from "@llm-saas/engine/messages/Messages"
import type { Question } from "@llm-saas/engine/generations/QuestionStore"
import { anotherProcess, as, at, engine, newUser, question, until } from "@llm-saas/testing/EngineFixture"
import { type Call, Script } from "@llm-saas/testing/ScriptedLlm"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Layer } from "effect"
import * as fc from "fast-check"

const rows = Effect.fnUntraced(function* (sql: string) {
  const { adminUrl } = yield* TestDatabase
  return (yield* Databases.execute(adminUrl, sql)).rows
})

const body = { model: "scripted-1", messages: [{ role: "user", content: "Weather in Paris?" }], odd: true }
const request: ModelRequest = {
  model: "scripted-1",
  stream: true,
  input: [{ type: "message", role: "user", parts: [{ type: "text", text: "Weather in Paris?" }] }],
  origin: { dialect: "chat", body }
}

/** A request of the chat door, whose body differs by `salt`. */
const chat = (salt: string, more: Partial<Question> = {}): Question =>
  question(questionText(request), {
    source: "chat.completions",
    request: { ...request, origin: { dialect: "chat", body: { ...body, user: salt } } },
    ...more
  })

const PIECES: ReadonlyArray<ModelPiece> = [
  { type: "reasoning", text: "They ask for\nthe weather." },
  "Let me",
  " look. \u2028",
  { type: "tool_call", call: 0, id: "call_1", name: "weather", arguments: "" },
  { type: "tool_call", call: 0, arguments: '{"city":"Paris\\u0000 🗼"}' },
  { type: "raw", dialect: "chat", event: { choices: [{ delta: { content: "!" } }] }, text: "!" }
]

/** Emits the pieces and ends. */
const says = (call: Call, pieces: ReadonlyArray<ModelPiece> = PIECES) => {
  for (const piece of pieces) call.emit(piece)
  call.complete({
    finishReason: "tool_calls",
    usage: { input: 12, output: 7, details: { cacheRead: 4, reasoning: 2 } }
  })
}

const follow = (id: Parameters<Generations["Service"]["follow"]>[0]) =>
  Effect.flatMap(Generations, (generations) => generations.follow(id))

layer(Layer.provideMerge(engine(), TestDatabase.layer), { timeout: "120 seconds" })(
  "an answer that is more than text",
  (it) => {
    it.effect(
      "is stored whole, with its request, its calls and what was counted, and read alike at another process",
      () =>
        Effect.gen(function* () {
          const generations = yield* Generations
          const script = yield* Script
          const other = yield* anotherProcess()
          const actor = yield* newUser()
          const asked = yield* generations.ask(chat("whole")).pipe(as(actor))
          const call = yield* script.next
          assert.deepStrictEqual(call.request.origin?.body, { ...body, user: "whole" })
          const failed: Attempt = {
            provider: "a",
            model: "m",
            keySource: "tenant",
            startedAt: 1000,
            endedAt: 1500,
            status: 500
          }
          call.asking.attempt({ ...failed, failure: "model_error" })
          const answering: Attempt = {
            provider: "b",
            model: "m2",
            keySource: "installation",
            startedAt: 1600,
            firstAt: 1700
          }
          call.asking.attempt(answering)
          answering.upstreamId = "chatcmpl-9"
          says(call)
          yield* until(Effect.sync(() => asked.tokenLog.ended !== undefined))
          const read = yield* follow(asked.generationId).pipe(at(other), as(actor))
          yield* until(Effect.sync(() => read.tokenLog.ended !== undefined))
          assert.deepStrictEqual(read.tokenLog.tokens, asked.tokenLog.tokens)
          assert.strictEqual(read.tokenLog.tokens[0], entryOf(PIECES[0] as Exclude<ModelPiece, string>))
          assert.deepStrictEqual(read.tokenLog.ended?.usage, {
            input: 12,
            output: 7,
            details: { cacheRead: 4, reasoning: 2 }
          })
          const messages = yield* Messages
          assert.strictEqual((yield* messages.get(asked.messageId).pipe(as(actor))).response, "Let me look. \u2028!")
          assert.strictEqual((yield* generations.get(asked.generationId).pipe(as(actor))).text, "Let me look. \u2028!")
          const [stored] = yield* rows(
            `select request::jsonb->'odd' = 'true' as sent, content from app.messages where id = '${asked.messageId}'`
          )
          assert.deepStrictEqual(stored, { sent: true, content: "Weather in Paris?" })
          const calls = yield* rows(
            `select number, provider, key_source, http_status, failure, upstream_id, ended_at is not null as ended from app.attempts
         where generation_id = '${asked.generationId}' order by number`
          )
          const none = { http_status: null, failure: null, upstream_id: null, ended: true }
          assert.deepStrictEqual(calls, [
            { ...none, number: 1, provider: "a", key_source: "tenant", http_status: 500, failure: "model_error" },
            { ...none, number: 2, provider: "b", key_source: "installation", upstream_id: "chatcmpl-9" }
          ])
        }).pipe(Effect.scoped)
    )

    it.effect("is kept as far as it was written when its process is lost", () =>
      Effect.gen(function* () {
        const script = yield* Script
        const store = yield* GenerationStore
        const actor = yield* newUser()
        const asked = yield* Effect.flatMap(Generations, ({ ask }) => ask(chat("lost"))).pipe(as(actor))
        const call = yield* script.next
        for (const piece of PIECES) call.emit(piece)
        const written = `select coalesce(sum(cardinality(tokens)), 0)::int as count from app.generation_chunks where generation_id = '${asked.generationId}'`
        yield* until(Effect.map(rows(written), ([chunks]) => chunks?.["count"] === asked.tokenLog.seq))
        yield* rows(
          `update app.generations set lease_owner = gen_random_uuid(), lease_until = now() - interval '1 second' where id = '${asked.generationId}'`
        )
        yield* store.sweep(100)
        const [message] = yield* rows(
          `select response, log, token_lengths from app.messages where id = '${asked.messageId}'`
        )
        assert.strictEqual(message?.["response"], "Let me look. \u2028!")
        assert.strictEqual(message?.["log"], asked.tokenLog.tokens.join(""))
        assert.deepStrictEqual(
          message?.["token_lengths"],
          asked.tokenLog.tokens.map((entry) => [...entry].length)
        )
        const calls = yield* rows(
          `select failure, ended_at from app.attempts where generation_id = '${asked.generationId}'`
        )
        assert.deepStrictEqual(calls, [{ failure: "process_lost", ended_at: null }])
      }).pipe(Effect.scoped)
    )

    it.effect("of events too large for an answer ends as too long, and keeps what came before", () =>
      Effect.gen(function* () {
        const script = yield* Script
        const actor = yield* newUser()
        const asked = yield* Effect.flatMap(Generations, ({ ask }) => ask(chat("large"))).pipe(as(actor))
        const call = yield* script.next
        call.emit({ type: "tool_call", call: 0, arguments: "x".repeat(100_001) })
        yield* call.aborted
        yield* until(Effect.sync(() => asked.tokenLog.ended !== undefined))
        assert.deepInclude(asked.tokenLog.ended?.ending, { status: "failed", failure: "answer_too_long" })
      }).pipe(Effect.scoped)
    )

    it.effect("is read back as it came, whatever it is", () =>
      Effect.gen(function* () {
        const generations = yield* Generations
        const script = yield* Script
        const other = yield* anotherProcess()
        const actor = yield* newUser()
        const text = fc.string({ unit: "binary", maxLength: 20 })
        const piece = fc.oneof(
          text.filter((each) => each !== ""),
          fc.record({ type: fc.constant("reasoning" as const), text }),
          fc.record({ type: fc.constant("tool_call" as const), call: fc.nat(3), arguments: text }),
          fc.record({
            type: fc.constant("raw" as const),
            dialect: fc.constant("chat" as const),
            event: fc.record({ a: text }),
            text
          })
        )
        for (const pieces of fc.sample(fc.array(piece, { maxLength: 12 }), 20)) {
          const asked = yield* generations.ask(chat("any")).pipe(as(actor))
          says(yield* script.next, pieces)
          yield* until(Effect.sync(() => asked.tokenLog.ended !== undefined))
          const read = yield* follow(asked.generationId).pipe(at(other), as(actor))
          yield* until(Effect.sync(() => read.tokenLog.ended !== undefined))
          assert.deepStrictEqual(read.tokenLog.tokens, asked.tokenLog.tokens)
        }
      }).pipe(Effect.scoped)
    )
  }
)

layer(Layer.provideMerge(engine(), TestDatabase.layer), { timeout: "120 seconds" })("tries of one request", (it) => {
  it.effect("join the answer that runs or is whole, and ask again where there is none", () =>
    Effect.gen(function* () {
      const { ask } = yield* Generations
      const script = yield* Script
      const actor = yield* newUser()
      const first = yield* ask(chat("one", { tries: "first" })).pipe(as(actor))
      const call = yield* script.next
      const again = yield* ask(chat("one", { tries: "again" })).pipe(as(actor))
      assert.strictEqual(again.generationId, first.generationId)
      says(call)
      yield* until(Effect.sync(() => first.tokenLog.ended !== undefined))
      assert.strictEqual((yield* ask(chat("one", { tries: "again" })).pipe(as(actor))).generationId, first.generationId)

      // The same request made anew is another one, and the next try is of that.
      const second = yield* ask(chat("one", { tries: "first" })).pipe(as(actor))
      assert.notStrictEqual(second.generationId, first.generationId)
      const failing = yield* script.next
      failing.emit("half")
      failing.fail("model_cut")
      yield* until(Effect.sync(() => second.tokenLog.ended !== undefined))
      const third = yield* ask(chat("one", { tries: "again" })).pipe(as(actor))
      assert.notInclude([first.generationId, second.generationId], third.generationId)
      says(yield* script.next)
      yield* until(Effect.sync(() => third.tokenLog.ended !== undefined))
      yield* rows(`update app.idempotency_keys set created_at = now() - interval '11 minutes'`)
      const late = yield* ask(chat("one", { tries: "again" })).pipe(as(actor))
      assert.notStrictEqual(late.generationId, third.generationId)
      says(yield* script.next)
    }).pipe(Effect.scoped)
  )

  it.effect("are of one user and one body", () =>
    Effect.gen(function* () {
      const { ask } = yield* Generations
      const script = yield* Script
      const actor = yield* newUser()
      const colleague = yield* newUser(actor.tenantId)
      const first = yield* ask(chat("mine", { tries: "first" })).pipe(as(actor))
      says(yield* script.next)
      for (const [who, salt] of [
        [colleague, "mine"],
        [actor, "other"]
      ] as const) {
        const theirs = yield* ask(chat(salt, { tries: "again" })).pipe(as(who))
        assert.notStrictEqual(theirs.generationId, first.generationId)
        says(yield* script.next)
      }
    }).pipe(Effect.scoped)
  )
})

layer(Layer.provideMerge(engine(), TestDatabase.layer), { timeout: "120 seconds" })("what is kept of content", (it) => {
  const texts = (id: string) =>
    rows(
      `select m.content, m.response, m.request, m.log, g.content as state, g.response_length as length
       from app.messages m join app.generations g on g.message_id = m.id where m.id = '${id}'`
    )
  const gone = { content: "", response: "", request: null, log: null, state: "removed", length: 13 }

  it.effect("is nothing, a minute after the end, where the tenant or the request says so", () =>
    Effect.gen(function* () {
      const { ask } = yield* Generations
      const script = yield* Script
      const store = yield* GenerationStore
      const actor = yield* newUser()
      const careful = yield* newUser()
      yield* rows(`update app.tenants set content_retention = 'none' where id = '${careful.tenantId}'`)
      for (const [who, keep] of [
        [actor, false],
        [careful, undefined]
      ] as const) {
        const asked = yield* ask(chat("none", { keep })).pipe(as(who))
        says(yield* script.next, ["Let me", " look.", { type: "refusal", text: "!" }])
        yield* until(Effect.sync(() => asked.tokenLog.ended !== undefined))
        // Its readers elsewhere still have it.
        yield* store.purge(100)
        assert.strictEqual((yield* texts(asked.messageId))[0]?.["response"], "Let me look.!")
        yield* rows(
          `update app.generations set lease_until = lease_until - interval '91 seconds' where id = '${asked.generationId}'`
        )
        assert.strictEqual(yield* store.purge(100), 1)
        assert.deepStrictEqual(yield* texts(asked.messageId), [gone])
        assert.strictEqual(
          (yield* Effect.flip(follow(asked.generationId).pipe(as(who)))).message,
          "The content of this answer is not kept."
        )
      }
    }).pipe(Effect.scoped)
  )

  it.effect("is removed after the tenant's days, once, and only there", () =>
    Effect.gen(function* () {
      const { ask } = yield* Generations
      const script = yield* Script
      const store = yield* GenerationStore
      const [actor, other] = [yield* newUser(), yield* newUser()]
      yield* rows(`update app.tenants set content_retention = 'days', content_days = 2 where id = '${actor.tenantId}'`)
      const places: Array<string> = []
      for (const who of [actor, other, actor]) {
        const asked = yield* ask(chat("days")).pipe(as(who))
        says(yield* script.next, ["Let me", " look.", { type: "refusal", text: "!" }])
        yield* until(Effect.sync(() => asked.tokenLog.ended !== undefined))
        places.push(asked.messageId)
      }
      // The test's clock is in 1970, and ids are in the order of time: one is made as young as it should be.
      const [old = "", others = "", young = ""] = places
      const now = "(lpad(to_hex((extract(epoch from now()) * 1000)::bigint), 12, '0')"
      yield* rows(
        `do $$ begin
           perform set_config('session_replication_role', 'replica', true);
           update app.messages set id = ${now} || right(replace(id::text, '-', ''), 20))::uuid where id = '${young}';
           update app.generations set message_id = ${now} || right(replace(message_id::text, '-', ''), 20))::uuid where message_id = '${young}';
         end $$`
      )
      const state = (id: string) =>
        Effect.map(
          rows(`select g.content from app.generations g where right(g.message_id::text, 22) = right('${id}', 22)`),
          ([row]) => row?.["content"]
        )
      assert.strictEqual(yield* store.purge(100), 1)
      assert.deepStrictEqual(
        [yield* state(old), yield* state(others), yield* state(young)],
        ["removed", "kept", "kept"]
      )
      assert.strictEqual(yield* store.purge(100), 0)
    }).pipe(Effect.scoped)
  )
})

layer(Layer.provideMerge(engine(), TestDatabase.layer), { timeout: "120 seconds" })("a model", (it) => {
  it.effect("that does not exist is refused without a trace, and one that a key may not ask is refused first", () =>
    Effect.gen(function* () {
      const { ask } = yield* Generations
      const actor = yield* newUser()
      const unknown = yield* Effect.flip(ask(question("Who?", { model: "nobody" })).pipe(as(actor)))
      assert.deepInclude(unknown, { _tag: "ModelNotFound", model: "nobody" })
      const [count] = yield* rows(`select count(*)::int from app.messages where tenant_id = '${actor.tenantId}'`)
      assert.strictEqual(count?.["count"], 0)
    }).pipe(Effect.scoped)
  )
})
