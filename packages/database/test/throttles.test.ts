import { assert, layer } from "@effect/vitest"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect } from "effect"
import { randomBytes } from "node:crypto"
import { office } from "./Questions.ts"
import type { Session } from "./Session.ts"

const newKey = () => randomBytes(32).toString("base64url")

const count = (session: Session, keys: ReadonlyArray<string>, limits: ReadonlyArray<number>) =>
  Effect.map(session.rows("select auth.count_attempt($1, $2, 900) as wait", [keys, limits]), ([row]) =>
    Number(row?.["wait"])
  )

layer(TestDatabase.layer)("counts before a tenant is known", (it) => {
  it.effect("are exact for many at once on many connections, and a refusal counts nothing", () =>
    Effect.gen(function* () {
      const { another, api, superuser } = yield* office
      const sessions = yield* Effect.all([another, another, another, another])
      const key = newKey()
      const waits = yield* Effect.forEach(
        sessions,
        (session) => Effect.forEach([1, 2, 3, 4, 5], () => count(session, [key], [5])),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(waits.flat().filter((wait) => wait === 0).length, 5)
      for (const wait of waits.flat().filter((wait) => wait > 0)) {
        assert.isAbove(wait, 170)
        assert.isAtMost(wait, 180)
      }
      yield* superuser.rows("update meta.throttles set whole_at = whole_at - interval '180 seconds' where key = $1", [
        key
      ])
      assert.strictEqual(yield* count(api, [key], [5]), 0)
      assert.isAbove(yield* count(api, [key], [5]), 0)
    }).pipe(Effect.scoped)
  )

  it.effect("have room for all keys or count none", () =>
    Effect.gen(function* () {
      const { api } = yield* office
      const [one, other, wide] = [newKey(), newKey(), newKey()]
      assert.strictEqual(yield* count(api, [one, wide], [2, 3]), 0)
      assert.strictEqual(yield* count(api, [one, wide], [2, 3]), 0)
      assert.isAbove(yield* count(api, [one, wide], [2, 3]), 0)
      assert.strictEqual(yield* count(api, [other, wide], [2, 3]), 0)
      assert.isAbove(yield* count(api, [other, wide], [2, 3]), 0)
    }).pipe(Effect.scoped)
  )

  it.effect("are forgotten once they are whole, and outlive no step of the clock", () =>
    Effect.gen(function* () {
      const { api, superuser } = yield* office
      const [old, key] = [newKey(), newKey()]
      yield* count(api, [old], [5])
      yield* superuser.rows("update meta.throttles set whole_at = now() - interval '1 second' where key = $1", [old])
      yield* count(api, [key], [5])
      assert.deepStrictEqual(yield* superuser.rows("select key from meta.throttles where key = $1", [old]), [])
      yield* superuser.rows("update meta.throttles set whole_at = now() + interval '1 day' where key = $1", [key])
      assert.isAtMost(yield* count(api, [key], [5]), 180)
    }).pipe(Effect.scoped)
  )
})
