import { assert, describe, it } from "@effect/vitest"
import { type Chunk, GenerationStore } from "@llm-saas/database/GenerationStore"
import { GenerationId } from "@llm-saas/domain/Generation"
import { MessageId } from "@llm-saas/domain/Message"
import { TenantId } from "@llm-saas/domain/Tenant"
import { UserId } from "@llm-saas/domain/User"
import * as ChunkWriter from "@llm-saas/engine/generations/ChunkWriter"
import { RunningGeneration, RunningGenerations } from "@llm-saas/engine/generations/RunningGeneration"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { randomUUID } from "node:crypto"

const someone = () =>
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
    1_000_000
  )

/** Keeps what 250 answers say; `during` is called while a statement is under way. */
const keeping = Effect.fnUntraced(function* (during: (runningGenerations: ReadonlyArray<RunningGeneration>) => void) {
  const runningGenerations = Array.from({ length: 250 }, someone)
  const statements: Array<ReadonlyArray<Chunk>> = []
  const running = new RunningGenerations()
  for (const live of runningGenerations) running.add(live)
  const log = yield* ChunkWriter.keep(randomUUID(), running).pipe(
    Effect.provide(
      Layer.mock(GenerationStore, {
        append: (_, chunks) =>
          Effect.sync(() => {
            statements.push(chunks)
            during(runningGenerations)
            return []
          })
      })
    )
  )
  return { log, runningGenerations, statements }
})

describe("what answers say", () => {
  it.effect("is written once a round, though there is more of every answer when its statement returns", () =>
    Effect.gen(function* () {
      const { runningGenerations, log, statements } = yield* keeping((runningGenerations) => {
        for (const live of runningGenerations) live.push("more ", 0)
      })
      for (const live of runningGenerations) live.push("one ", 0)
      yield* TestClock.adjust("250 millis")
      // An answer that ends waits for the round under way, which has an end.
      yield* log.settled
      const written = statements.flat().map(({ generationId }) => generationId)
      assert.strictEqual(written.length, 250)
      assert.strictEqual(new Set(written).size, 250)
      assert.deepStrictEqual(
        statements.map(({ length }) => length),
        [100, 100, 50]
      )
      yield* TestClock.adjust("250 millis")
      // Every token is in one statement, in its place, and the second round went on where the first one stopped.
      assert.strictEqual(statements.length, 6)
      for (const live of runningGenerations) {
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

  it.effect("is not written any more once it has ended: its end has it all", () =>
    Effect.gen(function* () {
      const { runningGenerations, statements } = yield* keeping(() => {})
      for (const live of runningGenerations) live.push("one ", 0)
      for (const live of runningGenerations.slice(0, 200)) live.close({ status: "cancelled" }, 0)
      yield* TestClock.adjust("250 millis")
      assert.deepStrictEqual(
        statements.flat().map(({ generationId }) => generationId),
        runningGenerations.slice(200).map(({ generationId }) => generationId)
      )
    }).pipe(Effect.scoped)
  )
})
