import { assert, layer } from "@effect/vitest"
import { Actor } from "@llm-saas/domain/Actor"
import { silentProxy } from "@llm-saas/testing/SilentProxy"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Exit, Fiber, Layer, Redacted } from "effect"
import { Pool, type PoolOptions } from "../src/connections/Pool.ts"
import { Tenancy, TenantSql } from "../src/Tenancy.ts"
import { look, member } from "./Interleaved.ts"
import { open } from "./Session.ts"

const OPTIONS = { size: 8, acquireTimeout: "5 seconds", waiting: 2000 } as const

/** A pool, and rooms on it, for as long as the scope is open. */
const rooms = Effect.fnUntraced(function* (options: Partial<PoolOptions> = {}) {
  const { apiUrl } = yield* TestDatabase
  const scope = yield* Effect.scope
  const layer = Layer.provideMerge(Tenancy.layer, Pool.layer({ url: apiUrl, ...OPTIONS, ...options }))
  return yield* Layer.buildWithScope(Layer.fresh(layer), scope)
})

const timed = <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const began = performance.now()
    return Effect.map(Effect.exit(work), (exit) => ({ exit, took: performance.now() - began }))
  })

/** A statement that takes until the test cancels it. */
const slow = TenantSql.use((sql) => sql`select pg_sleep(3600)`)
const CANCEL =
  "select pg_cancel_backend(pid) from pg_stat_activity where datname = current_database() and query like 'select pg_sleep%'"

layer(TestDatabase.layer, { timeout: "120 seconds", excludeTestServices: true })("tenants on one pool", (it) => {
  it.effect("are not kept waiting by the slow statements of one of them, however many it sends", () =>
    Effect.gen(function* () {
      const context = yield* rooms({ acquireTimeout: "30 seconds" })
      const [hog, other] = [yield* member, yield* member]
      yield* Effect.gen(function* () {
        const tenancy = yield* Tenancy
        const as = (actor: Actor["Service"]) => Effect.provideService(Actor, actor)
        yield* as(other)(tenancy.read(look))
        const { load } = yield* Pool
        const { adminUrl } = yield* TestDatabase
        const superuser = yield* open(adminUrl)
        const lists = yield* Effect.forEach(Array.from({ length: 48 }), () =>
          Effect.forkChild(as(hog)(tenancy.read(slow)))
        )
        while (load().waiting < 40) yield* Effect.sleep("1 millis")
        // In a first come, first served queue they would wait for statements that do not end before they do.
        for (let times = 0; times < 20; times++)
          assert.isTrue(Exit.isSuccess(yield* Effect.exit(as(other)(tenancy.read(look)))))
        assert.isAtLeast(load().waiting, 40)
        while (lists.some((list) => list.pollUnsafe() === undefined)) yield* superuser.rows(CANCEL)
        const { lent, waiting } = load()
        assert.deepStrictEqual({ lent, waiting }, { lent: 0, waiting: 0 })
      }).pipe(Effect.provideContext(context))
    }).pipe(Effect.scoped)
  )

  it.effect("cannot fill the queue for each other", () =>
    Effect.gen(function* () {
      const context = yield* rooms({ waiting: 80, size: 2 })
      const [hog, other] = [yield* member, yield* member]
      yield* Effect.gen(function* () {
        const tenancy = yield* Tenancy
        const as = (actor: Actor["Service"]) => Effect.provideService(Actor, actor)
        const asked = yield* Effect.forEach(Array.from({ length: 100 }), () =>
          Effect.forkChild(Effect.exit(as(hog)(tenancy.read(look))), { startImmediately: true })
        )
        const answer = yield* Effect.exit(as(other)(tenancy.read(look)))
        assert.isTrue(Exit.isSuccess(answer))
        const exits = yield* Effect.forEach(asked, Fiber.join)
        assert.isAtLeast(exits.filter(Exit.isSuccess).length, 20)
      }).pipe(Effect.provideContext(context))
    }).pipe(Effect.scoped)
  )

  it.effect("find connections opened beside each other when none is open yet", () =>
    Effect.gen(function* () {
      const { apiUrl } = yield* TestDatabase
      const url = new URL(Redacted.value(apiUrl))
      const way = yield* silentProxy(Number(url.port))
      url.port = String(way.port)
      const context = yield* rooms({ url: Redacted.make(url.href), size: 10, acquireTimeout: "30 seconds" })
      const actors = [yield* member, yield* member, yield* member, yield* member]
      yield* Effect.gen(function* () {
        const tenancy = yield* Tenancy
        // No connection is open yet: as many are opened at once as may be lent, six of ten.
        way.freeze()
        const burst = yield* Effect.forkChild(
          Effect.forEach(
            actors.flatMap((actor) => Array.from({ length: 10 }, () => actor)),
            (actor) => Effect.exit(Effect.provideService(tenancy.read(look), Actor, actor)),
            { concurrency: "unbounded" }
          )
        )
        while (way.opened() < 6) yield* Effect.sleep("10 millis")
        way.thaw()
        for (const exit of yield* Fiber.join(burst)) assert.isTrue(Exit.isSuccess(exit))
        assert.strictEqual(way.opened(), 6)
      }).pipe(Effect.provideContext(context))
    }).pipe(Effect.scoped)
  )

  it.effect("are told to come back in time, also where a connection cannot be opened, and leave nothing behind", () =>
    Effect.gen(function* () {
      const { apiUrl } = yield* TestDatabase
      const url = new URL(Redacted.value(apiUrl))
      const way = yield* silentProxy(Number(url.port))
      url.port = String(way.port)
      way.freeze()
      const context = yield* rooms({ url: Redacted.make(url.href), acquireTimeout: "500 millis" })
      const actor = yield* member
      yield* Effect.gen(function* () {
        const tenancy = yield* Tenancy
        const ask = Effect.forEach(
          Array.from({ length: 60 }, (_, n) => n),
          (n) =>
            timed(
              Effect.provideService(
                n % 2 === 0
                  ? Effect.asVoid(tenancy.read(look))
                  : Effect.asVoid(tenancy.readFunction("own_profile", undefined)),
                Actor,
                actor
              )
            ),
          { concurrency: "unbounded" }
        )
        for (const { exit, took } of yield* ask) {
          assert.isTrue(Exit.isFailure(exit))
          // Longer than they may wait, and shorter than the time in which a connection is given up.
          assert.isBelow(took, 4500)
        }
        const { lent, waiting } = (yield* Pool).load()
        assert.deepStrictEqual({ lent, waiting }, { lent: 0, waiting: 0 })
        way.thaw()
        for (;;) if ((yield* ask).every(({ exit }) => Exit.isSuccess(exit))) break
      }).pipe(Effect.provideContext(context))
    }).pipe(Effect.scoped)
  )
})
