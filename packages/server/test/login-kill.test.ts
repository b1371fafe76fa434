import { assert, layer } from "@effect/vitest"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Fiber, Redacted } from "effect"
import pg from "pg"
import { Other } from "./money/TwoProcesses.ts"
import { Running, type Send } from "./Running.ts"

/** The administrator's session. */
const administrator = Effect.gen(function* () {
  const { adminUrl } = yield* TestDatabase
  const client = new pg.Client({ connectionString: Redacted.value(adminUrl) })
  yield* Effect.acquireRelease(
    Effect.promise(() => client.connect()),
    () => Effect.promise(() => client.end())
  )
  return (sql: string) =>
    Effect.map(
      Effect.promise(() => client.query(sql)),
      ({ rows }) => rows
    )
})

const guess = (send: Send) =>
  Effect.map(
    send("POST", "/login", { json: { username: "alice@killed.test", password: "wrong guess at it" } }),
    ({ headers, status }) => ({ status, wait: Number(headers.get("retry-after")) })
  )
const guesses = (send: Send, n: number) =>
  Effect.map(Effect.all(Array.from({ length: n }, () => guess(send))), (all) => all.map(({ status }) => status))

layer(Other.with({}), { timeout: "120 seconds", excludeTestServices: true })("of two processes", (it) => {
  it.effect(
    "one that is killed in the middle of logins leaves them counted as failures, and no longer than those",
    () =>
      Effect.gen(function* () {
        const one = yield* Running
        const other = yield* Other
        const query = yield* administrator
        // Holds up logins after they began.
        yield* query("begin")
        yield* query("lock table app.credentials in access exclusive mode")
        const held = yield* Effect.forkChild(
          Effect.exit(
            Effect.all(
              [1, 2, 3, 4].map(() => guess(one.send)),
              { concurrency: 4 }
            )
          )
        )
        yield* Effect.repeat(query("select from meta.login_attempts"), { until: (rows) => rows.length === 4 * 3 })
        one.process.child.kill("SIGKILL")
        yield* one.process.ended
        yield* query("rollback")
        yield* Fiber.interrupt(held)

        assert.deepStrictEqual(yield* guesses(other.send, 6), Array(6).fill(401))
        assert.deepStrictEqual(yield* guess(other.send), { status: 429, wait: 1 })
        // In four minutes 2.67 of the ten leak away: the four are failures by then.
        const later = "interval '240 seconds'"
        yield* query(`update meta.login_attempts set expires_at = expires_at - ${later}`)
        yield* query(`update meta.login_counts set at = at - ${later}, empty_at = empty_at - ${later}`)
        assert.deepStrictEqual(yield* guesses(other.send, 2), [401, 401])
        const refused = yield* guess(other.send)
        assert.strictEqual(refused.status, 429)
        assert.isAbove(refused.wait, 1)
      }).pipe(Effect.scoped)
  )
})
