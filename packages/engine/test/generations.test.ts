import { assert, layer } from "@effect/vitest"
import * as Databases from "@llm-saas/database/backup/Databases"
import { Pool } from "@llm-saas/database/connections/Pool"
import { type EndedAnswer, GenerationStore } from "@llm-saas/database/GenerationStore"
import { ofTexts } from "@llm-saas/domain/ModelRequest"
import { Generations } from "@llm-saas/engine/generations/Generations"
import { Messages } from "@llm-saas/engine/messages/Messages"
import { Conversations } from "@llm-saas/engine/messages/Conversations"
import * as GenerationReader from "@llm-saas/engine/generations/GenerationReader"
import { asked } from "@llm-saas/testing/GenerationFixture"
import { Script } from "@llm-saas/testing/ScriptedLlm"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Cause, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import { randomUUID } from "node:crypto"
import { anotherProcess, as, at, engine, question, newUser, passing, until } from "@llm-saas/testing/EngineFixture"

const rows = Effect.fnUntraced(function* (sql: string) {
  const { adminUrl } = yield* TestDatabase
  return (yield* Databases.execute(adminUrl, sql)).rows
})

/** The audit log's actions on a target. */
const audited = (id: string) =>
  rows(`select action, actor_user_id as actor, detail from app.audit_events where target_id = '${id}'`)

layer(Layer.provideMerge(engine(), TestDatabase.layer), { timeout: "120 seconds" })("a generation", (it) => {
  it.effect(
    "is answered, stored whole, accounted for, and recorded for tracking, before a reader receives its end",
    () =>
      Effect.gen(function* () {
        const generations = yield* Generations
        const script = yield* Script
        const messages = yield* Messages
        const actor = yield* newUser()
        const asked = yield* generations.ask(question("What is a room?")).pipe(as(actor))
        const call = yield* script.next
        assert.deepStrictEqual(call.prompt, [{ role: "user", content: "What is a room?" }])
        for (const piece of ["A", " room", " 🏠", "."]) call.emit(piece)
        assert.strictEqual(asked.tokenLog.ended, undefined)
        call.complete({ usage: { input: 5, output: 4 }, model: "scripted-1-2026" })
        const message = yield* generations.answer(asked)
        const kept = yield* messages.get(asked.messageId).pipe(as(actor))
        assert.deepStrictEqual({ ...kept }, { ...message })
        assert.strictEqual(kept.response, "A room 🏠.")
        assert.deepInclude(
          { ...kept },
          { status: "completed", finish_reason: "stop", model: "scripted-1-2026", tokens_in: 5, tokens_out: 4 }
        )
        const [account] = yield* rows(
          `select g.cost_usd::float8 as cost, g.ended_at is not null as ended, o.generation_id is not null as tracked,
           (select count(*)::int from app.generation_chunks c where c.generation_id = g.id) as chunks
         from app.generations g left join app.tracking_outbox o on o.generation_id = g.id where g.id = '${asked.generationId}'`
        )
        assert.deepStrictEqual(account, { cost: 0.000013, ended: true, tracked: true, chunks: 0 })
      }).pipe(Effect.scoped)
  )

  it.effect("goes on when its reader leaves, finds another within the grace period, and is cancelled after it", () =>
    Effect.gen(function* () {
      const generations = yield* Generations
      const script = yield* Script
      const actor = yield* newUser()
      const first = yield* Scope.make()
      const asked = yield* generations.ask(question("Long?")).pipe(as(actor), Scope.provide(first))
      const call = yield* script.next
      call.emit("one")
      yield* Scope.close(first, Exit.void)
      yield* TestClock.adjust("29 seconds")
      const second = yield* Scope.make()
      const { tokenLog } = yield* generations.follow(asked.generationId).pipe(as(actor), Scope.provide(second))
      assert.strictEqual(tokenLog, asked.tokenLog)
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(tokenLog.ended, undefined)
      call.emit(" two")
      yield* Scope.close(second, Exit.void)
      yield* until(Effect.sync(() => tokenLog.ended !== undefined))
      yield* call.aborted
      assert.strictEqual(tokenLog.ended?.ending.status, "cancelled")
      const { seq, status, text } = yield* generations.get(asked.generationId).pipe(as(actor))
      assert.deepStrictEqual([status, text, Number(seq)], ["cancelled", "one two", 2])
    })
  )

  it.effect("in the background goes on without a reader, and its request is kept with it", () =>
    Effect.gen(function* () {
      const generations = yield* Generations
      const script = yield* Script
      const actor = yield* newUser()
      const reader = yield* Scope.make()
      const body = { model: "scripted-1", input: "Long?" }
      const request = {
        ...ofTexts("scripted-1", [{ role: "user", content: "Long?" }]),
        origin: { dialect: "responses" as const, body }
      }
      const asked = yield* generations
        .ask({ ...question("Long?"), request, source: "responses", background: true })
        .pipe(as(actor), Scope.provide(reader))
      const call = yield* script.next
      call.emit("one")
      yield* Scope.close(reader, Exit.void)
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(asked.tokenLog.ended, undefined)
      const record = generations.record(asked.generationId)
      const running = yield* record.pipe(as(actor))
      assert.deepInclude(running, { source: "responses", request: JSON.stringify(body), entries: ["one"] })
      assert.strictEqual(running.ended, undefined)
      call.complete()
      yield* until(Effect.sync(() => asked.tokenLog.ended !== undefined))
      const { ended, entries } = yield* record.pipe(as(actor))
      assert.deepStrictEqual([ended?.ending.status, entries], ["completed", ["one"]])
      const stranger = yield* Effect.flip(record.pipe(as(yield* newUser())))
      assert.strictEqual(stranger._tag, "GenerationNotFound")
    })
  )

  it.effect(
    "is read at another process from any token on, also while it runs, and its reader there keeps it running",
    () =>
      Effect.gen(function* () {
        const generations = yield* Generations
        const script = yield* Script
        const other = yield* anotherProcess()
        const actor = yield* newUser()
        const here = yield* Scope.make()
        const asked = yield* generations.ask(question("Where?")).pipe(as(actor), Scope.provide(here))
        const call = yield* script.next
        call.emit("a")
        call.emit("b")
        const { tokenLog } = yield* Effect.flatMap(Generations, ({ follow }) => follow(asked.generationId)).pipe(
          at(other),
          as(actor)
        )
        yield* until(Effect.sync(() => tokenLog.seq === 2))
        yield* Scope.close(here, Exit.void)
        yield* passing(200_000, 1000)
        assert.strictEqual(tokenLog.ended, undefined)
        assert.strictEqual(asked.tokenLog.ended, undefined)
        call.emit("c")
        call.complete()
        const end = yield* Effect.forkChild(GenerationReader.ended(tokenLog))
        yield* until(Effect.sync(() => tokenLog.ended !== undefined))
        assert.strictEqual((yield* Fiber.join(end)).message.response, "abc")
        assert.deepStrictEqual(tokenLog.tokens, ["a", "b", "c"])
        assert.strictEqual(script.asked() > 0, true)
      }).pipe(Effect.scoped)
  )

  it.effect("is cancelled from another process, and the provider's request is aborted", () =>
    Effect.gen(function* () {
      const generations = yield* Generations
      const script = yield* Script
      const other = yield* anotherProcess()
      const actor = yield* newUser()
      const asked = yield* generations.ask(question("Stop?")).pipe(as(actor))
      const call = yield* script.next
      call.emit("par")
      yield* Effect.flatMap(Generations, ({ cancel }) => cancel(asked.generationId)).pipe(at(other), as(actor))
      yield* until(Effect.sync(() => asked.tokenLog.ended !== undefined))
      yield* call.aborted
      const { status, text } = yield* generations.get(asked.generationId).pipe(as(actor))
      assert.deepStrictEqual({ status, text }, { status: "cancelled", text: "par" })
    }).pipe(Effect.scoped)
  )

  it.effect("whose question is deleted at another process stops here, and its account stays", () =>
    Effect.gen(function* () {
      const generations = yield* Generations
      const script = yield* Script
      const other = yield* anotherProcess()
      const actor = yield* newUser()
      const asked = yield* generations.ask(question("Forget?")).pipe(as(actor))
      const call = yield* script.next
      call.emit("half")
      yield* Effect.flatMap(Messages, ({ remove }) => remove(asked.messageId)).pipe(at(other), as(actor))
      assert.deepStrictEqual(yield* audited(asked.messageId), [
        { action: "message.deleted", actor: actor.userId, detail: { user_id: actor.userId } }
      ])
      yield* until(Effect.sync(() => asked.tokenLog.ended !== undefined))
      yield* call.aborted
      assert.strictEqual(
        (yield* Effect.flip(generations.get(asked.generationId).pipe(as(actor))))._tag,
        "GenerationNotFound"
      )
      assert.deepStrictEqual(
        yield* rows(
          `select status, response_length, (select count(*)::int from app.generation_chunks where generation_id = g.id) as chunks
           from app.generations g where id = '${asked.generationId}'`
        ),
        [{ status: "cancelled", response_length: 4, chunks: 0 }]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("whose process is gone is ended as interrupted by another process, with its text so far", () =>
    Effect.gen(function* () {
      const generations = yield* Generations
      const script = yield* Script
      const other = yield* anotherProcess()
      const actor = yield* newUser()
      const asked = yield* generations.ask(question("Lost?")).pipe(as(actor))
      const call = yield* script.next
      call.emit("half an")
      call.emit(" ans😀")
      yield* until(
        Effect.map(
          rows(`select from app.generation_chunks where generation_id = '${asked.generationId}'`),
          (found) => found.length > 0
        )
      )
      // A killed process leaves a lease that is not renewed.
      yield* rows(
        `update app.generations set lease_owner = '${randomUUID()}', lease_until = now() - interval '1 second' where id = '${asked.generationId}'`
      )
      yield* until(
        Effect.map(
          generations.get(asked.generationId).pipe(as(actor), at(other)),
          ({ status }) => status === "interrupted"
        )
      )
      const { text, failure } = yield* Effect.flatMap(Generations, ({ get }) => get(asked.generationId)).pipe(
        at(other),
        as(actor)
      )
      assert.deepStrictEqual({ text, failure }, { text: "half an ans😀", failure: "process_lost" })
      // The process that was thought gone learns of it, and stops.
      yield* until(Effect.sync(() => asked.tokenLog.ended !== undefined))
      assert.strictEqual(asked.tokenLog.ended?.ending.status, "interrupted")
    }).pipe(Effect.scoped)
  )

  it.effect("is asked once for one idempotency key, however often it is sent", () =>
    Effect.gen(function* () {
      const generations = yield* Generations
      const script = yield* Script
      const actor = yield* newUser()
      const before = script.asked()
      const send = (content: string) =>
        generations.ask(question(content, { source: "messages", idempotencyKey: "k-1" })).pipe(as(actor), Effect.result)
      const all = yield* Effect.forEach(Array.from({ length: 12 }), () => send("Once?"), { concurrency: "unbounded" })
      const taken = all.flatMap((each) => (each._tag === "Success" ? [each.success] : []))
      const refused = all.flatMap((each) => (each._tag === "Failure" ? [each.failure._tag] : []))
      assert.strictEqual(taken.length, 1)
      assert.deepStrictEqual(
        refused,
        Array.from({ length: 11 }, () => "StillRunning")
      )
      const mismatch = yield* send("Another?")
      assert.strictEqual(mismatch._tag === "Failure" && mismatch.failure._tag, "IdempotencyMismatch")
      const call = yield* script.next
      call.emit("once")
      call.complete()
      const [asked] = taken
      if (asked === undefined) return assert.fail("nothing was asked")
      const answered = yield* generations.answer(asked)
      const again = yield* send("Once?")
      if (again._tag === "Failure") return assert.fail(again.failure._tag)
      assert.strictEqual(again.success.replayed, true)
      assert.deepStrictEqual({ ...(yield* generations.answer(again.success)) }, { ...answered })
      assert.strictEqual(script.asked() - before, 1)
    }).pipe(Effect.scoped)
  )

  it.effect("that failed before its first token may be asked again with its key; one that failed later is not", () =>
    Effect.gen(function* () {
      const generations = yield* Generations
      const script = yield* Script
      const actor = yield* newUser()
      const send = (key: string) => generations.ask(question("Again?", { idempotencyKey: key })).pipe(as(actor))
      const first = yield* send("early")
      ;(yield* script.next).fail("model_rate_limited", 7)
      const failure = yield* Effect.flip(generations.answer(first))
      assert.deepInclude({ ...failure }, { reason: "model_rate_limited", retry_after: 7 })
      assert.strictEqual((yield* send("early")).replayed, false)
      ;(yield* script.next).complete()
      const second = yield* send("late")
      const call = yield* script.next
      call.emit("some")
      call.fail("model_cut")
      assert.strictEqual((yield* Effect.flip(generations.answer(second)))._tag, "ModelFailed")
      assert.strictEqual((yield* send("late")).replayed, true)
    }).pipe(Effect.scoped)
  )

  it.effect("in a conversation includes its earlier turns, of its own user only", () =>
    Effect.gen(function* () {
      const generations = yield* Generations
      const conversations = yield* Conversations
      const script = yield* Script
      const actor = yield* newUser()
      const stranger = yield* newUser(actor.tenantId)
      const { id } = yield* conversations.create({}).pipe(as(actor))
      const say = Effect.fnUntraced(function* (content: string, response: string) {
        const asked = yield* generations.ask(question(content, { conversationId: id })).pipe(as(actor))
        const call = yield* script.next
        call.emit(response)
        call.complete()
        yield* generations.answer(asked)
        return call.prompt
      })
      yield* say("My name is Ada.", "Hello Ada.")
      assert.deepStrictEqual(yield* say("What is my name?", "Ada."), [
        { role: "user", content: "My name is Ada." },
        { role: "assistant", content: "Hello Ada." },
        { role: "user", content: "What is my name?" }
      ])
      assert.strictEqual((yield* conversations.get(id).pipe(as(actor))).title, "My name is Ada.")
      const refused = yield* Effect.flip(generations.ask(question("Mine?", { conversationId: id })).pipe(as(stranger)))
      assert.strictEqual(refused._tag, "ConversationNotFound")
      const page = yield* conversations.messages(id, { limit: 10, cursor: undefined }).pipe(as(actor))
      assert.deepStrictEqual(
        JSON.parse(page).data.map(({ content }: { readonly content: string }) => content),
        ["What is my name?", "My name is Ada."]
      )
      const call = yield* Effect.gen(function* () {
        yield* generations.ask(question("And now?", { conversationId: id })).pipe(as(actor))
        return yield* script.next
      })
      yield* conversations.remove(id).pipe(as(actor))
      yield* call.aborted
      assert.deepStrictEqual(yield* audited(id), [
        { action: "conversation.deleted", actor: actor.userId, detail: { user_id: actor.userId } }
      ])
    }).pipe(Effect.scoped)
  )

  it.effect("of another tenant, or of another user, does not exist", () =>
    Effect.gen(function* () {
      const generations = yield* Generations
      const script = yield* Script
      const actor = yield* newUser()
      const asked = yield* generations.ask(question("Secret?")).pipe(as(actor))
      yield* script.next
      for (const stranger of [yield* newUser(), yield* newUser(actor.tenantId)]) {
        for (const attempt of [
          Effect.asVoid(generations.get(asked.generationId)),
          Effect.asVoid(generations.cancel(asked.generationId)),
          Effect.asVoid(generations.follow(asked.generationId))
        ])
          assert.strictEqual((yield* Effect.flip(as(stranger)(attempt)))._tag, "GenerationNotFound")
      }
      assert.strictEqual(asked.tokenLog.ended, undefined)
    }).pipe(Effect.scoped)
  )

  it.effect("goes on while the database is away, and none of it is lost", () =>
    Effect.gen(function* () {
      const generations = yield* Generations
      const script = yield* Script
      const actor = yield* newUser()
      const asked = yield* generations.ask(question("Outage?")).pipe(as(actor))
      const call = yield* script.next
      call.emit("before ")
      yield* TestClock.adjust("300 millis")
      const { name } = yield* TestDatabase
      const cut = rows(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}' and usename = 'llm_api'`
      )
      // In this database only: other tests on the server use the same role.
      yield* rows(`alter database ${name} connection limit 0`)
      yield* cut
      call.emit("during ")
      yield* TestClock.adjust("2 seconds")
      call.emit("after")
      call.complete()
      const end = yield* Effect.forkChild(generations.answer(asked))
      yield* rows(`alter database ${name} connection limit -1`)
      yield* until(Effect.sync(() => asked.tokenLog.ended !== undefined))
      assert.strictEqual((yield* Fiber.join(end)).response, "before during after")
    }).pipe(Effect.scoped)
  )
})

layer(Layer.provideMerge(engine({}, 5), TestDatabase.layer), { timeout: "120 seconds" })(
  "while a model talks",
  (it) => {
    it.effect("no connection is held: 200 answers at once on a pool of five, and everything else goes on", () =>
      Effect.gen(function* () {
        const generations = yield* Generations
        const messages = yield* Messages
        const script = yield* Script
        const pool = yield* Pool
        const actor = yield* newUser()
        const asked = yield* Effect.forEach(
          Array.from({ length: 200 }, (_, n) => n),
          (n) => generations.ask(question(`Question ${n}`)).pipe(as(actor)),
          { concurrency: 50 }
        )
        const calls = yield* Effect.forEach(asked, () => script.next)
        for (const call of calls) call.emit("tok")
        assert.deepInclude(pool.load(), { lent: 0, waiting: 0 })
        const page = yield* messages.page({ scope: "own", limit: 100, cursor: undefined }).pipe(as(actor))
        assert.strictEqual(JSON.parse(page).data.length, 100)
        assert.deepInclude(pool.load(), { lent: 0, waiting: 0 })
        for (const call of calls) call.complete()
        const answers = yield* Effect.forEach(asked, generations.answer, { concurrency: "unbounded" })
        assert.deepStrictEqual(
          answers.map(({ response }) => response),
          asked.map(() => "tok")
        )
      }).pipe(Effect.scoped)
    )
  }
)

let lent = 0
const counted = (pool: Pool["Service"]) =>
  Pool.of({
    ...pool,
    use: (work) => Effect.suspend(() => (lent++, pool.use(work))),
    query: (sql, params) => Effect.suspend(() => (lent++, pool.query(sql, params))),
    write: (sql, params) => Effect.suspend(() => (lent++, pool.write(sql, params))),
    call: (sql, params, rows, line) => Effect.suspend(() => (lent++, pool.call(sql, params, rows, line)))
  })

layer(Layer.provideMerge(engine(), TestDatabase.layer))("answers that end together", (it) => {
  it.effect("are stored although one of them cannot be, by a fault of ours", () =>
    Effect.gen(function* () {
      const store = yield* GenerationStore
      const actor = yield* newUser()
      const ends = yield* Effect.forEach(["completed", "no status", "completed"], (status) =>
        Effect.map(asked(actor), ({ generationId, lease }): EndedAnswer => ({
          response: "Yes.",
          tokenLengths: [4],
          log: null,
          attempts: [],
          account: { items: [], priced: false, tokens_used: 0 },
          ending: {
            tenant_id: actor.tenantId,
            id: generationId,
            lease_owner: lease,
            status: status as "completed",
            finish_reason: null,
            failure: null,
            response_model: null,
            usage: null,
            tokens_in: null,
            tokens_out: null,
            approx_tokens_out: 1,
            cost_usd: null,
            started_at: 1,
            first_token_at: null,
            model_ended_at: 1
          }
        }))
      )
      const [first, broken, last] = yield* Effect.forEach(ends, (end) => Effect.exit(store.finish(end)), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual([first, last], [Exit.succeed(true), Exit.succeed(true)])
      assert.isTrue(broken !== undefined && Exit.isFailure(broken) && Cause.hasDies(broken.cause))
    })
  )
})

layer(Layer.provideMerge(engine({}, 5, counted), TestDatabase.layer))("a model that answers at once", (it) => {
  it.effect("costs two transactions: one takes the question, one ends the answer", () =>
    Effect.gen(function* () {
      const generations = yield* Generations
      const script = yield* Script
      const actor = yield* newUser()
      lent = 0
      const asked = yield* generations.ask(question("Quick?")).pipe(as(actor))
      assert.strictEqual(lent, 1)
      const call = yield* script.next
      call.emit("Yes.")
      call.complete()
      assert.strictEqual((yield* generations.answer(asked)).response, "Yes.")
      assert.strictEqual(lent, 2)
    }).pipe(Effect.scoped)
  )
})

layer(
  Layer.provideMerge(
    engine({ limits: { perUser: 2100, perTenant: 20, waitingPerTenant: 2080, atOnce: 40 } }),
    TestDatabase.layer
  ),
  { timeout: "120 seconds" }
)("a flood", (it) => {
  it.effect("of one tenant does not delay another's first token, and is refused beyond the limit", () =>
    Effect.gen(function* () {
      const generations = yield* Generations
      const script = yield* Script
      const [flooder, stranger] = [yield* newUser(), yield* newUser()]
      const flood = yield* Effect.forEach(Array.from({ length: 2020 }), () =>
        Effect.forkScoped(generations.ask(question("Me!")).pipe(as(flooder)), { startImmediately: true })
      )
      yield* Effect.forEach(Array.from({ length: 20 }), () => script.next)
      assert.deepStrictEqual(generations.load(), { running: 20, waiting: 2000 })
      const asked = yield* generations.ask(question("And me?")).pipe(as(stranger))
      const call = yield* script.next
      assert.strictEqual(call.prompt[0]?.content, "And me?")
      call.complete()
      yield* generations.answer(asked)
      const beyond = yield* Effect.forEach(Array.from({ length: 81 }), () =>
        Effect.forkScoped(Effect.flip(generations.ask(question("Me!")).pipe(as(flooder))), { startImmediately: true })
      )
      assert.strictEqual((yield* Fiber.join(beyond[80] ?? assert.fail("none")))._tag, "TooManyRequests")
      // A question that leaves the line leaves nothing behind.
      yield* Fiber.interruptAll([...flood, ...beyond])
      assert.deepStrictEqual(generations.load(), { running: 20, waiting: 0 })
    }).pipe(Effect.scoped)
  )
})
