import { assert, describe, it } from "@effect/vitest"
import { RandomnessLayer } from "@llm-saas/server/Randomness"
import { Effect } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"

describe("random bytes", () => {
  it.effect("are as many as asked for, and never the same twice", () =>
    Effect.gen(function* () {
      const random = yield* SecureRandom
      const seen = new Set<string>()
      for (let round = 0; round < 2000; round++) {
        for (const size of [7, 16, 64, 65, 5000]) {
          const bytes = yield* random.randomBytes(size)
          assert.strictEqual(bytes.length, size)
          seen.add(Buffer.from(bytes).toString("hex"))
        }
      }
      assert.strictEqual(seen.size, 10_000)
      assert.deepStrictEqual((yield* random.randomBytes(0)).length, 0)
    }).pipe(Effect.provide(RandomnessLayer))
  )

  it.effect("do not change what was given out before", () =>
    Effect.gen(function* () {
      const random = yield* SecureRandom
      const first = yield* random.randomBytes(16)
      const copy = Uint8Array.from(first)
      for (let round = 0; round < 1000; round++) yield* random.uuidV7()
      assert.deepStrictEqual(first, copy)
      assert.isTrue(first.some((byte) => byte !== 0))
    }).pipe(Effect.provide(RandomnessLayer))
  )
})
