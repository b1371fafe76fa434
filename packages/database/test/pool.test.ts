import { assert, layer } from "@effect/vitest"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Cause, Deferred, Effect, Exit, Fiber, Layer } from "effect"
import { Pool } from "../src/connections/Pool.ts"
import type { Connection } from "../src/connections/Session.ts"
import { open } from "./Session.ts"

// One connection for borrowers, and one that is shared.
const PoolOfOne = Layer.unwrap(
  Effect.map(TestDatabase, ({ apiUrl }) =>
    Pool.layer({ url: apiUrl, size: 2, acquireTimeout: "5 seconds", waiting: 100 })
  )
).pipe(Layer.provideMerge(TestDatabase.layer))

/** The server's process behind a connection, and traces of its earlier borrower. */
const look = (connection: Connection) =>
  Effect.map(
    connection.query(
      `select pg_backend_pid() as pid, current_setting('app.tenant_id', true) as tenant, current_setting('work_mem') as work_mem,
         pg_current_xact_id_if_assigned()::text as transaction, array(select pg_listening_channels()) as channels`,
      []
    ),
    ({ rows }) => rows[0]
  )
const lookNow = Effect.flatMap(Pool, ({ use }) => use(look))

/** States after which a connection must not serve another borrower. */
const MESSES: Readonly<Record<string, (connection: Connection) => Effect.Effect<unknown, unknown>>> = {
  "a transaction is open": (connection) => connection.query("begin", []),
  "a transaction has failed": (connection) =>
    Effect.andThen(connection.query("begin", []), Effect.exit(connection.query("select 1 / 0", []))),
  "a tenant was entered": (connection) =>
    Effect.andThen(
      connection.query("begin", []),
      connection.query("select set_config('app.tenant_id', 'abc', true)", [])
    ),
  "a setting was made": (connection) => connection.query("set work_mem = '1MB'", []),
  "a channel is listened to": (connection) => connection.query("listen gossip", []),
  "a cursor is held": (connection) =>
    connection.query("declare c cursor with hold for select generate_series(1, 3)", [])
}

/** Ways in which a borrower may end. */
const ENDS: Readonly<Record<string, Effect.Effect<unknown, unknown>>> = {
  succeeds: Effect.void,
  fails: Effect.fail("no"),
  dies: Effect.die("a bug"),
  "is interrupted": Effect.interrupt
}

layer(PoolOfOne, { timeout: "120 seconds", excludeTestServices: true })("a connection", (it) => {
  for (const [mess, make] of Object.entries(MESSES)) {
    for (const [ends, end] of Object.entries(ENDS)) {
      it.effect(`on which ${mess} serves no other borrower, when its borrower ${ends}`, () =>
        Effect.gen(function* () {
          const { use } = yield* Pool
          const before = yield* lookNow
          yield* Effect.exit(use((connection) => Effect.andThen(make(connection), end)))
          const after = yield* lookNow
          assert.notStrictEqual(after?.["pid"], before?.["pid"])
          assert.deepStrictEqual({ ...after, pid: before?.["pid"] }, before)
        })
      )
    }
  }

  it.effect("that was left idle serves the next one, however its borrower ended", () =>
    Effect.gen(function* () {
      const { use } = yield* Pool
      const before = yield* lookNow
      const whole = (connection: Connection) =>
        Effect.all([connection.query("begin", []), connection.query("select 1", []), connection.query("commit", [])])
      for (const end of Object.values(ENDS))
        yield* Effect.exit(use((connection) => Effect.andThen(whole(connection), end)))
      yield* Effect.exit(use((connection) => connection.query("select 1 / 0", [])))
      assert.deepStrictEqual(yield* lookNow, before)
    })
  )

  it.effect(
    "whose statement was left under way serves no other borrower until it is over, and its caller does not wait",
    () =>
      Effect.gen(function* () {
        const { load, use } = yield* Pool
        const { adminUrl } = yield* TestDatabase
        const superuser = yield* open(adminUrl)
        const before = yield* lookNow
        const asleep = yield* Effect.forkChild(
          use((connection) => connection.query("select pg_sleep(3600)", [])),
          { startImmediately: true }
        )
        yield* Effect.repeat(
          superuser.rows(
            "select from pg_stat_activity where datname = current_database() and query = 'select pg_sleep(3600)' and wait_event = 'PgSleep'"
          ),
          { until: (asleep) => asleep.length === 1 }
        )
        yield* Fiber.interrupt(asleep)
        assert.strictEqual(load().lent, 1)
        const after = yield* Effect.forkChild(lookNow, { startImmediately: true })
        assert.deepStrictEqual(load(), { lent: 1, waiting: 1, size: 2 })
        yield* superuser.rows(
          "select pg_cancel_backend(pid) from pg_stat_activity where datname = current_database() and query = 'select pg_sleep(3600)'"
        )
        assert.deepStrictEqual(yield* Fiber.join(after), before)
      }).pipe(Effect.scoped)
  )

  it.effect("takes no statement from its earlier borrower", () =>
    Effect.gen(function* () {
      const { use } = yield* Pool
      const kept = yield* use((connection) => Effect.succeed(connection))
      const late = yield* Effect.exit(kept.query("select set_config('app.tenant_id', 'late', false)", []))
      assert.isTrue(Exit.isFailure(late) && Cause.hasDies(late.cause))

      // A statement sent in time by an escaped fiber is waited for: the next borrower finds it done, without traces.
      const go = yield* Deferred.make<void>()
      const pid = yield* use((connection) =>
        Effect.gen(function* () {
          const before = yield* look(connection)
          yield* Effect.forkDetach(
            Effect.uninterruptible(
              Effect.andThen(
                connection.query("select pg_sleep(0.2)", []),
                Effect.andThen(Deferred.succeed(go, undefined), Effect.exit(connection.query("begin", [])))
              )
            ),
            { startImmediately: true }
          )
          return before?.["pid"]
        })
      )
      const after = yield* lookNow
      assert.isTrue(yield* Deferred.isDone(go))
      assert.deepInclude(after, { pid, transaction: null })
    })
  )

  it.effect("that is shared is not shared any more after a statement that leaves something", () =>
    Effect.gen(function* () {
      const { query } = yield* Pool
      const pid = Effect.map(
        query("select pg_backend_pid() as pid, current_setting('work_mem') as m", []),
        ({ rows }) => rows[0]
      )
      const before = yield* pid
      assert.deepStrictEqual(yield* pid, before)
      yield* query("set work_mem = '1MB'", [])
      const after = yield* pid
      assert.notStrictEqual(after?.["pid"], before?.["pid"])
      assert.strictEqual(after?.["m"], before?.["m"])
      yield* query("begin", [])
      assert.notStrictEqual((yield* pid)?.["pid"], after?.["pid"])
    })
  )
})
