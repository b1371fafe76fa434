import { assert, layer } from "@effect/vitest"
import * as Databases from "@llm-saas/database/backup/Databases"
import { KeyId } from "@llm-saas/domain/ApiKey"
import { Generations } from "@llm-saas/engine/generations/Generations"
import { as, engine, newUser, question } from "@llm-saas/testing/EngineFixture"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Layer } from "effect"
import { randomUUID } from "node:crypto"

const MODEL = "scripted-embedding-1"

layer(Layer.provideMerge(engine(), TestDatabase.layer), { timeout: "120 seconds" })("embeddings", (it) => {
  it.effect("are vectors in the order of their inputs, an account with its call, and no content", () =>
    Effect.gen(function* () {
      const generations = yield* Generations
      const actor = yield* newUser()
      const { asked, vectors } = yield* generations
        .embed({ model: MODEL, input: ["one", [1, 2, 3, 4], ""] }, undefined)
        .pipe(as(actor))
      assert.deepStrictEqual((yield* vectors).vectors, [
        [0, 3],
        [1, 4],
        [2, 0]
      ])
      const { adminUrl } = yield* TestDatabase
      const sql = `select g.status, g.source, g.model, g.response_model, g.tokens_in, g.content, m.content as question, m.request,
        (select count(*)::int from app.attempts a where a.generation_id = g.id) as calls
        from app.generations g join app.messages m on m.id = g.message_id where g.id = '${asked.generationId}'`
      assert.deepStrictEqual((yield* Databases.execute(adminUrl, sql)).rows, [
        {
          status: "completed",
          source: "embeddings",
          model: MODEL,
          response_model: "scripted-embedding-1-2026",
          tokens_in: 3,
          content: "leaving",
          question: "",
          request: null,
          calls: 1
        }
      ])
    }).pipe(Effect.scoped)
  )

  it.effect("are made by models for them only, which answer no question, and by keys for that model", () =>
    Effect.gen(function* () {
      const generations = yield* Generations
      const actor = yield* newUser()
      const key = {
        id: KeyId.make(randomUUID()),
        scopes: ["embeddings"] as const,
        models: ["another"],
        expiresAt: null
      }
      const embed = (model: string, by = actor) =>
        Effect.flip(generations.embed({ model, input: ["a"] }, undefined).pipe(as(by)))
      assert.strictEqual((yield* embed("scripted-1"))._tag, "ModelNotFound")
      assert.strictEqual((yield* embed("no-such"))._tag, "ModelNotFound")
      assert.strictEqual((yield* embed(MODEL, { ...actor, key }))._tag, "ModelNotAllowed")
      const chat = yield* Effect.flip(generations.ask({ ...question("a"), model: MODEL }).pipe(as(actor)))
      assert.strictEqual(chat._tag, "ModelNotFound")
    }).pipe(Effect.scoped)
  )
})
