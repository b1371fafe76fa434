import { assert, describe, it } from "@effect/vitest"
import { type Chunk, GenerationStore } from "@llm-saas/database/GenerationStore"
import { GenerationId } from "@llm-saas/domain/Generation"
import { MessageId } from "@llm-saas/domain/Message"
import { TenantId } from "@llm-saas/domain/Tenant"
import { UserId } from "@llm-saas/domain/User"
import * as ChunkWriter from "@llm-saas/engine/generations/ChunkWriter"
import { ReaderScheduler } from "@llm-saas/engine/generations/ReaderScheduler"
import { RunningGeneration, RunningGenerations } from "@llm-saas/engine/generations/RunningGeneration"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { randomUUID } from "node:crypto"

const runningAnswer = () =>
  new RunningGeneration(
    { tenantId: TenantId.make(randomUUID()), userId: UserId.make(randomUUID()), tokenEpoch: 0, needs: "user" },
    {
      id: GenerationId.make(randomUUID()),
      message_id: MessageId.make(randomUUID()),
      conversation_id: null,
      source: "messages",
      provider: "mock",
      model: "mock-1",
      lease_owner: randomUUID(),
      request_id: "request",
      trace_id: "a".repeat(32),
      parent_span_id: null,
      approx_tokens_in: 1,
      created_at: 0,
      admitted_at: 0
    },
    1_000_000,
    new ReaderScheduler()
  )

/** A chunk writer with 250 running answers; `during` is called while a statement is under way. */
const writingChunks = Effect.fnUntraced(function* (during: (answers: ReadonlyArray<RunningGeneration>) => void) {
  const answers = Array.from({ length: 250 }, runningAnswer)
  const statements: Array<ReadonlyArray<Chunk>> = []
  const registry = new RunningGenerations()
  for (const live of answers) registry.add(live)
  const log = yield* ChunkWriter.keep(randomUUID(), registry).pipe(
    Effect.provide(
      Layer.mock(GenerationStore, {
        append: (_, chunks) =>
          Effect.sync(() => {
            statements.push(chunks)
            during(answers)
            return []
          })
      })
    )
  )
  return { log, answers, statements }
})

describe("an answer's chunks", () => {
  it.effect("are written once per round, although every answer has more tokens when its statement returns", () =>
    Effect.gen(function* () {
      const { answers, log, statements } = yield* writingChunks((answers) => {
        for (const live of answers) live.push("more ", 0)
      })
      for (const live of answers) live.push("one ", 0)
      yield* TestClock.adjust("250 millis")
      // An answer that ends waits for the round under way, so the round must end.
      yield* log.settled
      const written = statements.flat().map(({ generationId }) => generationId)
      assert.strictEqual(written.length, 250)
      assert.strictEqual(new Set(written).size, 250)
      assert.deepStrictEqual(
        statements.map(({ length }) => length),
        [100, 100, 50]
      )
      yield* TestClock.adjust("250 millis")
      // Each token is in exactly one statement, and the second round continues where the first one stopped.
      assert.strictEqual(statements.length, 6)
      for (const live of answers) {
        const chunks = statements.flat().filter(({ generationId }) => generationId === live.generationId)
        const tokens = chunks.flatMap(({ tokens }) => tokens)
        assert.deepStrictEqual(
          chunks.map(({ seq }) => seq),
          [1, 1 + (chunks[0]?.tokens.length ?? 0)]
        )
        assert.deepStrictEqual(tokens, live.tokenLog.tokens.slice(0, tokens.length))
        assert.strictEqual(tokens.length, live.persisted)
      }
    }).pipe(Effect.scoped)
  )

  it.effect("are no longer written once the answer ended: its end contains the whole text", () =>
    Effect.gen(function* () {
      const { answers, statements } = yield* writingChunks(() => {})
      for (const live of answers) live.push("one ", 0)
      for (const live of answers.slice(0, 200)) live.close({ status: "cancelled" }, 0)
      yield* TestClock.adjust("250 millis")
      assert.deepStrictEqual(
        statements.flat().map(({ generationId }) => generationId),
        answers.slice(200).map(({ generationId }) => generationId)
      )
    }).pipe(Effect.scoped)
  )
})
