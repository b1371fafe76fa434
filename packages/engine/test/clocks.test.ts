import * as Databases from "@llm-saas/database/backup/Databases"
import { Generations } from "@llm-saas/engine/generations/Generations"
import { stepping } from "@llm-saas/testing/Clocks"
import { Script } from "@llm-saas/testing/ScriptedLlm"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { anotherProcess, as, at, question, newUser } from "@llm-saas/testing/EngineFixture"
import { assert, layer } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { TestClock } from "effect/testing"

const HOUR = 3_600_000

layer(TestDatabase.layer, { timeout: "120 seconds" })("the wall clock", (it) => {
  it.effect("steps back and forth in the middle of an answer, and every duration is right", () =>
    Effect.gen(function* () {
      const { adminUrl } = yield* TestDatabase
      yield* TestClock.setTime(Date.now())
      const { clock, step } = yield* stepping
      const process = yield* Effect.provideService(anotherProcess(), Clock.Clock, clock)
      const message = yield* Effect.gen(function* () {
        const generations = yield* Generations
        const actor = yield* newUser()
        const asked = yield* generations.ask(question("How late is it?")).pipe(as(actor))
        const call = yield* Effect.flatMap(Script, ({ next }) => next)
        yield* TestClock.adjust(100)
        step(-HOUR)
        call.emit("A")
        yield* TestClock.adjust(400)
        step(2 * HOUR)
        call.emit(" clock.")
        call.complete()
        return yield* generations.answer(asked)
      }).pipe(at(process))
      assert.deepStrictEqual([message.ttft_ms, message.latency_ms], [100, 500])
      const { rows } = yield* Databases.execute(
        adminUrl,
        `select extract(epoch from first_token_at - created_at)::float8 * 1000 as first,
           extract(epoch from model_ended_at - created_at)::float8 * 1000 as model,
           ended_at between model_ended_at and model_ended_at + interval '10 seconds' as kept
         from app.generations where id = '${message.generation_id}'`
      )
      assert.deepStrictEqual(rows[0], { first: 100, model: 500, kept: true })
    }).pipe(Effect.scoped)
  )
})
