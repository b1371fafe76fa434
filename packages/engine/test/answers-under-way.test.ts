import { assert, layer } from "@effect/vitest"
import * as Databases from "@llm-saas/database/backup/Databases"
import { Generations } from "@llm-saas/engine/generations/Generations"
import { anotherProcess, as, at, engine, newUser, question, until } from "@llm-saas/testing/EngineFixture"
import { Script } from "@llm-saas/testing/ScriptedLlm"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"

const rows = Effect.fnUntraced(function* (sql: string) {
  const { adminUrl } = yield* TestDatabase
  return (yield* Databases.execute(adminUrl, sql)).rows
})

const TENANT = { scope: "tenant", limit: 50, cursor: undefined } as const
const OWN = { ...TENANT, scope: "own" } as const

layer(Layer.provideMerge(engine(), TestDatabase.layer), { timeout: "120 seconds" })("answers under way", (it) => {
  it.effect("are listed wherever they run, with how far they are, until they are over", () =>
    Effect.gen(function* () {
      const generations = yield* Generations
      const script = yield* Script
      const admin = yield* newUser()
      const user = yield* newUser(admin.tenantId)
      const first = yield* generations.ask(question("A?")).pipe(as(user))
      const call = yield* script.next
      const second = yield* generations.ask(question("B?")).pipe(as(admin))
      const other = yield* script.next
      const none = yield* generations.list(TENANT).pipe(as(admin))
      assert.deepStrictEqual(
        none.data.map(({ id, key, status, tokens, tokens_per_second, user: { email, id: of, name } }) => [
          id,
          [of, email, name, key],
          [status, tokens, tokens_per_second]
        ]),
        [
          [second.generationId, [admin.userId, `${admin.userId}@example.com`, null, null], ["streaming", 0, null]],
          [first.generationId, [user.userId, `${user.userId}@example.com`, null, null], ["streaming", 0, null]]
        ]
      )
      for (let n = 0; n < 20; n++) call.emit("one ")
      yield* TestClock.adjust("10 seconds")
      const [, there] = (yield* generations.list(TENANT).pipe(as(admin))).data
      assert.deepInclude(
        { ...there },
        { tokens: 20, tokens_per_second: 2, model: "scripted-1", door: "messages.stream" }
      )

      // Another process has what was written.
      const process = yield* anotherProcess()
      const elsewhere = Effect.map(at(process)(generationsOf(TENANT)).pipe(as(admin)), ({ data }) => data[1]?.tokens)
      yield* until(Effect.map(elsewhere, (tokens) => tokens === 20))

      call.complete()
      yield* generations.ended(first)
      const left = yield* generations.list(TENANT).pipe(as(admin))
      assert.deepStrictEqual(
        left.data.map(({ id }) => id),
        [second.generationId]
      )
      other.complete()
      yield* generations.ended(second)
      assert.deepStrictEqual((yield* generations.list(TENANT).pipe(as(admin))).data, [])
    }).pipe(Effect.scoped)
  )

  it.effect("come in pages, and one's own are no others'", () =>
    Effect.gen(function* () {
      const generations = yield* Generations
      const script = yield* Script
      const admin = yield* newUser()
      const user = yield* newUser(admin.tenantId)
      const stranger = yield* newUser()
      const asked = yield* Effect.forEach([user, admin, user, stranger, user], (actor) =>
        Effect.andThen(generations.ask(question("A?")).pipe(as(actor)), ({ generationId }) =>
          Effect.as(script.next, { generationId, actor })
        )
      )
      const of = (actor: typeof admin) =>
        asked.flatMap((each) => (each.actor === actor ? [each.generationId] : [])).toReversed()
      const read = (query: typeof OWN | typeof TENANT) =>
        Effect.gen(function* () {
          const ids: Array<string> = []
          let cursor: string | undefined = undefined
          do {
            const next: Effect.Success<ReturnType<typeof generations.list>> = yield* generations.list({
              ...query,
              limit: 2,
              cursor
            })
            ids.push(...next.data.map(({ id }) => id))
            cursor = next.next_cursor ?? undefined
          } while (cursor !== undefined)
          return ids
        })
      assert.deepStrictEqual(yield* read(OWN).pipe(as(user)), of(user))
      assert.deepStrictEqual(yield* read(OWN).pipe(as(admin)), of(admin))
      assert.deepStrictEqual(
        yield* read(TENANT).pipe(as(admin)),
        asked
          .filter(({ actor }) => actor !== stranger)
          .map(({ generationId }) => generationId)
          .toReversed()
      )
      assert.deepStrictEqual(yield* read(TENANT).pipe(as(stranger)), of(stranger))
      assert.strictEqual((yield* Effect.flip(read(TENANT).pipe(as(user))))._tag, "Forbidden")
      yield* generations.stopAll
    }).pipe(Effect.scoped)
  )

  it.effect("are stopped by their user, or by an admin, whom the audit log names; by nobody else", () =>
    Effect.gen(function* () {
      const generations = yield* Generations
      const script = yield* Script
      const admin = yield* newUser()
      const [user, colleague] = [yield* newUser(admin.tenantId), yield* newUser(admin.tenantId)]
      const stranger = yield* newUser()
      const begin = Effect.gen(function* () {
        const { generationId } = yield* generations.ask(question("Long?")).pipe(as(user))
        const call = yield* script.next
        call.emit("A secret")
        return { id: generationId, call }
      })
      const audited = (id: string) =>
        rows(`select actor_user_id as actor, action, detail from app.audit_events where target_id = '${id}'`)
      const theirs = yield* begin
      for (const nobody of [colleague, stranger])
        assert.strictEqual(
          (yield* Effect.flip(generations.cancel(theirs.id).pipe(as(nobody))))._tag,
          "GenerationNotFound"
        )
      assert.deepStrictEqual(yield* audited(theirs.id), [])
      // At another process it is told to stop, once however often.
      const process = yield* anotherProcess()
      const stop = at(process)(Effect.flatMap(Generations, ({ cancel }) => cancel(theirs.id))).pipe(as(admin))
      yield* stop
      assert.strictEqual((yield* generations.list(TENANT).pipe(as(admin))).data[0]?.status, "stopping")
      yield* stop
      yield* until(Effect.map(generations.get(theirs.id).pipe(as(user)), ({ status }) => status === "cancelled"))
      yield* theirs.call.aborted
      assert.deepStrictEqual(yield* audited(theirs.id), [
        { actor: admin.userId, action: "generation.cancelled", detail: { user_id: user.userId } }
      ])
      // One's own is no event, and one that is over is not stopped.
      const own = yield* begin
      assert.strictEqual((yield* generations.cancel(own.id).pipe(as(user))).status, "cancelled")
      assert.strictEqual((yield* generations.cancel(own.id).pipe(as(admin))).status, "cancelled")
      assert.deepStrictEqual(yield* audited(own.id), [])
    }).pipe(Effect.scoped)
  )
})

const generationsOf = (query: typeof TENANT) => Effect.flatMap(Generations, ({ list }) => list(query))
