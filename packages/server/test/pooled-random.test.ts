import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import { PooledRandomLayer } from "../src/auth/PooledRandom.ts"

it.effect("random bytes from the pool are never given twice, nor taken back", () =>
  Effect.gen(function* () {
    const random = yield* SecureRandom
    const given: Array<Uint8Array> = []
    for (let n = 0; n < 3000; n++) given.push(yield* random.randomBytes(n % 100 === 0 ? 5000 : 8 + (n % 40)))
    const all = given.map((bytes) => Buffer.from(bytes).toString("hex"))
    assert.strictEqual(new Set(all.map((hex) => hex.slice(0, 16))).size, 3000)
    assert.deepStrictEqual(
      given.map(({ length }) => length),
      given.map((_, n) => (n % 100 === 0 ? 5000 : 8 + (n % 40)))
    )
    for (const bytes of given) assert.isTrue(bytes.some((byte) => byte !== 0))
  }).pipe(Effect.provide(PooledRandomLayer))
)
