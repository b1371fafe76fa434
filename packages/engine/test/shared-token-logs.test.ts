import { assert, layer } from "@effect/vitest"
import * as Databases from "@llm-saas/database/backup/Databases"
import { Pool } from "@llm-saas/database/connections/Pool"
import { Generations } from "@llm-saas/engine/generations/Generations"
import { SessionId } from "@llm-saas/domain/Session"
import { Script } from "@llm-saas/testing/ScriptedLlm"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Exit, Layer, Scope } from "effect"
import { randomUUID } from "node:crypto"
import { anotherProcess, as, at, engine, question, newUser, passing, until } from "@llm-saas/testing/EngineFixture"

/** Statements that went to the database from the process with this pool. */
const counting = () => {
  const sent = { count: 0 }
  return {
    sent,
    watched: (pool: Pool["Service"]) =>
      Pool.of({
        ...pool,
        use: (work) => Effect.suspend(() => (sent.count++, pool.use(work))),
        query: (sql, params) => Effect.suspend(() => (sent.count++, pool.query(sql, params)))
      })
  }
}

const execute = (sql: string) =>
  Effect.flatMap(TestDatabase, ({ adminUrl }) => Effect.orDie(Databases.execute(adminUrl, sql)))

const READERS = 200

layer(Layer.provideMerge(engine(), TestDatabase.layer), { timeout: "120 seconds" })(
  "an answer of another process",
  (it) => {
    it.effect("is polled once for any number of readers, and not at all when they have left", () =>
      Effect.gen(function* () {
        const generations = yield* Generations
        const script = yield* Script
        const actor = yield* newUser()
        const asked = yield* generations.ask(question("Many?")).pipe(as(actor))
        const call = yield* script.next
        call.emit("a")
        const { sent, watched } = counting()
        const other = yield* Effect.flatMap(Effect.scope, (scope) =>
          Layer.buildWithScope(Layer.fresh(engine({}, 5, watched)), scope)
        )
        const here = yield* Scope.make()
        const followed = yield* Effect.forEach(
          Array.from({ length: READERS }),
          () =>
            Effect.flatMap(Generations, ({ follow }) => follow(asked.generationId)).pipe(
              at(other),
              as(actor),
              Scope.provide(here)
            ),
          { concurrency: 20 }
        )
        yield* until(Effect.sync(() => followed.every(({ tokenLog }) => tokenLog.seq === 1)))
        sent.count = 0
        yield* passing(2000)
        assert.isAbove(sent.count, 3)
        // A poll every 250 ms, and a notice to the other process.
        assert.isBelow(sent.count, 20)
        call.emit("b")
        call.complete()
        yield* until(Effect.sync(() => followed.every(({ tokenLog }) => tokenLog.ended !== undefined)))
        for (const { tokenLog } of followed) assert.deepStrictEqual(tokenLog.tokens, ["a", "b"])
        // No reader has a copy of the answer: all share the same strings.
        yield* Scope.close(here, Exit.void)
        sent.count = 0
        yield* passing(1000)
        // Leases are renewed, nothing else.
        assert.isBelow(sent.count, 3)
      }).pipe(Effect.scoped)
    )

    it.effect("is lost to a user who is disabled, within a second, and goes on for the others", () =>
      Effect.gen(function* () {
        const generations = yield* Generations
        const script = yield* Script
        const owner = yield* newUser()
        const admin = yield* newUser(owner.tenantId)
        yield* execute(`update app.users set role = 'admin' where id = '${admin.userId}'`)
        const other = yield* anotherProcess()
        const asked = yield* generations.ask(question("Whose?")).pipe(as(owner))
        const call = yield* script.next
        call.emit("one")
        const follow = Effect.flatMap(Generations, ({ follow }) => follow(asked.generationId)).pipe(at(other))
        const theirs = yield* Effect.all([follow, follow]).pipe(as(admin))
        const own = yield* follow.pipe(as(owner))
        yield* until(Effect.sync(() => [...theirs, own].every(({ tokenLog }) => tokenLog.seq === 1)))
        yield* execute(`update app.users set status = 'disabled' where id = '${admin.userId}'`)
        yield* passing(2000)
        for (const { tokenLog } of theirs) {
          assert.deepStrictEqual(tokenLog.ended?.ending, { status: "interrupted", failure: "process_lost" })
          assert.isTrue(tokenLog.ended?.refused)
        }
        assert.isUndefined(own.tokenLog.ended)
        call.emit("two")
        call.complete()
        yield* until(Effect.sync(() => own.tokenLog.ended !== undefined))
        assert.deepStrictEqual(own.tokenLog.tokens, ["one", "two"])
        // Later tokens do not reach the user.
        for (const { tokenLog } of theirs) assert.strictEqual(tokenLog.seq, 1)
        assert.strictEqual((yield* Effect.flip(follow.pipe(as(admin))))._tag, "Unauthenticated")
      }).pipe(Effect.scoped)
    )

    it.effect("is lost with the session that it is read in, within a second, and goes on in the user's others", () =>
      Effect.gen(function* () {
        const generations = yield* Generations
        const script = yield* Script
        const owner = yield* newUser()
        const [ended, open] = [SessionId.make(randomUUID()), SessionId.make(randomUUID())]
        for (const id of [ended, open])
          yield* execute(
            `insert into app.sessions (tenant_id, id, user_id, method, token_epoch, secret_hash, idle_until, ends_at)
             values ('${owner.tenantId}', '${id}', '${owner.userId}', 'password', 0, sha256('${id}'), now() + '1 day', now() + '1 day')`
          )
        const other = yield* anotherProcess()
        const asked = yield* generations.ask(question("Whose?")).pipe(as(owner))
        const call = yield* script.next
        call.emit("one")
        const follow = Effect.flatMap(Generations, ({ follow }) => follow(asked.generationId)).pipe(at(other))
        const theirs = yield* follow.pipe(as({ ...owner, session: ended }))
        const others = yield* follow.pipe(as({ ...owner, session: open }))
        yield* until(Effect.sync(() => [theirs, others].every(({ tokenLog }) => tokenLog.seq === 1)))
        yield* execute(`update app.sessions set ended_at = now(), ended_reason = 'tried' where id = '${ended}'`)
        yield* passing(2000)
        assert.isTrue(theirs.tokenLog.ended?.refused)
        call.emit("two")
        call.complete()
        yield* until(Effect.sync(() => others.tokenLog.ended !== undefined))
        assert.deepStrictEqual(others.tokenLog.tokens, ["one", "two"])
        assert.strictEqual(theirs.tokenLog.seq, 1)
      }).pipe(Effect.scoped)
    )

    it.effect("is refused to users who may not read it, while others hold it in memory", () =>
      Effect.gen(function* () {
        const generations = yield* Generations
        const script = yield* Script
        const other = yield* anotherProcess()
        const owner = yield* newUser()
        const colleague = yield* newUser(owner.tenantId)
        const stranger = yield* newUser()
        for (const ends of [false, true]) {
          const asked = yield* generations.ask(question("Mine?")).pipe(as(owner))
          const call = yield* script.next
          call.emit("secret")
          if (ends) {
            call.complete()
            yield* generations.answer(asked)
          }
          const follow = Effect.flatMap(Generations, ({ follow }) => follow(asked.generationId)).pipe(at(other))
          const held = yield* follow.pipe(as(owner))
          yield* until(Effect.sync(() => held.tokenLog.seq === 1))
          for (const actor of [colleague, stranger])
            assert.strictEqual((yield* Effect.flip(follow.pipe(as(actor))))._tag, "GenerationNotFound")
        }
      }).pipe(Effect.scoped)
    )

    it.effect("that ended is one text for all its readers, in its original tokens", () =>
      Effect.gen(function* () {
        const generations = yield* Generations
        const script = yield* Script
        const other = yield* anotherProcess()
        const actor = yield* newUser()
        const asked = yield* generations.ask(question("Long?")).pipe(as(actor))
        const call = yield* script.next
        const tokens = Array.from({ length: 5000 }, (_, n) => (n % 7 === 0 ? " 🏠" : ` ${n}`))
        for (const token of tokens) call.emit(token)
        call.complete()
        yield* generations.answer(asked)
        const followed = yield* Effect.forEach(
          Array.from({ length: 50 }),
          () => Effect.flatMap(Generations, ({ follow }) => follow(asked.generationId)).pipe(at(other), as(actor)),
          { concurrency: 10 }
        )
        assert.strictEqual(new Set(followed.map(({ tokenLog }) => tokenLog)).size, 1)
        const tokenLog = followed[0]?.tokenLog
        assert.deepStrictEqual(tokenLog?.tokens, tokens)
        assert.strictEqual(tokenLog?.token(5000), tokens.at(-1))
        assert.strictEqual(tokenLog?.token(5001), "")
      }).pipe(Effect.scoped)
    )
  }
)

layer(Layer.provideMerge(engine({ readersPerUser: 3 }), TestDatabase.layer))("readers", (it) => {
  it.effect("of one user are limited in number, whatever they read; another user's are counted apart", () =>
    Effect.gen(function* () {
      const { ask, follow } = yield* Generations
      const script = yield* Script
      const actor = yield* newUser()
      const colleague = yield* newUser(actor.tenantId)
      const here = yield* Scope.make()
      const asked = yield* ask(question("One?")).pipe(as(actor), Scope.provide(here))
      const call = yield* script.next
      const known = question("Two?", { idempotencyKey: "key" })
      yield* ask(known).pipe(as(actor), Scope.provide(here))
      // Found by its key, it is one more reader and not two.
      yield* ask(known).pipe(as(actor), Scope.provide(here))
      const before = script.asked()
      for (const one of [ask(question("Three?")), follow(asked.generationId)]) {
        const refused = yield* Effect.flip(one.pipe(as(actor)))
        assert.deepInclude({ ...refused }, { code: "too_many_requests", retry_after: 2 })
      }
      assert.strictEqual(script.asked(), before)
      yield* ask(question("Mine?")).pipe(as(colleague))
      yield* Scope.close(here, Exit.void)
      call.emit("x")
      yield* follow(asked.generationId).pipe(as(actor))
    }).pipe(Effect.scoped)
  )
})
